/** A worker thread as the main thread sees it: messages both ways, its failure told once, an orderly end. */
import { Worker, type MessagePort } from 'node:worker_threads';

export interface WorkerThreadOptions<From> {
  /** File of the thread's program. */
  readonly program: URL;
  /** Name of the thread, as in `top -H`. */
  readonly name: string;
  /** What it is in words, for errors: `the responder`. */
  readonly what: string;
  /** Its `workerData`. */
  readonly settings: unknown;
  /** A port within the settings: it becomes the thread's own. */
  readonly transfer: MessagePort | undefined;
  readonly take: (message: From) => void;
}

/** Milliseconds the thread gets to end by itself. */
const CLOSE_DEADLINE = 1_000;

/** `From` are the messages the thread sends, `To` those it takes; the last of them makes it end. */
export class WorkerThread<From, To> {
  /** Resolved by `begun`; rejected when the thread fails before. */
  readonly started: Promise<void>;
  readonly exited: Promise<void>;
  readonly #worker: Worker;
  readonly #onFailure: ((error: Error) => void)[] = [];
  #ended = false;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor({ program, name, what, settings, take, transfer }: WorkerThreadOptions<From>) {
    this.started = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const transferList = transfer === undefined ? [] : [transfer];
    this.#worker = new Worker(program, { workerData: settings, name, transferList });
    this.#worker.on('message', take);
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.once('exit', (code) => this.#fail(new Error(`${what} ended with code ${code}`)));
  }

  /** True once it failed or was told to end; what is told to it then is dropped. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The thread does its work now. */
  begun(): void {
    this.#resolve();
  }

  /** Calls `listener` when the thread ends without being told to; at most once. */
  onFailure(listener: (error: Error) => void): void {
    this.#onFailure.push(listener);
  }

  tell(message: To): void {
    if (!this.#ended) this.#worker.postMessage(message);
  }

  /** Tells it the last message and waits until it is gone; after a second it is ended. */
  async close(last: To): Promise<void> {
    this.tell(last);
    this.#ended = true;
    const deadline = setTimeout(() => void this.#worker.terminate(), CLOSE_DEADLINE);
    await this.exited;
    clearTimeout(deadline);
  }

  #fail(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reject(error);
    for (const listener of this.#onFailure) listener(error);
  }
}
