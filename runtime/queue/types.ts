/** The hand-off between stores and loops: keys, never events (architecture §5). */

/** What a handler says about its key. A thrown AppError says it by `retry`. */
export type Outcome = { readonly kind: 'done' } | { readonly kind: 'after'; readonly ms: number };

export const done: Outcome = { kind: 'done' };

export interface AddOptions {
  /** Higher first. 100 fail-over, 50 change (default), 10 config fan-out, 0 start-up. */
  readonly priority?: number;
  /** Among equals in priority the lower comes first, in order of code units; without one, and among equals, who came first. */
  readonly rank?: string;
  /** Milliseconds to wait; an earlier due time of the same key wins. */
  readonly after?: number;
}

export interface WorkQueue {
  /** Adds the key, or raises its priority / brings its due time forward. A running key runs once more afterwards. */
  add(key: string, options?: AddOptions): void;
  /** Keys waiting (due or not). */
  readonly length: number;
  /** Stops taking keys and resolves when the running handlers ended or the deadline passed. */
  drain(deadlineMs: number): Promise<void>;
}

export type Handler = (key: string, signal: AbortSignal) => Promise<Outcome> | Outcome;

/** Time as a dependency: tests drive it by hand. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls back once after `ms`; returns the cancel function. */
  schedule(ms: number, callback: () => void): () => void;
}
