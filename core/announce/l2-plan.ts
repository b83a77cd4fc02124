/** From the verdicts of all Services to what the Layer 2 responder answers for. */
import {
  answersPing,
  l2Interfaces,
  protocolsOf,
  yieldsTo,
  type ServiceVerdict,
} from '#core/announce/verdict.ts';

/** Structurally the speaker's L2Entry. */
export interface PlannedAddress {
  readonly ip: string;
  /** Undefined: every usable interface. */
  readonly interfaces: readonly string[] | undefined;
  /** Ask whether somebody uses it before it is claimed (RFC 5227, RFC 4862). */
  readonly probe: boolean;
  /** Answer ICMP echo as well. */
  readonly ping: boolean;
  /** Nodes to let it go to as soon as they hold it too; undefined: liveness is off. */
  readonly yieldTo: readonly string[] | undefined;
}

/**
 * One entry per address, sorted by text. Services that share an address are united: a request is answered on an
 * interface if any of them allows it (speaker-l2.md §2.9), and ICMP echo if any of them asks for it; it is let go only to nodes that
 * come first for all of them. `first`: addresses to probe before they are claimed.
 */
export function planL2(
  verdicts: Iterable<ServiceVerdict>,
  first: ReadonlySet<string> = new Set(),
): PlannedAddress[] {
  const plan = new Map<string, readonly string[] | undefined>();
  const pings = new Set<string>();
  const yields = new Map<string, readonly string[] | undefined>();
  for (const verdict of verdicts) {
    if (!protocolsOf(verdict).includes('layer2')) continue;
    const interfaces = l2Interfaces(verdict);
    const before = yieldsTo(verdict);
    for (const ip of verdict.addresses) {
      plan.set(ip, plan.has(ip) ? unite(plan.get(ip), interfaces) : interfaces);
      if (answersPing(verdict)) pings.add(ip);
      yields.set(ip, yields.get(ip)?.filter((node) => before?.includes(node)) ?? before);
    }
  }
  return [...plan]
    .map(([ip, interfaces]) => ({
      ip,
      interfaces,
      probe: first.has(ip),
      ping: pings.has(ip),
      yieldTo: yields.get(ip),
    }))
    .sort((a, b) => (a.ip < b.ip ? -1 : 1));
}

function unite(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): readonly string[] | undefined {
  if (a === undefined || b === undefined) return undefined;
  return [...new Set([...a, ...b])].sort();
}
