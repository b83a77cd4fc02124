/**
 * Keeps a store equal to what the API server has (architecture §7.2): a complete list (streamed where the server
 * can, else in pages), then a watch that goes on from there through every kind of failure. Ends only by its signal.
 */
import type { Logger } from '#runtime/log/logger.ts';
import type { WatchMetrics } from '#runtime/metrics/names.ts';
import { sleep } from '#runtime/queue/clock.ts';
import { backoffMs } from '#runtime/queue/rate-limiter.ts';
import type { Clock } from '#runtime/queue/types.ts';
import { pageSize, withType, type KubeList } from './client.ts';
import { collectionPath } from './paths.ts';
import type { ReflectedStore } from './store.ts';
import type { Query, Transport } from './transport.ts';
import { KubeError, type KubeObject, type WatchOptions } from './types.ts';
import {
  initialState,
  isGone,
  isUnavailable,
  nextStep,
  parseEvent,
  refusesStreaming,
  type Ended,
  type WatchEvent,
  type WatchState,
} from './watch-step.ts';

export interface ReflectorDeps {
  readonly transport: Transport;
  readonly logger: Logger;
  readonly metrics: WatchMetrics | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** The kind is not installed, or we may not read it. Called once; it is asked for again all the time. */
  readonly onUnavailable?: (() => void) | undefined;
}

const backoff = { baseMs: 800, capMs: 30_000 };
/** Bookmarks come about every minute; a stream silent for longer is taken for dead. Reconnecting costs no list. */
const idleLimitMs = 150_000;
/** The event loop gets a turn after so many objects. */
const objectsPerTurn = 100;

/** Servers that refused a streamed list: not asked again by any reflector of this process. */
const withoutStreaming = new WeakSet<Transport>();

/** Runs until the signal is aborted. Never rejects. */
export async function reflect<T>(
  store: ReflectedStore<T>,
  options: WatchOptions<T>,
  deps: ReflectorDeps,
): Promise<void> {
  const reflector = new Reflector(store, options, deps);
  let state = initialState;
  while (!deps.signal.aborted) state = await reflector.step(state);
}

/** Progress of one request, kept outside of it so that a failure does not lose it. */
interface Progress {
  resourceVersion: string | undefined;
  received: number;
  /** Events belong to an unfinished streamed list. */
  staging: boolean;
}

class Reflector<T> {
  readonly #store: ReflectedStore<T>;
  readonly #options: WatchOptions<T>;
  readonly #deps: ReflectorDeps;
  readonly #path: string;
  readonly #kind: { readonly kind: string };
  #untilYield = objectsPerTurn;

  constructor(store: ReflectedStore<T>, options: WatchOptions<T>, deps: ReflectorDeps) {
    this.#store = store;
    this.#options = options;
    this.#deps = deps;
    this.#path = collectionPath(options.type, options.namespace);
    this.#kind = { kind: options.type.kind };
  }

  /** One request and the pause after it. */
  async step(state: WatchState): Promise<WatchState> {
    const { clock, logger, metrics, random, signal } = this.#deps;
    const ended = await this.#request(state);
    if (signal.aborted) return state;
    const { state: next, backoff: pause, retryAfterMs, cause } = nextStep(state, ended);
    metrics?.restarts.inc({ ...this.#kind, cause });
    const wait = Math.max(retryAfterMs, pause ? backoffMs(Math.max(1, next.failures), random(), backoff) : 0);
    const fields = { ...this.#kind, cause, error: ended.error, waitMs: Math.round(wait) };
    if (ended.error === undefined || isGone(ended.error)) logger.debug('watch ended', fields);
    else if (isUnavailable(ended.error)) this.#tellUnavailable(ended.error, next.failures);
    else if (next.failures <= 1) logger.info('watch interrupted', fields);
    else logger.warn('watch fails repeatedly', { ...fields, failures: next.failures });
    if (wait > 0) await sleep(clock, wait, signal);
    return next;
  }

  /** Once: a kind that is not installed may be meant so. */
  #tellUnavailable(error: KubeError, failures: number): void {
    const { type, feature = 'what needs it is' } = this.#options;
    const fields = { ...this.#kind, resource: `${type.plural}.${type.group}`, failures };
    const [state, remedy] =
      error.status === 404
        ? ['is not installed', 'its CRD is there']
        : ['may not be read by us', 'a role grants get, list and watch'];
    if (failures > 1) return this.#deps.logger.debug(`the kind still ${state}`, fields);
    this.#deps.logger.warn(`the kind ${state}: ${feature} off until ${remedy}`, { ...fields, error });
    this.#deps.onUnavailable?.();
  }

  async #request(state: WatchState): Promise<Ended> {
    const { clock, transport } = this.#deps;
    const started = clock.now();
    const progress: Progress = { resourceVersion: state.resourceVersion, received: 0, staging: false };
    let error: KubeError | undefined;
    try {
      if (state.resourceVersion !== undefined) await this.#watch(progress);
      else if (withoutStreaming.has(transport)) await this.#listPages(progress);
      else await this.#streamList(progress);
    } catch (thrown) {
      error = thrown instanceof KubeError ? thrown : unexpected(thrown);
    }
    return {
      resourceVersion: progress.staging ? undefined : progress.resourceVersion,
      received: progress.received,
      livedMs: clock.now() - started,
      ...(error === undefined ? {} : { error }),
    };
  }

  /** A streamed list goes on as a watch after its last initial event. */
  async #streamList(progress: Progress): Promise<void> {
    const { transport } = this.#deps;
    this.#store.beginReplace();
    progress.staging = true;
    try {
      await this.#follow({ sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }, progress);
    } catch (error) {
      if (!progress.staging || !(error instanceof KubeError) || !refusesStreaming(error)) throw error;
      withoutStreaming.add(transport);
      this.#deps.logger.info('the API server does not stream lists, reading pages instead');
      await this.#listPages(progress);
    }
  }

  async #listPages(progress: Progress): Promise<void> {
    const { transport, signal } = this.#deps;
    const { labelSelector, fieldSelector } = this.#options;
    this.#store.beginReplace();
    progress.staging = true;
    let next: string | undefined;
    let resourceVersion: string | undefined;
    do {
      const query = { limit: String(pageSize), labelSelector, fieldSelector, continue: next };
      const call = { method: 'GET', path: this.#path, query, signal } as const;
      const list = (await transport.call(call)) as KubeList;
      for (const item of list.items ?? []) {
        this.#store.stage(withType(item, this.#options.type));
        await this.#yieldSometimes();
      }
      resourceVersion = list.metadata.resourceVersion;
      next = list.metadata.continue;
    } while (next !== undefined && next !== '');
    progress.received += 1;
    this.#endReplace(progress, resourceVersion);
  }

  async #watch(progress: Progress): Promise<void> {
    await this.#follow({ resourceVersion: progress.resourceVersion }, progress);
  }

  /** Reads one watch to its end: the server's, the idle limit's, or an error. */
  async #follow(query: Query, progress: Progress): Promise<void> {
    const { transport, signal, random } = this.#deps;
    const { labelSelector, fieldSelector } = this.#options;
    using idle = new IdleLimit(this.#deps.clock);
    const lines = transport.watch(
      this.#path,
      {
        watch: 'true',
        allowWatchBookmarks: 'true',
        timeoutSeconds: String(240 + Math.floor(random() * 60)),
        labelSelector,
        fieldSelector,
        ...query,
      },
      AbortSignal.any([signal, idle.signal]),
    );
    try {
      for await (const batch of lines) {
        idle.touch();
        for (const line of batch) {
          this.#handle(parseEvent(line), progress);
          await this.#yieldSometimes();
        }
      }
    } catch (error) {
      // Silence is no failure: the next watch goes on from the same version.
      if (!idle.signal.aborted) throw error;
    }
  }

  #handle(event: WatchEvent, progress: Progress): void {
    const { metrics } = this.#deps;
    metrics?.events.inc({ ...this.#kind, type: event.type });
    if (event.type === 'ERROR') throw event.error;
    progress.received += 1;
    metrics?.lastEvent.set(this.#kind, Date.now() / 1000);
    if (event.type === 'BOOKMARK') {
      if (progress.staging && event.initialEventsEnd) this.#endReplace(progress, event.resourceVersion);
      else if (!progress.staging) progress.resourceVersion = event.resourceVersion;
      return;
    }
    this.#take(event.type === 'DELETED', event.object, progress.staging);
    if (!progress.staging) progress.resourceVersion = event.object.metadata.resourceVersion;
  }

  #take(deleted: boolean, object: KubeObject, staging: boolean): void {
    if (staging) {
      if (deleted) this.#store.unstage(object);
      else this.#store.stage(object);
    } else if (deleted) this.#store.remove(object);
    else this.#store.put(object);
  }

  #endReplace(progress: Progress, resourceVersion: string | undefined): void {
    progress.staging = false;
    progress.resourceVersion = resourceVersion;
    this.#store.endReplace();
    this.#deps.logger.debug('list complete', { ...this.#kind, objects: this.#store.size });
  }

  async #yieldSometimes(): Promise<void> {
    this.#untilYield -= 1;
    if (this.#untilYield > 0) return;
    this.#untilYield = objectsPerTurn;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Aborts its signal after a time without `touch`. */
class IdleLimit implements Disposable {
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  #touched: number;
  #cancel: () => void;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#touched = clock.now();
    this.#cancel = clock.schedule(idleLimitMs, () => this.#check());
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  touch(): void {
    this.#touched = this.#clock.now();
  }

  [Symbol.dispose](): void {
    this.#cancel();
    // A combined signal that never fires stays registered with the long-lived one: 1 kB for each watch.
    this.#abort.abort();
  }

  #check(): void {
    const left = this.#touched + idleLimitMs - this.#clock.now();
    if (left <= 0) this.#abort.abort();
    else this.#cancel = this.#clock.schedule(left, () => this.#check());
  }
}

/** A failure of our own code must not end the watch: it becomes one more reason to try again. */
function unexpected(cause: unknown): KubeError {
  const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return new KubeError(`watch: ${why}`, { status: 0, reason: 'Unexpected', cause });
}
