/**
 * A limit of time for one call. `AbortSignal.timeout` would do, but each lives on until its time is over: at 500
 * calls a second, 15,000 timers and what hangs on them, most of them for calls that were answered long ago.
 */
export class Deadline implements Disposable {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#abort.abort(this.#caller?.reason);
  #expired = false;

  /** `caller`: ends the call too. */
  constructor(ms: number, caller: AbortSignal | undefined) {
    this.#caller = caller;
    this.#timer = setTimeout(() => {
      this.#expired = true;
      this.#abort.abort();
    }, ms);
    if (caller?.aborted === true) this.#onAbort();
    else caller?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Aborted when the time is over or by the caller. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The time was over, and the caller had not given up. */
  get expired(): boolean {
    return this.#expired && this.#caller?.aborted !== true;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }
}
