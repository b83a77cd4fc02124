/**
 * The error classes of the project. An error carries a stable `code` (documented in docs/errors.md) and
 * says whether trying again can help; the runner in runtime/queue is the only place that acts on `retry`.
 */

/** `backoff`: try again later and later; `soon`: try again at once (conflict); `never`: wait for a change. */
export type Retry = 'backoff' | 'soon' | 'never';

export type ErrorCode = 'KUBE' | 'VTYSH' | 'SOCKET' | 'CONFIG' | 'SETTINGS' | 'BUG';

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retry: Retry;
  /** What the other side asked us to wait, if it did (HTTP `Retry-After`). */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { retry: Retry; retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retry = options.retry;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Settings (flags, environment) that cannot be used; programs end with exit code 64. */
export class SettingsError extends AppError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('SETTINGS', problems.join('\n'), { retry: 'never' });
    this.problems = problems;
  }
}

/** A state that the code rules out. Never expected; programs log it with code BUG. */
export class BugError extends AppError {
  constructor(message: string, cause?: unknown) {
    super('BUG', message, { retry: 'never', cause });
  }
}

/** What was thrown, in words: the message of an Error, anything else as text. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
