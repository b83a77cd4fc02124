/** What a member says to the others, and when: its beats. */
import {
  emptyReport,
  pagesOf,
  type Heartbeat,
  type Report,
  type ReportPage,
} from '#core/members/heartbeat.ts';
import type { Peer } from '#core/members/peer.ts';

/** What each beat says of its sender. */
export interface Standing {
  /** Milliseconds between beats. */
  readonly interval: number;
  readonly ready: boolean;
  readonly leaving: boolean;
}

export class Voice {
  readonly #me: string;
  readonly #token: string;
  #sequence = 0;
  #links: readonly string[] = [];
  #pages: readonly ReportPage[] = pagesOf(emptyReport);
  #reportVersion = 1;
  #suspects: readonly number[] = [];
  #nextBeat: number;
  #lastBeat = Number.NEGATIVE_INFINITY;
  #isHurried = false;

  constructor(me: string, token: string, now: number) {
    this.#me = me;
    this.#token = token;
    this.#nextBeat = now;
  }

  /** Interfaces on which we can answer. */
  get links(): readonly string[] {
    return this.#links;
  }

  setLinks(names: readonly string[]): void {
    this.#links = [...names];
    this.hurry();
  }

  setReport(report: Report): void {
    this.#pages = pagesOf(report);
    this.#reportVersion += 1;
    this.hurry();
  }

  /** Identifiers of the peers that we do not hear. */
  setSuspects(ids: readonly number[]): void {
    const before = this.#suspects;
    if (ids.length === before.length && ids.every((id, at) => id === before[at])) return;
    this.#suspects = ids;
    this.hurry();
  }

  /** Something new is to be said: the next tick is a beat. */
  hurry(): void {
    this.#isHurried = true;
  }

  /** Whether a tick is a beat; even in a hurry not more than one each tick. */
  isDue(now: number, tickEvery: number): boolean {
    return (this.#isHurried && now - this.#lastBeat >= tickEvery) || now >= this.#nextBeat;
  }

  /** Begins a beat; one message to each peer belongs to it. */
  beat(now: number, interval: number): void {
    this.#sequence += 1;
    this.#lastBeat = now;
    this.#nextBeat = now + interval;
    this.#isHurried = false;
  }

  message(peer: Peer, standing: Standing): Heartbeat {
    return {
      from: this.#me,
      token: this.#token,
      echo: peer.token,
      sequence: this.#sequence,
      ...standing,
      suspects: this.#suspects,
      links: this.#links,
      reportVersion: this.#reportVersion,
      ...peer.seen,
      report: this.#pages[peer.reportSeen === this.#reportVersion ? peer.pagesSeen : 0],
    };
  }
}
