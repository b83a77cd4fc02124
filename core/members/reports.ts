/** What the speakers have reported: whose cards are whose, and who answers for which address. */
import { nameId, type Report } from '#core/members/heartbeat.ts';

interface Known {
  readonly cards: ReadonlySet<number>;
  readonly holds: ReadonlySet<number>;
}

export class Reports {
  readonly #known = new Map<string, Known>();

  /** Takes a node's report in; undefined: the node is forgotten. */
  set(node: string, report: Report | undefined): void {
    if (report === undefined) this.#known.delete(node);
    else this.#known.set(node, { cards: new Set(report.cards), holds: new Set(report.holds) });
  }

  /** Nodes that held the address (canonical text) when last heard of, dead ones included, sorted. */
  heldBy(ip: string): readonly string[] {
    const id = nameId(ip);
    return [...this.#known].flatMap(([node, { holds }]) => (holds.has(id) ? [node] : [])).sort();
  }

  /** MAC addresses (six octets with colons) of the cards of all nodes, sorted. */
  cards(): readonly string[] {
    const cards = new Set([...this.#known.values()].flatMap((known) => [...known.cards]));
    return [...cards].map(macText).sort();
  }
}

/** Writes a report of MAC addresses (six octets with colons) and held addresses (canonical text). */
export function reportOf(macs: readonly string[], held: readonly string[]): Report {
  const cards = [...new Set(macs.map(macNumber))].filter((card) => !Number.isNaN(card));
  return { cards, holds: held.map(nameId) };
}

function macNumber(mac: string): number {
  return Number.parseInt(mac.replaceAll(':', ''), 16);
}

function macText(card: number): string {
  return (card.toString(16).padStart(12, '0').match(/../g) ?? []).join(':');
}
