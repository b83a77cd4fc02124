/**
 * Which addresses this node claims for the first time, as far as anybody in the cluster knows. Only those are probed
 * before they are claimed; what was ours a moment ago is taken over at once.
 */
import type { ServiceVerdict } from '#core/announce/verdict.ts';

/**
 * The addresses of a verdict that no node of the cluster is known to have announced: neither did a speaker report
 * them as held just now, nor did the verdict before name a node for them.
 */
export function firstClaims(
  before: ServiceVerdict | undefined,
  now: ServiceVerdict,
  wasOurs: (ip: string) => boolean,
): readonly string[] {
  const had = before?.l2.kind === 'decided' && before.l2.decision.node !== undefined ? before.addresses : [];
  return now.addresses.filter((ip) => !had.includes(ip) && !wasOurs(ip));
}
