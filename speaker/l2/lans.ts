/** Finds out which stations are on one LAN, by letting each be heard now and then. */
import { randomBytes } from 'node:crypto';
import { LOOK_EVERY, LOOK_SETTLES, lookedFrom, lookFrame, MARK_LENGTH, SameLan } from '#core/l2/same-lan.ts';
import type { Station } from '#speaker/l2/station.ts';

export interface LansEvents {
  /** All stations there are. */
  stations(): readonly Station[];
  send(station: Station, frame: Uint8Array): void;
  /** Which stations are on one LAN is different from before. */
  changed(): void;
}

export class Lans {
  readonly #events: LansEvents;
  readonly #known = new SameLan();
  readonly #mark = randomBytes(MARK_LENGTH);
  #timer: NodeJS.Timeout | undefined;
  /** Nothing should be announced before. */
  #settledAt = Number.NEGATIVE_INFINITY;

  constructor(events: LansEvents) {
    this.#events = events;
  }

  /** Milliseconds until what a look brought about has arrived; 0: it has. */
  get settlesIn(): number {
    return Math.max(0, this.#settledAt - performance.now());
  }

  /** Lets every station be heard. A host with one station has nothing to find out. */
  look(): void {
    clearTimeout(this.#timer);
    const stations = this.#events.stations().filter((station) => station.has('arp') && station.hasCarrier);
    if (stations.length < 2) return;
    this.#settledAt = performance.now() + LOOK_SETTLES;
    for (const station of stations)
      this.#events.send(station, lookFrame(station.via.mac, this.#mark, station.ifindex));
    this.#timer = setTimeout(() => {
      if (this.#known.expire(performance.now())) this.#events.changed();
      this.look();
    }, LOOK_EVERY);
  }

  /** True when the frame was one of ours. */
  take(station: Station, frame: Uint8Array): boolean {
    const from = lookedFrom(frame, this.#mark);
    if (from === undefined) return false;
    if (this.#known.heard(from, station.ifindex, performance.now())) this.#events.changed();
    return true;
  }

  /** The station is down, without carrier or gone. */
  forget({ ifindex }: Station): void {
    if (this.#known.forget(ifindex)) this.#events.changed();
  }

  /**
   * Names of the stations on the LAN of this one that come before it, by name, and can answer. Sorting by name makes
   * the choice the same after a restart.
   */
  before(station: Station, family: 'arp' | 'ndp'): string[] {
    const lan = this.#known.lanOf(station.ifindex);
    return this.#events
      .stations()
      .filter((other) => lan.has(other.ifindex) && other.name < station.name)
      .filter((other) => other.has(family))
      .map(({ name }) => name);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
