/**
 * The keyed work queue (architecture §5): one entry per key, never the same key twice at once, delayed adds where
 * the earliest wins, priorities, backoff per key. The only place that acts on `AppError.retry`.
 */
import { AppError } from '#core/errors.ts';
import { queueMetrics, type QueueMetrics } from '#runtime/metrics/names.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { systemClock } from './clock.ts';
import { Heap } from './heap.ts';
import { backoffMs, TokenBucket } from './rate-limiter.ts';
import type { AddOptions, Clock, Handler, WorkQueue } from './types.ts';

export interface QueueOptions {
  /** In the log and as metric label `queue`. */
  readonly name: string;
  readonly handler: Handler;
  /** Keys handled at the same time; 1 by default. */
  readonly concurrency?: number;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  /** In [0, 1); Math.random by default. */
  readonly random?: () => number;
}

interface Entry {
  readonly key: string;
  readonly priority: number;
  readonly rank: string;
  readonly due: number;
  /** Order of arrival among equals. */
  readonly order: number;
}

const defaultPriority = 50;
const failureBackoff = { baseMs: 5, capMs: 60_000 };
const conflictBackoff = { baseMs: 10, capMs: 1000 };

/** Earliest due time, highest priority, the rank and the arrival it had; `old` itself when the new one adds nothing. */
function merge(old: Entry, added: Entry): Entry {
  if (old.due <= added.due && old.priority >= added.priority) return old;
  const priority = Math.max(old.priority, added.priority);
  return { ...old, priority, due: Math.min(old.due, added.due) };
}

function isBefore(a: Entry, b: Entry): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  return a.rank === b.rank ? a.order < b.order : a.rank < b.rank;
}

export function createQueue(options: QueueOptions): WorkQueue {
  return new KeyedQueue(options);
}

class KeyedQueue implements WorkQueue {
  readonly #options: QueueOptions;
  readonly #clock: Clock;
  readonly #metrics: QueueMetrics | undefined;
  readonly #waiting = new Map<string, Entry>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, number>();
  /** Heaps hold entries that may be outdated: an entry counts only while it is the one in #waiting. */
  readonly #later = new Heap<Entry>((a, b) => a.due < b.due);
  readonly #ready = new Heap<Entry>(isBefore);
  readonly #retries = new TokenBucket({ perSecond: 10, burst: 100 });
  readonly #abort = new AbortController();
  #order = 0;
  #stopped = false;
  #pumpScheduled = false;
  #alarm: { readonly due: number; readonly cancel: () => void } | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = options.metrics && queueMetrics(options.metrics);
    options.metrics?.onCollect(() => {
      this.#metrics?.depth.set({ queue: options.name }, this.#waiting.size);
    });
  }

  get length(): number {
    return this.#waiting.size;
  }

  add(key: string, options: AddOptions = {}): void {
    if (this.#stopped) return;
    const { priority = defaultPriority, rank = '', after = 0 } = options;
    const due = this.#clock.now() + Math.max(0, after);
    const added = { key, priority, rank, due, order: ++this.#order };
    const old = this.#waiting.get(key);
    const entry = old === undefined ? added : merge(old, added);
    if (entry === old) return;
    this.#waiting.set(key, entry);
    // A running key waits for its end; #finish enters it.
    if (!this.#running.has(key)) this.#enter(entry);
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    this.#alarm?.cancel();
    this.#waiting.clear();
    let cancel = () => {};
    const deadline = new Promise<void>((resolve) => {
      cancel = this.#clock.schedule(deadlineMs, resolve);
    });
    await Promise.race([Promise.all(this.#running.values()), deadline]);
    cancel();
    this.#abort.abort();
  }

  #enter(entry: Entry): void {
    if (entry.due <= this.#clock.now()) {
      this.#ready.push(entry);
      this.#schedulePump();
    } else {
      this.#later.push(entry);
      this.#setAlarm();
    }
  }

  #isCurrent(entry: Entry): boolean {
    return this.#waiting.get(entry.key) === entry;
  }

  /** One timer for the earliest due entry. */
  #setAlarm(): void {
    let first = this.#later.peek();
    while (first !== undefined && !this.#isCurrent(first)) {
      this.#later.pop();
      first = this.#later.peek();
    }
    if (first === undefined || this.#alarm?.due === first.due) return;
    this.#alarm?.cancel();
    const cancel = this.#clock.schedule(first.due - this.#clock.now(), () => {
      this.#alarm = undefined;
      this.#schedulePump();
    });
    this.#alarm = { due: first.due, cancel };
  }

  #schedulePump(): void {
    if (this.#pumpScheduled || this.#stopped) return;
    this.#pumpScheduled = true;
    setImmediate(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  /** Starts ready keys up to the concurrency. Runs once per turn of the event loop, which so never starves. */
  #pump(): void {
    this.#moveDue(this.#clock.now());
    const concurrency = this.#options.concurrency ?? 1;
    while (this.#running.size < concurrency && !this.#stopped) {
      const entry = this.#ready.pop();
      if (entry === undefined) break;
      if (!this.#isCurrent(entry)) continue;
      this.#waiting.delete(entry.key);
      const run = Promise.resolve().then(() => this.#run(entry));
      this.#running.set(entry.key, run);
    }
    this.#setAlarm();
  }

  #moveDue(now: number): void {
    for (
      let first = this.#later.peek();
      first !== undefined && first.due <= now;
      first = this.#later.peek()
    ) {
      this.#later.pop();
      if (this.#isCurrent(first)) this.#ready.push(first);
    }
  }

  async #run(entry: Entry): Promise<void> {
    const started = this.#clock.now();
    let result = 'done';
    try {
      const outcome = await this.#options.handler(entry.key, this.#abort.signal);
      this.#failures.delete(entry.key);
      const { priority, rank } = entry;
      if (outcome.kind === 'after') this.add(entry.key, { after: outcome.ms, priority, rank });
    } catch (error) {
      result = this.#failed(entry, error);
    }
    const seconds = (this.#clock.now() - started) / 1000;
    this.#metrics?.runs.inc({ queue: this.#options.name, result });
    this.#metrics?.duration.observe({ queue: this.#options.name }, seconds);
    this.#finish(entry.key);
  }

  #finish(key: string): void {
    this.#running.delete(key);
    const again = this.#waiting.get(key);
    if (again !== undefined) this.#enter(again);
    if (this.#ready.size > 0) this.#schedulePump();
  }

  /** Classifies what the handler threw, plans the next try, and returns the result for the metric. */
  #failed(entry: Entry, error: unknown): string {
    const { key, priority, rank } = entry;
    const { logger, name: queue } = this.#options;
    const retry = error instanceof AppError ? error.retry : 'backoff';
    if (this.#stopped) return retry;
    if (retry === 'never') {
      this.#failures.delete(key);
      logger.error('reconcile failed, waiting for a change', { queue, key, error });
      return retry;
    }
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const after = this.#delay(failures, retry, error);
    this.add(key, { after, priority, rank });
    if (retry === 'soon') logger.info('reconcile met a conflict, trying again', { queue, key });
    else
      logger.error('reconcile failed, trying again', {
        queue,
        key,
        error,
        failures,
        retryInMs: Math.round(after),
      });
    return retry;
  }

  #delay(failures: number, retry: 'soon' | 'backoff', error: unknown): number {
    const random = (this.#options.random ?? Math.random)();
    if (retry === 'soon') return backoffMs(failures, random, conflictBackoff);
    const asked = error instanceof AppError ? (error.retryAfterMs ?? 0) : 0;
    const backoff = backoffMs(failures, random, failureBackoff);
    return Math.max(asked, backoff, this.#retries.reserve(this.#clock.now()));
  }
}
