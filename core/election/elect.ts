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

/**
 * The candidates in the order in which they take the address: higher scores first, then smaller digests. The
 * first one leads; the order of the input does not matter.
 */
export function elect(candidates: readonly Candidate[], key: string): readonly Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, digest: digest(candidate.node, key) }))
    .sort((a, b) => b.candidate.score - a.candidate.score || (a.digest < b.digest ? -1 : 1))
    .map((entry) => entry.candidate);
}
