/**
 * How long-running parts of the lab tell what they do: a line per step, and a state that changes while a step
 * lasts (moving in place on a terminal, repeated now and then in a log).
 */

export interface Reporter {
  /** A step begins or ended; always shown. */
  step(text: string): void;
  /** Where the present step stands; shown in place on a terminal, at most every 20 s elsewhere. */
  progress(text: string): void;
}

/** Says nothing: for tests, where a failure carries all that matters. */
export const quiet: Reporter = { step: () => undefined, progress: () => undefined };

const LOG_INTERVAL_MS = 20_000;

/** Writes to a stream (standard error by default), with the time since the reporter was made. */
export class StreamReporter implements Reporter {
  readonly #stream: NodeJS.WriteStream;
  readonly #prefix: string;
  readonly #started = performance.now();
  #lastProgress = performance.now();
  #moving = false;

  constructor(prefix: string, stream: NodeJS.WriteStream = process.stderr) {
    this.#prefix = prefix;
    this.#stream = stream;
  }

  step(text: string): void {
    this.#clear();
    this.#stream.write(`${this.#line(text)}\n`);
    this.#lastProgress = performance.now();
  }

  progress(text: string): void {
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\u001B[K${this.#line(text).slice(0, this.#stream.columns - 1)}`);
      this.#moving = true;
    } else if (performance.now() - this.#lastProgress >= LOG_INTERVAL_MS) {
      this.step(text);
    }
  }

  #line(text: string): string {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    return `${this.#prefix} ${seconds.padStart(6)} s  ${text}`;
  }

  #clear(): void {
    if (this.#moving) this.#stream.write('\r\u001B[K');
    this.#moving = false;
  }
}
