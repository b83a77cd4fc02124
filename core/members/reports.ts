/** What the speakers have reported: whose cards are whose, and who answers for which address. */
import { nameId, type Report } from '#core/members/heartbeat.ts';

interface Known {
  readonly cards: ReadonlySet<number>;
  readonly holds: ReadonlySet<number>;
}

/** Milliseconds for which an address counts as the cluster's own after the last node let it go. */
export const LATELY_MS = 10_000;

export class Reports {
  readonly #known = new Map<string, Known>();
  /** When a node let an address go, the longest ago first. */
  readonly #letGo = new Map<number, number>();

  /** Takes a node's report in; undefined: the node is forgotten. `now`: milliseconds of any steady clock. */
  set(node: string, report: Report | undefined, now: number): void {
    const before = this.#known.get(node)?.holds ?? [];
    const holds = new Set(report?.holds);
    for (const id of before) if (!holds.has(id)) this.#noteLetGo(id, now);
    if (report === undefined) this.#known.delete(node);
    else this.#known.set(node, { cards: new Set(report.cards), holds });
  }

  #noteLetGo(id: number, now: number): void {
    this.#letGo.delete(id);
    this.#letGo.set(id, now);
    for (const [old, at] of this.#letGo) {
      if (now - at < LATELY_MS) break;
      this.#letGo.delete(old);
    }
  }

  /**
   * Some node holds the address, or did until a moment ago. While an address moves it can be that nobody says he
   * holds it: the one does not any more, the other not yet.
   */
  wasHeld(ip: string, now: number): boolean {
    const at = this.#letGo.get(nameId(ip)) ?? Number.NEGATIVE_INFINITY;
    return now - at < LATELY_MS || this.heldBy(ip).length > 0;
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
