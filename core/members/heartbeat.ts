/**
 * The one message of the mesh of speakers: values to bytes and back. Authentication is added around it by
 * whoever sends it. Big-endian throughout.
 */

export interface Heartbeat {
  /** Node name of the sender, at most 255 bytes of UTF-8. */
  readonly from: string;
  /** Identifies the sender's process: 16 hex digits, chosen at random when it starts. */
  readonly token: string;
  /** The receiver's token as the sender knows it; all zeros: not yet. Proves that the message is no old one. */
  readonly echo: string;
  /** Grows with every beat of the process (48 bits). */
  readonly sequence: number;
  /** Milliseconds between the sender's beats (16 bits). */
  readonly interval: number;
  /** The sender takes part: it is not starting, not cut off, not leaving. */
  readonly ready: boolean;
  readonly leaving: boolean;
  /** `nameId` of the peers that the sender does not hear. */
  readonly suspects: readonly number[];
  /** Interfaces on which the sender's node can answer for addresses. */
  readonly links: readonly string[];
  /** Number of the sender's present report (32 bits); grows with each change. */
  readonly reportVersion: number;
  /** Number of the receiver's report of which the sender has something; 0: none. */
  readonly reportSeen: number;
  /** How many pages of that report it has (16 bits). */
  readonly pagesSeen: number;
  /** The next page of the report, while the receiver has not said that it has them all. */
  readonly report: ReportPage | undefined;
}

/** What a speaker tells the others beside its being alive; sent only when it changed. */
export interface Report {
  /** MAC addresses of the node's cards, as numbers. */
  readonly cards: readonly number[];
  /** `nameId` of the addresses it answers for. */
  readonly holds: readonly number[];
}

/** A part of a report that fits into a datagram. */
export interface ReportPage extends Report {
  /** From 0. */
  readonly page: number;
  readonly pages: number;
}

export const emptyReport: Report = { cards: [], holds: [] };

/** The echo of one who does not know the other's token. */
export const UNKNOWN_TOKEN = '0'.repeat(16);

const MAGIC = 0x4d4c4233;
const FIXED = 4 + 1 + 2 + 8 + 8 + 6 + 4 + 4 + 2 + 1;
const READY = 1;
const LEAVING = 2;
const REPORTS = 4;
const MAX_SUSPECTS = 8_000;
const MAX_LINKS = 64;
const MAX_CARDS = 255;
/** Addresses in a page: so many fit into one datagram beside everything else. */
export const PAGE = 8_000;
/** With more suspects than this no report is sent along: the cluster has other worries, and a datagram its limit. */
const MAX_SUSPECTS_BESIDE_REPORT = 1_000;

/** 48 bits that stand for a name (two FNV-1a hashes with different starts). */
export function nameId(name: string): number {
  let low = 0x811c9dc5;
  let high = 0x2f0b4a27;
  for (let index = 0; index < name.length; index += 1) {
    const code = name.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193) >>> 0;
    high = Math.imul(high ^ code, 0x01000193) >>> 0;
  }
  return (high & 0xffff) * 2 ** 32 + low;
}

/** The pages of a report, at least one. Cards beyond 255 are left out. */
export function pagesOf({ cards, holds }: Report): readonly ReportPage[] {
  const pages = Math.max(1, Math.ceil(holds.length / PAGE));
  return Array.from({ length: pages }, (_, page) => ({
    page,
    pages,
    cards: page === 0 ? cards.slice(0, MAX_CARDS) : [],
    holds: holds.slice(page * PAGE, (page + 1) * PAGE),
  }));
}

/** Writes a heartbeat. Suspects beyond 8,000 and interfaces beyond 64 are left out. */
export function encodeHeartbeat(beat: Heartbeat): Uint8Array {
  const from = new TextEncoder().encode(beat.from).subarray(0, 255);
  const links = beat.links.slice(0, MAX_LINKS).map((name) => new TextEncoder().encode(name).subarray(0, 255));
  const suspects = beat.suspects.slice(0, MAX_SUSPECTS);
  const report = suspects.length > MAX_SUSPECTS_BESIDE_REPORT ? undefined : beat.report;
  const reported = (report?.cards.length ?? 0) + (report?.holds.length ?? 0);
  const length =
    FIXED +
    (from.length + 2 + 6 * suspects.length + 1 + links.reduce((sum, link) => sum + 1 + link.length, 0)) +
    (report === undefined ? 0 : 7 + 6 * reported);
  const writer = new Writer(length);
  writer.uint(MAGIC, 4);
  writer.uint((beat.ready ? READY : 0) | (beat.leaving ? LEAVING : 0) | (report ? REPORTS : 0), 1);
  writer.uint(beat.interval, 2);
  writer.token(beat.token);
  writer.token(beat.echo);
  writer.uint(beat.sequence, 6);
  writer.uint(beat.reportVersion, 4);
  writer.uint(beat.reportSeen, 4);
  writer.uint(beat.pagesSeen, 2);
  writer.uint(from.length, 1);
  writer.bytes(from);
  writer.list(suspects, 2);
  writer.uint(links.length, 1);
  for (const link of links) {
    writer.uint(link.length, 1);
    writer.bytes(link);
  }
  if (report !== undefined) {
    writer.uint(report.page, 2);
    writer.uint(report.pages, 2);
    writer.list(report.cards, 1);
    writer.list(report.holds, 2);
  }
  return writer.result;
}

/** Reads a heartbeat; undefined for anything that is not exactly one. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat | undefined {
  const reader = new Reader(bytes);
  if (reader.uint(4) !== MAGIC) return undefined;
  const flags = reader.uint(1);
  const interval = reader.uint(2);
  const token = reader.token();
  const echo = reader.token();
  const sequence = reader.uint(6);
  const reportVersion = reader.uint(4);
  const reportSeen = reader.uint(4);
  const pagesSeen = reader.uint(2);
  const from = reader.text(reader.uint(1));
  const suspects = reader.list(reader.uint(2), () => reader.uint(6));
  const links = reader.list(reader.uint(1), () => reader.text(reader.uint(1)));
  const report = (flags & REPORTS) === 0 ? undefined : readReport(reader);
  if (!reader.complete || from === '' || interval === 0 || flags > (READY | LEAVING | REPORTS))
    return undefined;
  return {
    from,
    token,
    echo,
    sequence,
    interval,
    ready: (flags & READY) !== 0,
    leaving: (flags & LEAVING) !== 0,
    suspects,
    links,
    reportVersion,
    reportSeen,
    pagesSeen,
    report,
  };
}

function readReport(reader: Reader): ReportPage {
  const page = reader.uint(2);
  const pages = reader.uint(2);
  const cards = reader.list(reader.uint(1), () => reader.uint(6));
  return { page, pages, cards, holds: reader.list(reader.uint(2), () => reader.uint(6)) };
}

class Writer {
  readonly result: Uint8Array;
  #offset = 0;

  constructor(length: number) {
    this.result = new Uint8Array(length);
  }

  uint(value: number, size: number): void {
    for (let index = size - 1, rest = value; index >= 0; index -= 1) {
      this.result[this.#offset + index] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.#offset += size;
  }

  /** How many, in so many bytes, and then each in six. */
  list(values: readonly number[], size: number): void {
    this.uint(values.length, size);
    for (const value of values) this.uint(value, 6);
  }

  token(hex: string): void {
    for (let index = 0; index < 16; index += 2)
      this.uint(Number.parseInt(hex.slice(index, index + 2), 16), 1);
  }

  bytes(bytes: Uint8Array): void {
    this.result.set(bytes, this.#offset);
    this.#offset += bytes.length;
  }
}

/** Reads beyond the end give zeros and make the whole incomplete. */
class Reader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get complete(): boolean {
    return this.#offset === this.#bytes.length;
  }

  uint(size: number): number {
    let value = 0;
    for (let index = 0; index < size; index += 1)
      value = value * 256 + (this.#bytes[this.#offset + index] ?? 0);
    this.#offset += size;
    return value;
  }

  token(): string {
    let token = '';
    for (let index = 0; index < 8; index += 1) token += this.uint(1).toString(16).padStart(2, '0');
    return token;
  }

  text(length: number): string {
    const bytes = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return new TextDecoder().decode(bytes);
  }

  list<T>(count: number, read: () => T): T[] {
    const list: T[] = [];
    while (list.length < count && this.#offset < this.#bytes.length) list.push(read());
    return list.length === count ? list : (this.#spoil(), list);
  }

  #spoil(): void {
    this.#offset = Number.POSITIVE_INFINITY;
  }
}
