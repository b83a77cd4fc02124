/** The store of a kind that an installation may lack, or that its rights do not cover: then it is off. */
import { sleep, systemClock } from '../queue/clock.ts';
import type { Transport } from './transport.ts';
import { KubeError, type KubeClient, type Store, type WatchOptions } from './types.ts';
import { watchStore, type WatchContext } from './watch-store.ts';

const RETRY_MS = 1000;

export interface OptionalStore<T> extends WatchOptions<T> {
  readonly namespace: string;
  /** What is off without it, for the log: `no KIND: … is off until a restart`. */
  readonly feature: string;
}

/** The store, complete; undefined (and one line in the log) when the kind is not installed or not allowed. */
export async function optionalStore<T>(
  { transport, client }: { readonly transport: Transport; readonly client: Pick<KubeClient, 'list'> },
  options: OptionalStore<T>,
  context: WatchContext,
): Promise<Store<T> | undefined> {
  if (!(await isServed(client, options, context))) return undefined;
  const store = watchStore(transport, options, context);
  await store.synced;
  return store;
}

async function isServed<T>(
  client: Pick<KubeClient, 'list'>,
  { type, namespace, feature }: OptionalStore<T>,
  { logger, signal }: WatchContext,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await client.list(type, { namespace, signal });
      return true;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.status === 404 || error.status === 403) {
        const reason = error.status === 404 ? 'the kind is not installed' : 'we may not read it';
        logger.info(`no ${type.kind}: ${feature} off until a restart`, { reason });
        return false;
      }
      logger.debug(`cannot ask for ${type.kind} yet`, { error });
      await sleep(systemClock, RETRY_MS, signal);
    }
  }
  return false;
}
