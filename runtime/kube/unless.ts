/** Calls whose refusal with one status is an answer and not an error. */
import { KubeError } from './types.ts';

/** What the call gives; undefined when the API server answers with this HTTP status (404: there is no such object). */
export async function unless<T>(status: number, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof KubeError && error.status === status) return undefined;
    throw error;
  }
}
