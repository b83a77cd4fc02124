/** A responder without sockets: tests say what the host and its neighbours do. */
import { formatAddress, parseAddress } from '#core/model/ip.ts';
import type { L2Conflict, L2Counts, L2Entry, L2Interface, L2Port } from '#speaker/ports.ts';

export class FakeL2 implements L2Port {
  interfaces: readonly L2Interface[];
  readonly counts = new Map<string, L2Counts>();
  readonly drops = new Map<string, number>();
  readonly withheld = new Set<string>();
  clusterCards: readonly string[] = [];
  /** Addresses that the plan wants probed before they are claimed. */
  readonly probed = new Set<string>();
  /** Addresses announced, in order: bursts started by a new plan or by `announce`. */
  readonly announced: string[] = [];
  /** Addresses for which ICMP echo is answered. */
  pings: readonly string[] = [];
  /** Addresses of every plan that was set, in order. */
  readonly plans: (readonly string[])[] = [];
  #plan = new Map<string, readonly string[] | undefined>();
  #closed = false;
  readonly #onInterfaces: ((interfaces: readonly L2Interface[]) => void)[] = [];
  readonly #onConflict: ((conflict: L2Conflict) => void)[] = [];
  readonly #onFailure: ((error: Error) => void)[] = [];

  constructor(interfaces: readonly L2Interface[] = [{ name: 'eth0', mac: '02:00:00:00:00:0b', up: true }]) {
    this.interfaces = interfaces;
  }

  /** What is held: canonical address → interfaces (undefined: all). Empty once closed. */
  get plan(): ReadonlyMap<string, readonly string[] | undefined> {
    return this.#plan;
  }

  setPlan(entries: readonly L2Entry[]): void {
    if (this.#closed) return;
    const before = this.#plan;
    this.plans.push(entries.map(({ ip }) => ip));
    for (const { ip, probe } of entries) if (probe === true) this.probed.add(canonical(ip));
    this.pings = entries.filter(({ ping }) => ping === true).map(({ ip }) => canonical(ip));
    this.#plan = new Map(entries.map(({ ip, interfaces }) => [canonical(ip), interfaces]));
    for (const [ip, interfaces] of this.#plan)
      if (!before.has(ip) || String(before.get(ip)) !== String(interfaces)) this.#burst(ip);
  }

  setClusterCards(macs: readonly string[]): void {
    this.clusterCards = macs;
  }

  announce(ips?: readonly string[]): void {
    for (const ip of ips?.map(canonical) ?? this.#plan.keys()) if (this.#plan.has(ip)) this.#burst(ip);
  }

  #burst(ip: string): void {
    this.announced.push(ip);
    this.#add(ip, { requests: 0, responses: 0, gratuitous: 2, conflicts: 0 });
  }

  #add(ip: string, more: L2Counts): void {
    const counts = this.counts.get(ip) ?? { requests: 0, responses: 0, gratuitous: 0, conflicts: 0 };
    this.counts.set(ip, {
      requests: counts.requests + more.requests,
      responses: counts.responses + more.responses,
      gratuitous: counts.gratuitous + more.gratuitous,
      conflicts: counts.conflicts + more.conflicts,
    });
  }

  /** A neighbour asks on an interface: true when it gets an answer. */
  ask(ip: string, on = 'eth0'): boolean {
    const held = this.#plan.has(ip);
    const interfaces = this.#plan.get(ip);
    const up = this.interfaces.some(({ name, up }) => name === on && up);
    if (!held || !up || (interfaces !== undefined && !interfaces.includes(on))) return false;
    this.#add(ip, { requests: 1, responses: 1, gratuitous: 0, conflicts: 0 });
    return true;
  }

  /** The host's interfaces change. */
  setInterfaces(interfaces: readonly L2Interface[]): void {
    this.interfaces = interfaces;
    for (const listener of this.#onInterfaces) listener(interfaces);
  }

  /** Another machine shows that it uses an address. */
  conflict(conflict: L2Conflict): void {
    for (const listener of this.#onConflict) listener(conflict);
  }

  /** The responder dies. */
  fail(error: Error): void {
    for (const listener of this.#onFailure) listener(error);
  }

  onInterfaces(listener: (interfaces: readonly L2Interface[]) => void): void {
    this.#onInterfaces.push(listener);
  }

  onConflict(listener: (conflict: L2Conflict) => void): void {
    this.#onConflict.push(listener);
  }

  onFailure(listener: (error: Error) => void): void {
    this.#onFailure.push(listener);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#plan = new Map();
    return Promise.resolve();
  }
}

function canonical(ip: string): string {
  const address = parseAddress(ip);
  return address === undefined ? ip : formatAddress(address);
}
