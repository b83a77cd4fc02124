/** The store of a kind that an installation may lack, or that its rights do not cover, now or for good. */
import type { Transport } from './transport.ts';
import type { Store, WatchOptions } from './types.ts';
import { watchStore, type WatchContext } from './watch-store.ts';

export interface OptionalStore<T> {
  /** Empty until the kind is there; then it fills, without a restart. */
  readonly store: Store<T>;
  /** True with the first complete list, false when the API server says that there is none to be had (yet). */
  readonly isThere: Promise<boolean>;
}

/** Starts to watch; `options.feature` says in the log what is off without the kind. */
export function optionalStore<T>(
  transport: Transport,
  options: WatchOptions<T> & { readonly feature: string },
  context: WatchContext,
): OptionalStore<T> {
  const unavailable = Promise.withResolvers<boolean>();
  const onUnavailable = (): void => unavailable.resolve(false);
  const store = watchStore(transport, options, { ...context, onUnavailable });
  return { store, isThere: Promise.race([store.synced.then(() => true), unavailable.promise]) };
}
