/** A store that a reflector keeps up to date: what programs ask for. */
import type { Logger } from '#runtime/log/logger.ts';
import { watchMetrics } from '#runtime/metrics/names.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { systemClock } from '#runtime/queue/clock.ts';
import type { Clock } from '#runtime/queue/types.ts';
import { reflect } from './reflector.ts';
import { ReflectedStore } from './store.ts';
import type { Transport } from './transport.ts';
import type { Store, WatchOptions } from './types.ts';

export interface WatchContext {
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** Ends the reflector; the store keeps what it has. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** The kind is not installed, or we may not read it; the store fills as soon as that changes. Called once. */
  readonly onUnavailable?: () => void;
}

/** Starts a reflector and returns its store at once; `synced` resolves when the first complete list is in. */
export function watchStore<T>(
  transport: Transport,
  options: WatchOptions<T>,
  context: WatchContext,
): Store<T> {
  const { signal, onUnavailable } = context;
  const { kind } = options.type;
  const logger = context.logger.child({ logger: 'reflector' });
  const metrics = context.metrics && watchMetrics(context.metrics);
  const store = new ReflectedStore<T>({
    project: options.project,
    ...(options.indexes === undefined ? {} : { indexes: options.indexes }),
    onError: (error, key) => logger.error('code BUG: a projection or listener failed', { kind, key, error }),
  });
  context.metrics?.onCollect(() => metrics?.objects.set({ kind }, store.size));
  const clock = context.clock ?? systemClock;
  const random = context.random ?? Math.random;
  void reflect(store, options, { transport, logger, metrics, clock, random, signal, onUnavailable });
  return store;
}
