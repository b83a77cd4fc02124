/** What netlink has told so far about the host's interfaces and their addresses. */
import { bytesKey } from '#core/l2/ethernet.ts';
import type { HostLinks } from '#core/l2/interfaces.ts';
import type { InterfaceAddress, Link, NetlinkMessage } from '#core/l2/netlink.ts';

export class KnownLinks {
  readonly #links = new Map<number, Link>();
  readonly #addresses = new Map<string, InterfaceAddress>();

  /** Takes one message in; true when it may have changed something. */
  apply(message: NetlinkMessage): boolean {
    switch (message.kind) {
      case 'link':
        this.#links.set(message.link.index, message.link);
        return true;
      case 'linkGone':
        for (const [key, address] of this.#addresses)
          if (address.index === message.index) this.#addresses.delete(key);
        return this.#links.delete(message.index);
      case 'address':
        this.#addresses.set(addressKey(message.address), message.address);
        return true;
      case 'addressGone':
        return this.#addresses.delete(addressKey(message.address));
      case 'done':
      case 'error':
        return false;
    }
  }

  /** Forgets everything, before a new dump. */
  clear(): void {
    this.#links.clear();
    this.#addresses.clear();
  }

  snapshot(): HostLinks {
    return { links: this.#links, addresses: [...this.#addresses.values()] };
  }
}

function addressKey(address: InterfaceAddress): string {
  return `${address.index} ${bytesKey(address.bytes)}`;
}
