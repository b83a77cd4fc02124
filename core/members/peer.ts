/** What one speaker knows about another one. */
import {
  emptyReport,
  nameId,
  UNKNOWN_TOKEN,
  type Heartbeat,
  type Report,
  type ReportPage,
} from '#core/members/heartbeat.ts';
import { FRESH_BEATS, SETTLE_BEATS, SILENT_BEATS } from '#core/members/timing.ts';

/** Tokens of earlier processes of a peer that are remembered, so that their messages cannot be played again. */
const MAX_RETIRED = 64;

/** A report of which pages arrived, in order. */
interface Arriving {
  readonly version: number;
  readonly have: number;
  readonly report: Report;
}

const nothing: Arriving = { version: 0, have: 0, report: emptyReport };
/** Shared: in a large cluster nearly all peers have nothing to say. */
const NO_IDS: ReadonlySet<number> = new Set();
const NO_NAMES: ReadonlySet<string> = new Set();

/** What a heartbeat may change for the others. */
interface Facts {
  readonly gone: boolean;
  readonly ready: boolean;
  readonly suspects: ReadonlySet<number>;
  readonly links: ReadonlySet<string>;
  readonly report: number;
}

export class Peer {
  readonly name: string;
  readonly id: number;
  /** It is in the list given from outside. */
  listed = false;
  /** What we echo to it: the token of its process, as far as we know. */
  token = UNKNOWN_TOKEN;
  /** When its last valid heartbeat came; undefined: never, or it left. */
  heardAt: number | undefined;
  /** Since when it is heard without a silence. */
  heardSince = Number.POSITIVE_INFINITY;
  interval = 0;
  ready = false;
  suspects = NO_IDS;
  links = NO_NAMES;
  /** Its last report that arrived; kept when it dies. */
  report: Report = emptyReport;
  /** Number of our report of which it has something, and how many pages. */
  reportSeen = 0;
  pagesSeen = 0;
  /** When we last answered a greeting of it. */
  greetedAt = Number.NEGATIVE_INFINITY;
  /** Token of the process whose heartbeats we accept. */
  #proven = UNKNOWN_TOKEN;
  #sequence = -1;
  #reportExists = 0;
  /** Number of the report that `report` is; 0: none of its present process arrived yet. */
  #reportVersion = 0;
  /** The one that is arriving, or the last one. */
  #arriving: Arriving = nothing;
  #retired = NO_NAMES;

  constructor(name: string) {
    this.name = name;
    this.id = nameId(name);
  }

  /**
   * Takes a heartbeat whose echo is our own token, i.e. that was made for us and since we started. `ignored`: it
   * is a repetition, late, or of an earlier process of the peer. `changed`: it says something new.
   */
  accept(beat: Heartbeat, now: number, ours: number): 'ignored' | 'same' | 'changed' {
    if (this.#retired.has(beat.token)) return 'ignored';
    if (beat.token !== this.#proven) this.#replace(beat.token);
    if (beat.sequence <= this.#sequence) return 'ignored';
    this.#sequence = beat.sequence;
    this.interval = beat.interval;
    const before = this.#facts();
    if (this.isSilent(now, ours)) this.heardSince = now;
    this.heardAt = beat.leaving ? undefined : now;
    this.ready = beat.ready && !beat.leaving;
    this.suspects = setOf(beat.suspects, before.suspects, NO_IDS);
    this.links = setOf(beat.links, before.links, NO_NAMES);
    this.#takeReport(beat);
    if (beat.leaving) this.#retire(beat.token);
    return sameFacts(before, this.#facts()) ? 'same' : 'changed';
  }

  #facts(): Facts {
    const { heardAt, ready, suspects, links } = this;
    return { gone: heardAt === undefined, ready, suspects, links, report: this.#reportVersion };
  }

  #takeReport(beat: Heartbeat): void {
    this.reportSeen = beat.reportSeen;
    this.pagesSeen = beat.pagesSeen;
    this.#reportExists = beat.reportVersion;
    if (beat.report !== undefined) this.#takePage(beat.reportVersion, beat.report);
  }

  #takePage(version: number, { page, pages, cards, holds }: ReportPage): void {
    const { have, report }: Arriving = this.#arriving.version === version ? this.#arriving : nothing;
    if (page !== have) return;
    const whole = { cards: [...report.cards, ...cards], holds: [...report.holds, ...holds] };
    this.#arriving = { version, have: have + 1, report: whole };
    if (have + 1 < pages) return;
    this.report = whole;
    this.#reportVersion = version;
  }

  /** What we tell it that we have of its report. */
  get seen(): { readonly reportSeen: number; readonly pagesSeen: number } {
    return { reportSeen: this.#arriving.version, pagesSeen: this.#arriving.have };
  }

  /** We have all of what it last reported. */
  get isRead(): boolean {
    return this.#reportVersion === this.#reportExists;
  }

  /** Learns the token from a greeting, which proves nothing: only while the peer is not heard properly. */
  greet(beat: Heartbeat, heard: boolean): void {
    if (!heard && !beat.leaving && !this.#retired.has(beat.token)) this.token = beat.token;
  }

  #replace(token: string): void {
    this.#retire(this.#proven);
    this.#proven = token;
    this.token = token;
    this.#sequence = -1;
    this.#reportVersion = 0;
    this.#arriving = nothing;
    this.reportSeen = 0;
    this.pagesSeen = 0;
  }

  #retire(token: string): void {
    if (token === UNKNOWN_TOKEN) return;
    this.#retired = new Set([...this.#retired, token].slice(-MAX_RETIRED));
  }

  /** Milliseconds of one beat, the slower of theirs and ours. */
  #period(ours: number): number {
    return Math.max(ours, this.interval);
  }

  /**
   * It has been heard for two beats. Not before does it count again: what comes first after a cut may have waited
   * in a queue since before it.
   */
  isSettled(now: number, ours: number): boolean {
    return now - this.heardSince >= SETTLE_BEATS * this.#period(ours);
  }

  isFresh(now: number, ours: number): boolean {
    return this.heardAt !== undefined && now - this.heardAt <= FRESH_BEATS * this.#period(ours);
  }

  isSilent(now: number, ours: number): boolean {
    return this.heardAt === undefined || now - this.heardAt > SILENT_BEATS * this.#period(ours);
  }
}

/** The set that there was, if it has just these elements; else a new one. */
function setOf<T>(list: readonly T[], before: ReadonlySet<T>, none: ReadonlySet<T>): ReadonlySet<T> {
  if (list.length === before.size && list.every((element) => before.has(element))) return before;
  return list.length === 0 ? none : new Set(list);
}

function sameFacts(a: Facts, b: Facts): boolean {
  const known = a.suspects === b.suspects && a.links === b.links;
  return known && a.gone === b.gone && a.ready === b.ready && a.report === b.report;
}
