/** Addresses on their way to being answered for, and the watch for other machines that use them. */
import { arpProbe } from '#core/l2/arp.ts';
import { Claims, type DuplicatePolicy } from '#core/l2/claim.ts';
import { bytesKey, formatMac, parseAddressBytes } from '#core/l2/ethernet.ts';
import { ndpProbe } from '#core/l2/ndp.ts';
import { respond, type Drop, type HeldAddress, type Reply } from '#core/l2/respond.ts';
import type { Station } from '#speaker/l2/station.ts';
import type { L2Conflict } from '#speaker/ports.ts';

/** Addresses handled at one go before waiting questions get their turn. */
const BATCH = 64;

export interface ClaimingEvents {
  /** Sends the frame about the address on every station that may answer for it. */
  send(held: HeldAddress, frame: (mac: Uint8Array) => Uint8Array): void;
  /** Nobody uses the address: answer for it from now on. */
  claimed(key: string, held: HeldAddress): void;
  /** Another machine uses an address that is answered for: announce it once. */
  defend(key: string): void;
  /** Called before probes are sent: their answers must be able to reach us. */
  prepare(): void;
  conflict(conflict: L2Conflict): void;
  /** A frame showed that another machine uses the address. */
  count(ip: string): void;
}

export class Claiming {
  readonly #policy: DuplicatePolicy;
  readonly #events: ClaimingEvents;
  readonly #claims = new Claims(Math.random);
  /** What is not claimed yet: it is being probed, or somebody else uses it. */
  readonly #pending = new Map<string, HeldAddress>();
  #clusterCards: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  constructor(policy: DuplicatePolicy, events: ClaimingEvents) {
    this.#policy = policy;
    this.#events = events;
  }

  /** Not claimed yet. */
  get pending(): ReadonlyMap<string, HeldAddress> {
    return this.#pending;
  }

  /** The cluster's own cards conflict with nothing: one of us takes over from the other. */
  setClusterCards(macs: readonly string[]): void {
    this.#clusterCards = new Set(macs);
  }

  /** Takes a wanted address in. `probe`: it is new, and nobody is known to have held it. False: it can be answered for at once. */
  take(key: string, held: HeldAddress, probe: boolean): boolean {
    if (probe && this.#policy !== 'off') this.#claims.begin(key, performance.now());
    if (!this.#claims.isPending(key)) return false;
    this.#pending.set(key, held);
    this.schedule();
    return true;
  }

  /** The address is wanted no more; true when it was not claimed yet. */
  drop(key: string): boolean {
    this.#claims.end(key);
    return this.#pending.delete(key);
  }

  /** Looks whether a frame shows that a machine outside the cluster uses an address, or wants to. */
  watch(station: Station, frame: Uint8Array, outcome: Reply | Drop): void {
    if (outcome.claimant !== undefined) this.#seen(station, outcome.ip, outcome.claimant);
    if (this.#pending.size === 0) return;
    // While we probe, somebody else's probe counts as well (RFC 5227, 2.1.1; RFC 4862, 5.4.3).
    const waiting = respond(frame, this.#pending, station.via);
    this.#seen(station, waiting.ip, waiting.claimant ?? waiting.prober);
  }

  #seen(station: Station, ip: string | undefined, machine: Uint8Array | undefined): void {
    if (machine === undefined || ip === undefined) return;
    const mac = formatMac(machine);
    if (this.#clusterCards.has(mac)) return;
    this.#events.count(ip);
    const key = bytesKey(parseAddressBytes(ip) ?? new Uint8Array());
    const now = performance.now();
    const found = { ip, interface: station.name, mac };
    if (this.#claims.isPending(key) && this.#policy === 'withhold') {
      if (this.#claims.withhold(key, now)) this.#events.conflict({ ...found, state: 'withheld' });
      this.schedule();
    } else if (this.#claims.defend(key, now)) {
      this.#events.defend(key);
      this.#events.conflict({ ...found, state: 'held' });
    }
  }

  /** Plans the next step. */
  schedule(): void {
    clearTimeout(this.#timer);
    const next = this.#claims.next();
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.#due(), Math.max(0, next - performance.now()));
  }

  #due(): void {
    this.#events.prepare();
    for (const { key, step, contested } of this.#claims.due(performance.now(), BATCH)) {
      const held = this.#pending.get(key);
      if (held === undefined) continue;
      if (step === 'probe') this.#probe(held);
      else this.#claim(key, held, contested);
    }
    this.schedule();
  }

  #claim(key: string, held: HeldAddress, contested: boolean): void {
    if (contested) this.#events.conflict({ ip: held.ip, interface: '', mac: '', state: 'over' });
    this.#pending.delete(key);
    this.#events.claimed(key, held);
  }

  #probe(held: HeldAddress): void {
    const build = held.bytes.length === 4 ? arpProbe : ndpProbe;
    this.#events.send(held, (mac) => build(mac, held.bytes));
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
