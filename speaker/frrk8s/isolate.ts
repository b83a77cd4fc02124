/**
 * Which peers an object has to go without so that the API server takes it. The webhook of frr-k8s judges the object
 * as a whole, together with those of other people: one peer that contradicts another object must not keep the
 * routes of all others from changing (W34).
 */
import { KubeError } from '#runtime/kube/types.ts';

/** True for an answer that is about what the object says: the schema, a webhook or an admission policy. */
export function isRefusal(error: unknown): error is KubeError {
  if (!(error instanceof KubeError)) return false;
  if (error.status === 422) return true;
  return (error.status === 400 || error.status === 403) && /denied (the )?request/.test(error.message);
}

/**
 * Adds peer after peer to an object without any, and leaves out whose addition is refused. `attempt` asks (dry run)
 * whether the object without some peers would be taken.
 * @returns the words of the refusal by peer; undefined when even the object without peers is refused.
 */
export async function isolatePeers(
  peers: readonly string[],
  attempt: (without: ReadonlySet<string>) => Promise<void>,
): Promise<ReadonlyMap<string, string> | undefined> {
  const without = new Set(peers);
  const refused = new Map<string, string>();
  if ((await refusalOf(attempt, without)) !== undefined) return undefined;
  for (const peer of peers) {
    without.delete(peer);
    const message = await refusalOf(attempt, without);
    if (message === undefined) continue;
    without.add(peer);
    refused.set(peer, message);
  }
  return refused;
}

async function refusalOf(
  attempt: (without: ReadonlySet<string>) => Promise<void>,
  without: ReadonlySet<string>,
): Promise<string | undefined> {
  try {
    await attempt(without);
    return undefined;
  } catch (error) {
    if (isRefusal(error)) return error.message;
    throw error;
  }
}
