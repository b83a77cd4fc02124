/**
 * Who announces an address: a stateless election that every speaker computes alike (speaker-l2.md §3). The
 * order is byte-compatible with MetalLB, so that mixed clusters agree.
 */
import { hash } from 'node:crypto';

export interface Candidate {
  /** Kubernetes node name. */
  readonly node: string;
  /** Sum of the weights of the preferences that select the node; 0 without any. */
  readonly score: number;
}

/**
 * SHA-256 of `<node>#<key>` in lower-case hex, whose order as text is the order of its bytes.
 * `key` is the canonical text of the Service's first address (`formatAddress`).
 */
export function digest(node: string, key: string): string {
  return hash('sha256', `${node}#${key}`);
}

/** Addresses whose digests are remembered; beyond that everything is forgotten and worked out again. */
const MAX_REMEMBERED = 20_000;
/** The same for nodes, which come and go where a cluster scales itself. */
const MAX_COLUMNS = 4_096;
const UNKNOWN = Number.NaN;

/**
 * Remembers the first 52 bits of digests, 8 bytes for each pair of node and address: so a change of the members
 * costs a comparison for each pair, not a hash. A memory only: results are the same without it.
 */
export class Digests {
  readonly #columns = new Map<string, number>();
  readonly #rows = new Map<string, Float64Array>();

  /** The first 13 hex digits of the digest as a number. */
  prefix(node: string, key: string): number {
    let column = this.#columns.get(node);
    if (column === undefined) {
      if (this.#columns.size >= MAX_COLUMNS) this.#forget();
      column = this.#columns.size;
      this.#columns.set(node, column);
    }
    const row = this.#row(key, column);
    let prefix = row[column] ?? UNKNOWN;
    if (Number.isNaN(prefix)) {
      prefix = Number.parseInt(digest(node, key).slice(0, 13), 16);
      row[column] = prefix;
    }
    return prefix;
  }

  #forget(): void {
    this.#columns.clear();
    this.#rows.clear();
  }

  #row(key: string, column: number): Float64Array {
    const row = this.#rows.get(key);
    if (row !== undefined && column < row.length) return row;
    if (this.#rows.size >= MAX_REMEMBERED) this.#rows.clear();
    const wider = new Float64Array(Math.max(8, 2 ** Math.ceil(Math.log2(column + 1)))).fill(UNKNOWN);
    if (row !== undefined) wider.set(row);
    this.#rows.set(key, wider);
    return wider;
  }
}

/**
 * The candidates in the order in which they take the address: higher scores first, then smaller digests. The
 * first one leads; the order of the input does not matter.
 */
export function elect(
  candidates: readonly Candidate[],
  key: string,
  digests = new Digests(),
): readonly Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, prefix: digests.prefix(candidate.node, key) }))
    .sort((a, b) => b.candidate.score - a.candidate.score || a.prefix - b.prefix || compareFully(a, b, key))
    .map((entry) => entry.candidate);
}

interface Entry {
  readonly candidate: Candidate;
}

function compareFully(a: Entry, b: Entry, key: string): number {
  return digest(a.candidate.node, key) < digest(b.candidate.node, key) ? -1 : 1;
}
