/** Follows the host's interfaces and addresses by netlink: a dump first, then every change as it happens. */
import { KnownLinks } from '#core/l2/host-links.ts';
import type { HostLinks } from '#core/l2/interfaces.ts';
import { dumpRequest, parseNetlink } from '#core/l2/netlink.ts';
import { NetlinkSocket } from '#speaker/l2/sockets.ts';

export class LinkWatcher {
  readonly #socket = new NetlinkSocket();
  readonly #onChange: (host: HostLinks) => void;
  #known = new KnownLinks();
  #dump: 'links' | 'addresses' | 'complete' = 'links';
  #sequence = 0;
  #pending: NodeJS.Immediate | undefined;

  /** `onChange` is called after the first complete dump and then once for each batch of changes. */
  constructor(onChange: (host: HostLinks) => void) {
    this.#onChange = onChange;
  }

  start(): void {
    this.#socket.start(
      (bytes) => this.#take(bytes),
      () => this.#restart(),
    );
    this.#restart();
  }

  /** Also after lost messages. What was known stays published until the new dump is complete. */
  #restart(): void {
    this.#known = new KnownLinks();
    this.#ask('links');
  }

  #ask(what: 'links' | 'addresses'): void {
    this.#dump = what;
    this.#sequence += 1;
    this.#socket.send(dumpRequest(what, this.#sequence));
  }

  #take(bytes: Uint8Array): void {
    for (const message of parseNetlink(bytes)) {
      if (message.kind === 'done') this.#dumped();
      else if (message.kind === 'error') this.#ask(this.#dump === 'addresses' ? 'addresses' : 'links');
      else if (this.#known.apply(message)) this.#publishSoon();
    }
  }

  #dumped(): void {
    if (this.#dump === 'links') this.#ask('addresses');
    else {
      this.#dump = 'complete';
      this.#publishSoon();
    }
  }

  #publishSoon(): void {
    if (this.#dump !== 'complete') return;
    this.#pending ??= setImmediate(() => {
      this.#pending = undefined;
      if (this.#dump === 'complete') this.#onChange(this.#known.snapshot());
    });
  }

  close(): void {
    clearImmediate(this.#pending);
    this.#socket.close();
  }
}
