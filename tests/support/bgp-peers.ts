/** Listening routers in a namespace, and what can be waited for: a prefix at all of them, or a number of prefixes. */
import { NamespacedProcess } from '#tests/support/netns.ts';
import type { FromPeers, PeerArgument, Tally, ToPeers } from './bgp-peer-process.ts';

type Update = Extract<FromPeers, { kind: 'update' }>;

/** Milliseconds of the machine's monotonic clock, on which the routers tell their times. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export class BgpPeers {
  readonly #process: NamespacedProcess<ToPeers, FromPeers>;
  /** Address → its last UPDATE. */
  readonly #last = new Map<string, Update>();
  readonly #up = new Map<string, number>();
  readonly #watchers = new Set<(message: FromPeers) => void>();

  private constructor(process: NamespacedProcess<ToPeers, FromPeers>) {
    this.#process = process;
    process.child.on('message', (message) => this.#take(message as FromPeers));
  }

  /** One router per address, which the namespace must have. */
  static async start(netns: string, argument: PeerArgument): Promise<BgpPeers> {
    const script = new URL('./bgp-peer-process.ts', import.meta.url);
    const peers = new BgpPeers(new NamespacedProcess<ToPeers, FromPeers>(netns, script, argument));
    await peers.#process.expect(({ kind }) => kind === 'listening');
    return peers;
  }

  #take(message: FromPeers): void {
    if (message.kind === 'update') this.#last.set(message.peer, message);
    if (message.kind === 'session') {
      this.#last.delete(message.peer);
      if (message.isUp) this.#up.set(message.peer, message.at);
      else this.#up.delete(message.peer);
    }
    for (const watch of this.#watchers) watch(message);
    this.#process.forget();
  }

  get pid(): number | undefined {
    return this.#process.child.pid;
  }

  /** Addresses whose session is up. */
  get established(): readonly string[] {
    return [...this.#up.keys()];
  }

  /** When each of the routers was told of the prefix; ask before the change is made. */
  next(
    peers: readonly string[],
    field: 'announced' | 'withdrawn',
    prefix: string,
    withinMs = 20_000,
  ): Promise<number[]> {
    const times = new Map<string, number>();
    return this.#until(`${prefix} to be ${field}`, withinMs, (message) => {
      if (message?.kind === 'update' && message.prefix === prefix && message[field] > 0)
        times.set(message.peer, message.at);
      return peers.every((peer) => times.has(peer)) ? [...times.values()] : undefined;
    });
  }

  /** When the last of the routers had exactly so many prefixes. */
  filled(peers: readonly string[], count: number, withinMs = 120_000): Promise<number> {
    return this.#until(`${count} prefixes at ${peers.length} routers`, withinMs, () => {
      const times = peers.map((peer) => {
        const last = this.#last.get(peer);
        return (last?.table ?? 0) === count ? (last?.at ?? this.#up.get(peer)) : undefined;
      });
      return times.every((at) => at !== undefined) ? Math.max(0, ...times) : undefined;
    });
  }

  /** When the last of the routers had been told of so many different prefixes since `forget`. */
  told(peers: readonly string[], count: number, withinMs = 120_000): Promise<number> {
    const left = new Map(peers.map((peer) => [peer, count]));
    let last = 0;
    return this.#until(`${count} prefixes told to ${peers.length} routers`, withinMs, (message) => {
      if (message?.kind === 'update' && left.has(message.peer)) {
        left.set(message.peer, (left.get(message.peer) ?? 0) - message.announced);
        last = Math.max(last, message.at);
      }
      return [...left.values()].every((missing) => missing <= 0) ? last : undefined;
    });
  }

  /** When these sessions are all down. */
  async down(peers: readonly string[], withinMs = 60_000): Promise<void> {
    await this.#until(`${peers.length} sessions to end`, withinMs, () =>
      peers.some((peer) => this.#up.has(peer)) ? undefined : true,
    );
  }

  /** When the last of these sessions came up. */
  sessions(peers: readonly string[], withinMs = 60_000): Promise<number> {
    return this.#until(`${peers.length} sessions`, withinMs, () => {
      const times = peers.map((peer) => this.#up.get(peer));
      return times.every((at) => at !== undefined) ? Math.max(0, ...times) : undefined;
    });
  }

  async tallies(): Promise<readonly Tally[]> {
    const answer = this.#process.expect((message) => message.kind === 'tally', 20_000);
    this.#process.send({ kind: 'tally' });
    const message = await answer;
    return message.kind === 'tally' ? message.tallies : [];
  }

  /** Counts from here on. */
  forget(): void {
    this.#process.send({ kind: 'forget' });
  }

  /** Looks at once and after each message until `look` finds something. */
  #until<T>(
    what: string,
    withinMs: number,
    look: (message: FromPeers | undefined) => T | undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
      };
      const watch = (message: FromPeers | undefined): void => {
        const found = look(message);
        if (found === undefined) return;
        done();
        resolve(found);
      };
      const timer = setTimeout(() => {
        done();
        const tables = [...this.#last.values()].map(({ peer, table }) => `${peer}: ${table}`).join(', ');
        reject(
          new Error(`waited ${withinMs} ms in vain for ${what}; the routers have ${tables || 'nothing'}`),
        );
      }, withinMs);
      this.#watchers.add(watch);
      watch(undefined);
    });
  }

  async stop(): Promise<void> {
    await this.#process.kill('SIGTERM');
  }
}
