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
 * interface if any of them allows it (speaker-l2.md §2.9), and ICMP echo if any of them asks for it; it is let go
 * only to nodes that come first for all of them. `first`: addresses to probe before they are claimed.
 */
export function planL2(
  verdicts: Iterable<ServiceVerdict>,
  first: ReadonlySet<string> = new Set(),
): PlannedAddress[] {
  const plan = new Map<string, PlannedAddress>();
  for (const verdict of verdicts) {
    if (!protocolsOf(verdict).includes('layer2')) continue;
    const about = {
      interfaces: l2Interfaces(verdict),
      ping: answersPing(verdict),
      yieldTo: yieldsTo(verdict),
    };
    for (const ip of verdict.addresses) {
      const entry = { ip, probe: first.has(ip), ...about };
      const other = plan.get(ip);
      plan.set(ip, other === undefined ? entry : united(other, entry));
    }
  }
  return [...plan.values()].sort((a, b) => (a.ip < b.ip ? -1 : 1));
}

function united(a: PlannedAddress, b: PlannedAddress): PlannedAddress {
  const all = a.interfaces === undefined || b.interfaces === undefined;
  return {
    ...a,
    interfaces: all ? undefined : [...new Set([...a.interfaces, ...b.interfaces])].sort(),
    ping: a.ping || b.ping,
    yieldTo: a.yieldTo?.filter((node) => b.yieldTo?.includes(node)),
  };
}
