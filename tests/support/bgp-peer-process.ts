/**
 * Routers that only listen: one per address, on TCP 179. They tell when a session comes up or ends and what each
 * UPDATE brings, with the time at which it was read (`nowMs`), and count what came of each prefix.
 *
 *   node bgp-peer-process.ts '{"asn": 64513, "addresses": ["10.90.0.101"]}'
 */
import { createServer, type Socket } from 'node:net';
import { keepalive, MessageReader, messageType, openMessage, updatePrefixes } from './bgp-wire.ts';

export interface PeerArgument {
  readonly asn: number;
  readonly addresses: readonly string[];
}

export type ToPeers = { readonly kind: 'tally' } | { readonly kind: 'forget' };

/** What came over the session of one address since `forget`. */
export interface Tally {
  readonly peer: string;
  /** Sessions that came up, and that ended, since the start. */
  readonly up: number;
  readonly down: number;
  /** UPDATE messages with at least one prefix. */
  readonly updates: number;
  readonly withdrawals: number;
  /** Different prefixes that were announced, and how often the one that came most. */
  readonly announced: number;
  readonly most: number;
}

export type FromPeers =
  | { readonly kind: 'listening' }
  | { readonly kind: 'session'; readonly peer: string; readonly isUp: boolean; readonly at: number }
  | {
      readonly kind: 'update';
      readonly peer: string;
      readonly at: number;
      readonly announced: number;
      readonly withdrawn: number;
      /** The first prefix of either. */
      readonly prefix: string;
      /** Prefixes that the peer has now. */
      readonly table: number;
    }
  | { readonly kind: 'tally'; readonly tallies: readonly Tally[] };

const KEEPALIVE_MS = 30_000;

/** Milliseconds of the machine's monotonic clock: the same in every process. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function say(message: FromPeers): void {
  process.send?.(message);
}

class Peer {
  readonly #address: string;
  readonly #asn: number;
  readonly #table = new Set<string>();
  readonly #seen = new Map<string, number>();
  #up = 0;
  #down = 0;
  #updates = 0;
  #withdrawals = 0;

  constructor(address: string, asn: number) {
    this.#address = address;
    this.#asn = asn;
  }

  forget(): void {
    this.#seen.clear();
    this.#updates = 0;
    this.#withdrawals = 0;
  }

  get tally(): Tally {
    const counts = [...this.#seen.values()];
    return {
      peer: this.#address,
      up: this.#up,
      down: this.#down,
      updates: this.#updates,
      withdrawals: this.#withdrawals,
      announced: counts.length,
      most: counts.reduce((most, count) => Math.max(most, count), 0),
    };
  }

  listen(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    return new Promise((resolve) => server.listen(179, this.#address, resolve));
  }

  #accept(socket: Socket): void {
    const reader = new MessageReader();
    let isUp = false;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    const timer = setInterval(() => socket.write(keepalive), KEEPALIVE_MS);
    socket.on('data', (chunk) => {
      const at = nowMs();
      for (const { type, body } of reader.push(chunk)) {
        if (type === messageType.open) {
          socket.write(openMessage({ asn: this.#asn, routerId: this.#address }));
          socket.write(keepalive);
        } else if (type === messageType.keepalive && !isUp) {
          isUp = true;
          this.#up += 1;
          say({ kind: 'session', peer: this.#address, isUp, at });
        } else if (type === messageType.update) this.#take(body, at);
      }
    });
    socket.on('close', () => {
      clearInterval(timer);
      if (!isUp) return;
      this.#down += 1;
      this.#table.clear();
      say({ kind: 'session', peer: this.#address, isUp: false, at: nowMs() });
    });
  }

  #take(body: Buffer, at: number): void {
    const { announced, withdrawn } = updatePrefixes(body);
    const prefix = announced[0] ?? withdrawn[0];
    // The end of the first transfer (RFC 4724 §2) is an UPDATE without prefixes.
    if (prefix === undefined) return;
    this.#updates += 1;
    this.#withdrawals += withdrawn.length;
    for (const each of withdrawn) this.#table.delete(each);
    for (const each of announced) {
      this.#table.add(each);
      this.#seen.set(each, (this.#seen.get(each) ?? 0) + 1);
    }
    const counts = { announced: announced.length, withdrawn: withdrawn.length, table: this.#table.size };
    say({ kind: 'update', peer: this.#address, at, prefix, ...counts });
  }
}

const { asn, addresses } = JSON.parse(process.argv[2] ?? '{}') as PeerArgument;
const peers = addresses.map((address) => new Peer(address, asn));
process.on('message', (message) => {
  const { kind } = message as ToPeers;
  if (kind === 'forget') for (const peer of peers) peer.forget();
  else say({ kind: 'tally', tallies: peers.map(({ tally }) => tally) });
});
process.on('disconnect', () => process.exit(0));
await Promise.all(peers.map((peer) => peer.listen()));
say({ kind: 'listening' });
