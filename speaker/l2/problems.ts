/** What cannot be opened, joined or loaded: said once until it changes or is solved, and tried again after a while. */
import { messageOf } from '#core/errors.ts';
import type { LogRecord } from '#speaker/l2/messages.ts';

/** Milliseconds. */
const RETRY = 10_000;

export class Problems {
  readonly #known = new Map<string, string>();
  readonly #log: (record: LogRecord) => void;
  readonly #retry: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(log: (record: LogRecord) => void, retry: () => void) {
    this.#log = log;
    this.#retry = retry;
  }

  note(card: { readonly ifindex: number; readonly name: string }, part: string, error: unknown): void {
    const key = `${card.ifindex} ${part}`;
    const text = messageOf(error);
    // A closed interface says so on its sockets; netlink has told us, or will.
    if (text.endsWith('ENETDOWN') || text.endsWith('ENXIO')) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#retry();
    }, RETRY);
    if (this.#known.get(key) === text) return;
    this.#known.set(key, text);
    const message = part === 'arp' ? 'failed to create ARP responder' : 'failed to create NDP responder';
    this.#log({ level: 'error', message, fields: { interface: card.name, part, error: text } });
  }

  solved(card: { readonly ifindex: number }, part: string): void {
    this.#known.delete(`${card.ifindex} ${part}`);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
