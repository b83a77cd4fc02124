/**
 * Patience with an API server that does not answer: after one failure nobody else tries for a moment, and nothing
 * is counted against a key. So an outage costs one attempt per second, and the end of it is noticed within one.
 */
import { KubeError } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Handler } from '#runtime/queue/types.ts';

const PAUSE_MS = 1000;

export class Outage {
  readonly #logger: Logger;
  readonly #now: () => number;
  #until = 0;
  #silent = false;

  /** `now`: milliseconds, monotonic. */
  constructor(logger: Logger, now: () => number) {
    this.#logger = logger;
    this.#now = now;
  }

  /** The handler, put off while the API server is away. */
  guard(handler: Handler): Handler {
    return async (key, signal) => {
      const wait = this.#until - this.#now();
      if (wait > 0) return { kind: 'after', ms: wait };
      try {
        const outcome = await handler(key, signal);
        this.#over();
        return outcome;
      } catch (error) {
        if (signal.aborted || !(error instanceof KubeError) || !isAway(error)) throw error;
        this.#begin(error);
        return { kind: 'after', ms: PAUSE_MS };
      }
    };
  }

  #begin(error: KubeError): void {
    this.#until = this.#now() + PAUSE_MS;
    if (!this.#silent) this.#logger.warn('the API server does not answer, writes wait', { error });
    this.#silent = true;
  }

  #over(): void {
    if (this.#silent && this.#until <= this.#now()) {
      this.#silent = false;
      this.#logger.info('the API server answers again');
    }
  }
}

/** No answer at all, or one of a server without its storage. */
function isAway(error: KubeError): boolean {
  return error.status === 0 || error.status === 502 || error.status === 503 || error.status === 504;
}
