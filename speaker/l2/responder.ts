/**
 * Answers ARP, NDP and, where asked to, ICMP echo for held addresses, and announces them unasked. Runs in the worker
 * thread; knows nothing of threads itself.
 */
import { gratuitousArp } from '#core/l2/arp.ts';
import { respondEcho } from '#core/l2/echo.ts';
import { bytesKey, formatMac, parseAddressBytes } from '#core/l2/ethernet.ts';
import { usableInterfaces, type HostLinks, type UsableInterface } from '#core/l2/interfaces.ts';
import { unsolicitedAdvertisement } from '#core/l2/ndp.ts';
import { Allowance } from '#core/l2/allowance.ts';
import { isAllowedOn, isLeftToOther, respond, type HeldAddress } from '#core/l2/respond.ts';
import { Bursts } from '#speaker/l2/bursts.ts';
import { Claiming } from '#speaker/l2/claiming.ts';
import { GivingWay } from '#speaker/l2/giving-way.ts';
import { Groups } from '#speaker/l2/groups.ts';
import { Lans } from '#speaker/l2/lans.ts';
import { LinkWatcher } from '#speaker/l2/link-watcher.ts';
import type { LogRecord, WorkerSettings } from '#speaker/l2/messages.ts';
import type { MeshNews } from '#speaker/members/messages.ts';
import { Problems } from '#speaker/l2/problems.ts';
import { filterKeys, noKeys, Station, type Family, type FilterKeys } from '#speaker/l2/station.ts';
import { Tally } from '#speaker/l2/tally.ts';
import type { L2Conflict, L2Entry, L2Interface } from '#speaker/ports.ts';

/** Milliseconds between two loads of the filters while the plan keeps changing. */
const FILTER_PAUSE = 20;
/** ICMP echo answers a second; a flood must not keep ARP waiting. */
const ECHOES_PER_SECOND = 1_000;

export interface ResponderEvents {
  interfaces(interfaces: readonly L2Interface[]): void;
  conflict(conflict: L2Conflict): void;
  log(record: LogRecord): void;
}

export class Responder {
  readonly tally = new Tally();
  readonly #events: ResponderEvents;
  readonly #excluded: (name: string) => boolean;
  readonly #bursts: Bursts;
  /** What is held. */
  readonly #plan = new Map<string, HeldAddress>();
  /** What is answered for: all of it but what is left to another node. */
  readonly #answered = new Map<string, HeldAddress>();
  readonly #givingWay: GivingWay;
  readonly #claiming: Claiming;
  readonly #stations = new Map<number, Station>();
  readonly #problems: Problems;
  readonly #groups: Groups;
  readonly #lans: Lans;
  readonly #watcher: LinkWatcher;
  readonly #echoes = new Allowance(ECHOES_PER_SECOND);
  #usable: readonly UsableInterface[] = [];
  #keys: FilterKeys = noKeys;
  #filtersAt = Number.NEGATIVE_INFINITY;
  #filterTimer: NodeJS.Timeout | undefined;

  constructor(
    settings: Pick<WorkerSettings, 'timing' | 'duplicates'>,
    excluded: (name: string) => boolean,
    events: ResponderEvents,
  ) {
    this.#events = events;
    this.#excluded = excluded;
    this.#bursts = new Bursts(settings.timing, {
      announce: (key) => this.#announceOnce(this.#answered.get(key)),
      settlesIn: () => this.#lans.settlesIn,
    });
    this.#watcher = new LinkWatcher((host) => this.#take(host));
    this.#problems = new Problems(
      (record) => events.log(record),
      () => this.#retry(),
    );
    this.#groups = new Groups(() => this.#stations.values(), this.#problems);
    this.#lans = new Lans({
      stations: () => [...this.#stations.values()],
      send: (station, frame) => void this.#send(station, 'arp', frame),
      changed: () => this.#lansChanged(),
    });
    this.#givingWay = new GivingWay({
      silence: (key) => this.#silence(key),
      resume: (key) => this.#resume(key),
      log: (record) => events.log(record),
    });
    this.#claiming = new Claiming(settings.duplicates, {
      send: (held, frame) => this.#sendOnAll(held, (mac) => [frame(mac)]),
      claimed: (key, held) => this.#answerFor(key, held),
      defend: (key) => this.#announceOnce(this.#answered.get(key)),
      prepare: () => {
        if (this.#filterTimer !== undefined) this.#loadFilters();
      },
      conflict: (conflict) => events.conflict(conflict),
      count: (ip) => this.tally.count(ip, 'conflicts'),
    });
  }

  start(): void {
    this.#watcher.start();
  }

  /** Changes the plan: `set` are new or changed addresses, `remove` those given up. */
  change(set: readonly L2Entry[], remove: readonly string[]): void {
    for (const ip of remove) this.#drop(ip);
    for (const entry of set) this.#hold(entry);
    this.#loadFiltersSoon();
  }

  /** Takes in what the mesh tells. */
  hear(news: MeshNews): void {
    this.#givingWay.take(news);
  }

  /** The cluster's own cards conflict with nothing. */
  setClusterCards(macs: readonly string[]): void {
    this.#claiming.setClusterCards(macs);
  }

  #hold(entry: L2Entry): void {
    const bytes = parseAddressBytes(entry.ip);
    if (bytes === undefined) return;
    const key = bytesKey(bytes);
    const interfaces = entry.interfaces === undefined ? undefined : new Set(entry.interfaces);
    const held = { ip: entry.ip, bytes, interfaces, ping: entry.ping === true };
    const isNew = !this.#plan.has(key) && !this.#claiming.pending.has(key);
    if (isNew) this.#groups.add(bytes);
    this.#givingWay.set(key, entry.ip, entry.yieldTo);
    if (this.#claiming.take(key, held, isNew && entry.probe === true)) return;
    const before = this.#answered.get(key);
    this.#plan.set(key, held);
    if (this.#givingWay.isSilent(key)) this.#silence(key);
    else if (before === undefined || !isOnSame(before, held)) this.#resume(key);
    else this.#answered.set(key, held);
  }

  #answerFor(key: string, held: HeldAddress): void {
    this.#plan.set(key, held);
    if (!this.#givingWay.isSilent(key)) this.#resume(key);
  }

  /** Answers no more for a held address. */
  #silence(key: string): void {
    this.#answered.delete(key);
    this.#bursts.stop(key);
  }

  /** Answers for a held address, and says so. */
  #resume(key: string): void {
    const held = this.#plan.get(key);
    if (held === undefined) return;
    this.#answered.set(key, held);
    this.#bursts.start([key]);
  }

  #drop(ip: string): void {
    const bytes = parseAddressBytes(ip);
    const key = bytesKey(bytes ?? new Uint8Array());
    const wasPending = this.#claiming.drop(key);
    this.#givingWay.drop(key);
    this.#answered.delete(key);
    if (bytes === undefined || !(this.#plan.delete(key) || wasPending)) return;
    this.#bursts.stop(key);
    this.#groups.remove(bytes);
  }

  /** Starts a new burst for held addresses; for all of them when none are named. */
  announce(ips: readonly string[] | undefined): void {
    const keys =
      ips?.map((ip) => bytesKey(parseAddressBytes(ip) ?? new Uint8Array())) ?? this.#answered.keys();
    this.#bursts.start([...keys].filter((key) => this.#answered.has(key)));
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

  #retry(): void {
    this.#updateStations();
    for (const station of this.#stations.values()) this.#groups.update(station);
  }

  #updateStations(): void {
    const ownMacs = new Set(this.#usable.map(({ link }) => bytesKey(link.mac)));
    const present = new Set(this.#usable.map(({ link }) => link.index));
    for (const [ifindex, station] of this.#stations) if (!present.has(ifindex)) this.#remove(station);
    const changed: Station[] = [];
    for (const usable of this.#usable) {
      if (!usable.arp && !usable.ndp && !this.#stations.has(usable.link.index)) continue;
      const station = this.#stations.get(usable.link.index) ?? this.#add(usable);
      if (this.#update(station, usable, ownMacs)) changed.push(station);
    }
    this.#order();
    if (changed.length > 0) this.#lans.look();
    for (const station of changed) this.#announceOn(station);
  }

  /** True when neighbours should hear about it. */
  #update(station: Station, usable: UsableInterface, ownMacs: ReadonlySet<string>): boolean {
    const heardNdp = station.has('ndp');
    const isChanged = station.update(usable, ownMacs, this.#keys);
    if (heardNdp !== station.has('ndp')) this.#groups.update(station);
    if (!station.hasCarrier || !(station.has('arp') || station.has('ndp'))) this.#lans.forget(station);
    return isChanged;
  }

  #add(usable: UsableInterface): Station {
    const station = new Station(usable, {
      frame: (via, family, frame) => this.#answer(via, family, frame),
      problem: (via, family, error) => this.#problems.note(via, family, error),
    });
    this.#stations.set(station.ifindex, station);
    return station;
  }

  #remove(station: Station): void {
    this.#stations.delete(station.ifindex);
    station.close();
    this.#groups.update(station);
    this.#lans.forget(station);
  }

  /** Who answers in place of whom. */
  #order(): void {
    for (const station of this.#stations.values())
      station.setBefore({ arp: this.#lans.before(station, 'arp'), ndp: this.#lans.before(station, 'ndp') });
  }

  /** Another card may answer from now on: neighbours must learn its MAC address. */
  #lansChanged(): void {
    this.#order();
    this.announce(undefined);
  }

  #announceOn({ name }: Station): void {
    this.#bursts.start([...this.#answered].flatMap(([key, held]) => (isAllowedOn(held, name) ? [key] : [])));
  }

  #answer(station: Station, family: Family, frame: Uint8Array): void {
    if (family === 'arp' && this.#lans.take(station, frame)) return;
    const isEcho = family === 'echo4' || family === 'echo6';
    const outcome = isEcho
      ? respondEcho(frame, this.#answered, station.via)
      : respond(frame, this.#answered, station.via);
    if (!isEcho) this.#claiming.watch(station, frame, outcome);
    if (outcome.kind === 'drop') this.tally.dropped(outcome.reason);
    else if (isEcho) this.#echo(station, family, outcome.frame);
    else {
      this.tally.count(outcome.ip, 'requests');
      if (this.#send(station, family, outcome.frame)) this.tally.count(outcome.ip, 'responses');
    }
  }

  #echo(station: Station, family: Family, frame: Uint8Array): void {
    if (this.#echoes.take(performance.now())) this.#send(station, family, frame);
    else this.tally.dropped('echoLimit');
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
    this.#keys = filterKeys([...this.#plan.values(), ...this.#claiming.pending.values()]);
    for (const station of this.#stations.values()) {
      try {
        station.setFilters(this.#keys);
      } catch (error) {
        this.#problems.note(station, 'filter', error);
      }
    }
  }

  #announceOnce(held: HeldAddress | undefined): void {
    if (held === undefined) return;
    const sent = this.#sendOnAll(held, (mac) =>
      held.bytes.length === 4 ? gratuitousArp(mac, held.bytes) : [unsolicitedAdvertisement(mac, held.bytes)],
    );
    for (let count = 0; count < sent; count += 1) this.tally.count(held.ip, 'gratuitous');
  }

  /** On the interfaces on which the address is announced; how many frames went out. */
  #sendOnAll(held: HeldAddress, frames: (mac: Uint8Array) => readonly Uint8Array[]): number {
    const family = held.bytes.length === 4 ? 'arp' : 'ndp';
    let sent = 0;
    for (const station of this.#stations.values()) {
      const { via, name } = station;
      if (
        !station.has(family) ||
        !station.hasCarrier ||
        !isAllowedOn(held, name) ||
        isLeftToOther(held, via, family)
      )
        continue;
      if (via.kernelAddresses.has(bytesKey(held.bytes))) continue;
      for (const frame of frames(via.mac)) if (this.#send(station, family, frame)) sent += 1;
    }
    return sent;
  }

  close(): void {
    clearTimeout(this.#filterTimer);
    this.#bursts.close();
    this.#givingWay.close();
    this.#claiming.close();
    this.#problems.close();
    this.#lans.close();
    this.#watcher.close();
    for (const station of this.#stations.values()) station.close();
    this.#stations.clear();
    this.#groups.close();
  }
}

function isOnSame(a: HeldAddress, b: HeldAddress): boolean {
  return String(a.interfaces && [...a.interfaces]) === String(b.interfaces && [...b.interfaces]);
}
