/**
 * Answers ARP and NDP for held addresses and announces them unasked. Runs in the worker thread; knows nothing
 * of threads itself.
 */
import { messageOf } from '#core/errors.ts';
import { arpProbe, gratuitousArp } from '#core/l2/arp.ts';
import { Claims } from '#core/l2/claim.ts';
import { bytesKey, formatMac, parseAddressBytes } from '#core/l2/ethernet.ts';
import { GratuitousSchedule } from '#core/l2/gratuitous.ts';
import { usableInterfaces, type HostLinks, type UsableInterface } from '#core/l2/interfaces.ts';
import { ndpProbe, solicitedNode, unsolicitedAdvertisement } from '#core/l2/ndp.ts';
import { respond, type Drop, type HeldAddress, type Reply } from '#core/l2/respond.ts';
import { LinkWatcher } from '#speaker/l2/link-watcher.ts';
import type { LogRecord, WorkerSettings } from '#speaker/l2/messages.ts';
import { GroupMemberships } from '#speaker/l2/sockets.ts';
import { Station, type Family, type FilterKeys } from '#speaker/l2/station.ts';
import { Tally } from '#speaker/l2/tally.ts';
import type { L2Conflict, L2Entry, L2Interface } from '#speaker/ports.ts';

/** Addresses announced at one go before waiting questions get their turn. */
const ANNOUNCE_BATCH = 64;
/** Milliseconds between two loads of the filters while the plan keeps changing. */
const FILTER_PAUSE = 20;
/** Milliseconds after which a socket that could not be opened is tried again. */
const RETRY = 10_000;

export interface ResponderEvents {
  interfaces(interfaces: readonly L2Interface[]): void;
  conflict(conflict: L2Conflict): void;
  log(record: LogRecord): void;
}

export class Responder {
  readonly tally = new Tally();
  readonly #events: ResponderEvents;
  readonly #excluded: (name: string) => boolean;
  readonly #schedule: GratuitousSchedule;
  readonly #settings: Pick<WorkerSettings, 'timing' | 'duplicates'>;
  /** What is answered for. */
  readonly #plan = new Map<string, HeldAddress>();
  /** What is not claimed yet: it is being probed, or somebody else uses it. */
  readonly #pending = new Map<string, HeldAddress>();
  readonly #claims = new Claims();
  #clusterCards: ReadonlySet<string> = new Set();
  readonly #groups = new Map<string, { readonly group: Uint8Array; users: number }>();
  readonly #memberships = new GroupMemberships();
  readonly #stations = new Map<number, Station>();
  readonly #watcher: LinkWatcher;
  readonly #problems = new Map<string, string>();
  #usable: readonly UsableInterface[] = [];
  #keys: FilterKeys = { arp: [], ndp: [] };
  #filtersAt = Number.NEGATIVE_INFINITY;
  #filterTimer: NodeJS.Timeout | undefined;
  #claimTimer: NodeJS.Timeout | undefined;
  #announceTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(
    settings: Pick<WorkerSettings, 'timing' | 'duplicates'>,
    excluded: (name: string) => boolean,
    events: ResponderEvents,
  ) {
    this.#settings = settings;
    this.#events = events;
    this.#excluded = excluded;
    this.#schedule = new GratuitousSchedule(settings.timing);
    this.#watcher = new LinkWatcher((host) => this.#take(host));
  }

  start(): void {
    this.#watcher.start();
  }

  /** Changes the plan: `set` are new or changed addresses, `remove` those given up. */
  change(set: readonly L2Entry[], remove: readonly string[]): void {
    for (const ip of remove) this.#drop(ip);
    for (const entry of set) this.#hold(entry);
    this.#loadFiltersSoon();
    this.#claimSoon();
    this.#announceSoon();
  }

  /** The cluster's own cards conflict with nothing: one of us takes over from the other. */
  setClusterCards(macs: readonly string[]): void {
    this.#clusterCards = new Set(macs);
  }

  #hold(entry: L2Entry): void {
    const bytes = parseAddressBytes(entry.ip);
    if (bytes === undefined) return;
    const key = bytesKey(bytes);
    const isNew = !this.#plan.has(key) && !this.#pending.has(key);
    const interfaces = entry.interfaces === undefined ? undefined : new Set(entry.interfaces);
    const held = { ip: entry.ip, bytes, interfaces };
    if (isNew) this.#joinGroup(bytes);
    if (isNew && entry.probe === true && this.#settings.duplicates !== 'off')
      this.#claims.begin(key, performance.now());
    if (this.#claims.isPending(key)) this.#pending.set(key, held);
    else this.#answerFor(key, held);
  }

  #answerFor(key: string, held: HeldAddress): void {
    this.#pending.delete(key);
    this.#plan.set(key, held);
    this.#schedule.start(key, performance.now());
  }

  #drop(ip: string): void {
    const bytes = parseAddressBytes(ip);
    const key = bytesKey(bytes ?? new Uint8Array());
    if (bytes === undefined || !(this.#plan.delete(key) || this.#pending.delete(key))) return;
    this.#claims.end(key);
    this.#schedule.stop(key);
    this.#leaveGroup(bytes);
  }

  /** Starts a new burst for held addresses; for all of them when none are named. */
  announce(ips: readonly string[] | undefined): void {
    const keys = ips?.map((ip) => bytesKey(parseAddressBytes(ip) ?? new Uint8Array())) ?? this.#plan.keys();
    for (const key of keys) if (this.#plan.has(key)) this.#schedule.start(key, performance.now());
    this.#announceSoon();
  }

  #joinGroup(address: Uint8Array): void {
    if (address.length !== 16) return;
    const group = solicitedNode(address);
    const known = this.#groups.get(bytesKey(group));
    if (known !== undefined) known.users += 1;
    else {
      this.#groups.set(bytesKey(group), { group, users: 1 });
      for (const station of this.#stations.values()) this.#joinOn(station, group);
    }
  }

  #leaveGroup(address: Uint8Array): void {
    const key = bytesKey(address.length === 16 ? solicitedNode(address) : new Uint8Array());
    const known = this.#groups.get(key);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.#groups.delete(key);
    for (const station of this.#stations.values()) this.#memberships.leave(station.ifindex, known.group);
  }

  #joinOn(station: Station, group: Uint8Array): void {
    if (!station.has('ndp')) return;
    try {
      this.#memberships.join(station.ifindex, group);
      this.#solved(station, 'ndp group');
    } catch (error) {
      this.#problem(station, 'ndp group', error);
    }
  }

  #take(host: HostLinks): void {
    this.#usable = usableInterfaces(host, this.#excluded);
    this.#updateStations();
    this.#events.interfaces(
      this.#usable.map(({ link, not, carrier }) => ({
        name: link.name,
        mac: formatMac(link.mac),
        up: not === undefined && carrier,
      })),
    );
  }

  #updateStations(): void {
    const ownMacs = new Set(this.#usable.map(({ link }) => bytesKey(link.mac)));
    const present = new Set(this.#usable.map(({ link }) => link.index));
    for (const [ifindex, station] of this.#stations) if (!present.has(ifindex)) this.#remove(station);
    for (const usable of this.#usable) {
      if (!usable.arp && !usable.ndp && !this.#stations.has(usable.link.index)) continue;
      const station = this.#stations.get(usable.link.index) ?? this.#add(usable);
      const heardNdp = station.has('ndp');
      const changed = station.update(usable, ownMacs, this.#keys);
      if (heardNdp !== station.has('ndp')) this.#setGroups(station);
      if (changed) this.#announceOn(station);
    }
  }

  #add(usable: UsableInterface): Station {
    const station = new Station(usable, {
      frame: (via, family, frame) => this.#answer(via, family, frame),
      problem: (via, family, error) => this.#problem(via, family, error),
    });
    this.#stations.set(station.ifindex, station);
    return station;
  }

  #remove(station: Station): void {
    this.#stations.delete(station.ifindex);
    station.close();
    this.#setGroups(station);
  }

  #setGroups(station: Station): void {
    for (const { group } of this.#groups.values()) {
      if (station.has('ndp')) this.#joinOn(station, group);
      else this.#memberships.leave(station.ifindex, group);
    }
  }

  #announceOn(station: Station): void {
    const now = performance.now();
    for (const [key, { interfaces }] of this.#plan)
      if (interfaces === undefined || interfaces.has(station.name)) this.#schedule.start(key, now);
    this.#announceSoon();
  }

  #answer(station: Station, family: Family, frame: Uint8Array): void {
    const outcome = respond(frame, this.#plan, station.via);
    this.#watch(station, outcome);
    if (outcome.kind === 'drop') {
      if (this.#pending.size > 0) this.#watch(station, respond(frame, this.#pending, station.via));
      this.tally.dropped(outcome.reason);
      return;
    }
    this.tally.count(outcome.ip, 'requests');
    if (this.#send(station, family, outcome.frame)) this.tally.count(outcome.ip, 'responses');
  }

  /** Looks whether the frame shows that a machine outside the cluster uses an address of ours. */
  #watch(station: Station, { ip, claimant }: Pick<Reply | Drop, 'ip' | 'claimant'>): void {
    if (claimant === undefined || ip === undefined) return;
    const mac = formatMac(claimant);
    if (this.#clusterCards.has(mac)) return;
    this.tally.count(ip, 'conflicts');
    const key = bytesKey(parseAddressBytes(ip) ?? new Uint8Array());
    const now = performance.now();
    const found = { ip, interface: station.name, mac };
    if (this.#claims.isPending(key) && this.#settings.duplicates === 'withhold') {
      if (this.#claims.withhold(key, now)) this.#events.conflict({ ...found, state: 'withheld' });
      this.#claimSoon();
    } else if (this.#claims.defend(key, now)) {
      const held = this.#plan.get(key);
      if (held !== undefined) this.#announceOnce(held);
      this.#events.conflict({ ...found, state: 'held' });
    }
  }

  #send(station: Station, family: Family, frame: Uint8Array): boolean {
    try {
      station.send(family, frame);
      return true;
    } catch {
      this.tally.dropped('sendFailed');
      return false;
    }
  }

  /** The first load after a quiet time is immediate: a gained address must be heard at once. */
  #loadFiltersSoon(): void {
    const wait = this.#filtersAt + FILTER_PAUSE - performance.now();
    if (wait <= 0) this.#loadFilters();
    else this.#filterTimer ??= setTimeout(() => this.#loadFilters(), wait);
  }

  #loadFilters(): void {
    clearTimeout(this.#filterTimer);
    this.#filterTimer = undefined;
    this.#filtersAt = performance.now();
    this.#keys = filterKeys([...this.#plan.values(), ...this.#pending.values()]);
    for (const station of this.#stations.values()) {
      try {
        station.setFilters(this.#keys);
      } catch (error) {
        this.#problem(station, 'filter', error);
      }
    }
  }

  #claimSoon(): void {
    clearTimeout(this.#claimTimer);
    const next = this.#claims.next();
    if (next === undefined) return;
    this.#claimTimer = setTimeout(() => this.#claimDue(), Math.max(0, next - performance.now()));
  }

  #claimDue(): void {
    // Before anything is asked, the answer must be able to reach us.
    if (this.#filterTimer !== undefined) this.#loadFilters();
    for (const { key, step, contested } of this.#claims.due(performance.now(), ANNOUNCE_BATCH)) {
      const held = this.#pending.get(key);
      if (held === undefined) continue;
      if (step === 'probe') this.#probe(held);
      else this.#claim(key, held, contested);
    }
    this.#claimSoon();
    this.#announceSoon();
  }

  #claim(key: string, held: HeldAddress, contested: boolean): void {
    if (contested) this.#events.conflict({ ip: held.ip, interface: '', mac: '', state: 'over' });
    this.#answerFor(key, held);
  }

  #probe(held: HeldAddress): void {
    const family = held.bytes.length === 4 ? 'arp' : 'ndp';
    for (const station of this.#stationsFor(held, family)) {
      const { mac } = station.via;
      this.#send(station, family, family === 'arp' ? arpProbe(mac, held.bytes) : ndpProbe(mac, held.bytes));
    }
  }

  #announceSoon(): void {
    clearTimeout(this.#announceTimer);
    const next = this.#schedule.next();
    if (next === undefined) return;
    this.#announceTimer = setTimeout(() => this.#announceDue(), Math.max(0, next - performance.now()));
  }

  #announceDue(): void {
    for (const key of this.#schedule.due(performance.now(), ANNOUNCE_BATCH)) {
      const held = this.#plan.get(key);
      if (held !== undefined) this.#announceOnce(held);
    }
    this.#announceSoon();
  }

  #announceOnce(held: HeldAddress): void {
    const family = held.bytes.length === 4 ? 'arp' : 'ndp';
    for (const station of this.#stationsFor(held, family))
      for (const frame of announcement(station, held))
        if (this.#send(station, family, frame)) this.tally.count(held.ip, 'gratuitous');
  }

  /** The interfaces on which the address is announced. */
  #stationsFor(held: HeldAddress, family: Family): Station[] {
    return [...this.#stations.values()].filter(
      (station) =>
        (held.interfaces === undefined || held.interfaces.has(station.name)) &&
        station.has(family) &&
        !station.via.kernelAddresses.has(bytesKey(held.bytes)),
    );
  }

  /** Logged once until it changes or is solved; what failed is tried again after a while. */
  #problem(station: Station, what: string, error: unknown): void {
    const key = `${station.ifindex} ${what}`;
    const text = messageOf(error);
    // A closed interface says so on its sockets; netlink has told us, or will.
    if (text.endsWith('ENETDOWN') || text.endsWith('ENXIO')) return;
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.#updateStations();
      for (const retried of this.#stations.values()) this.#setGroups(retried);
    }, RETRY);
    if (this.#problems.get(key) === text) return;
    this.#problems.set(key, text);
    const message = what === 'arp' ? 'failed to create ARP responder' : 'failed to create NDP responder';
    this.#events.log({
      level: 'error',
      message,
      fields: { interface: station.name, part: what, error: text },
    });
  }

  #solved(station: Station, what: string): void {
    this.#problems.delete(`${station.ifindex} ${what}`);
  }

  close(): void {
    clearTimeout(this.#filterTimer);
    clearTimeout(this.#claimTimer);
    clearTimeout(this.#announceTimer);
    clearTimeout(this.#retryTimer);
    this.#watcher.close();
    for (const station of this.#stations.values()) station.close();
    this.#stations.clear();
    this.#memberships.close();
  }
}

function announcement(station: Station, held: HeldAddress): readonly Uint8Array[] {
  const { mac } = station.via;
  return held.bytes.length === 4
    ? gratuitousArp(mac, held.bytes)
    : [unsolicitedAdvertisement(mac, held.bytes)];
}

function filterKeys(held: Iterable<HeldAddress>): FilterKeys {
  const keys = { arp: [] as number[], ndp: [] as number[] };
  for (const { bytes } of held) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length === 4) keys.arp.push(view.getUint32(0));
    else keys.ndp.push(view.getUint32(12));
  }
  return keys;
}
