/**
 * Whether a host is there although its speaker is silent: a living kernel refuses a TCP connection to a port where
 * nobody listens. (It would refuse a datagram as well, but such refusals are rationed.) A firewall that swallows
 * the question makes the host look dead.
 */
import { connect, type Socket } from 'node:net';

/** Milliseconds until the next knock, while the first verdict is open and later. */
const KNOCK_EVERY = 150;
const KNOCK_AGAIN_EVERY = 1_000;
/** Knocks without an answer after which the host counts as dead. */
const KNOCKS = 2;

/** Knocks at one host until closed; `onAnswer` is told each time the verdict changes. */
export class Knocker {
  readonly #address: string;
  readonly #port: number;
  readonly #onAnswer: (there: boolean) => void;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #unanswered = 0;
  #there: boolean | undefined;

  constructor(address: string, port: number, onAnswer: (there: boolean) => void) {
    this.#address = address;
    this.#port = port;
    this.#onAnswer = onAnswer;
    this.#knock();
  }

  #knock(): void {
    this.#socket?.destroy();
    if (this.#unanswered >= KNOCKS) this.#say(false);
    this.#unanswered += 1;
    const socket = connect({ host: this.#address, port: this.#port });
    socket.on('connect', () => this.#answered(socket));
    socket.on('error', (error) => {
      if ('code' in error && error.code === 'ECONNREFUSED') this.#answered(socket);
    });
    this.#socket = socket;
    this.#timer = setTimeout(
      () => this.#knock(),
      this.#there === undefined ? KNOCK_EVERY : KNOCK_AGAIN_EVERY,
    );
  }

  #answered(socket: Socket): void {
    socket.destroy();
    if (socket !== this.#socket) return;
    this.#unanswered = 0;
    this.#say(true);
  }

  #say(there: boolean): void {
    if (this.#there === there) return;
    this.#there = there;
    this.#onAnswer(there);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}
