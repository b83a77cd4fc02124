/**
 * Bounded load: places addresses so that no node holds more than ceil(n/m) + 1 of them, n addresses on m nodes,
 * and moves as few as possible. A pure function of what every speaker sees: candidates and present holders.
 */

export interface Placeable {
  /** Key of the election. */
  readonly key: string;
  /** Nodes that may hold it, best first. */
  readonly order: readonly string[];
  /** Nodes that say they hold it; several for the moment in which views differ. */
  readonly holders: readonly string[];
}

/** Most addresses that one node holds, unless only some nodes may hold many of them. */
export function loadLimit(addresses: number, nodes: number): number {
  return Math.ceil(addresses / Math.max(1, nodes)) + 1;
}

/**
 * The place of each key. Holders keep what they have while they have room; the rest goes to the first node of its
 * order that has room; when none has, to the one that holds least.
 */
export function planSpread(items: Iterable<Placeable>): Map<string, string> {
  const sorted = unique(items);
  const nodes = new Set(sorted.flatMap(({ order }) => order));
  const loads = new Loads(loadLimit(sorted.length, nodes.size));
  const homeless: Placeable[] = [];
  for (const item of sorted) {
    const holder = item.order.find((node) => item.holders.includes(node) && loads.hasRoom(node));
    if (holder === undefined) homeless.push(item);
    else loads.place(item.key, holder);
  }
  for (const { key, order } of homeless) {
    const node = order.find((name) => loads.hasRoom(name)) ?? loads.least(order);
    if (node !== undefined) loads.place(key, node);
  }
  return loads.places;
}

function unique(items: Iterable<Placeable>): Placeable[] {
  const byKey = new Map<string, Placeable>();
  for (const item of items) if (!byKey.has(item.key)) byKey.set(item.key, item);
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

class Loads {
  readonly places = new Map<string, string>();
  readonly #limit: number;
  readonly #loads = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  #of(node: string): number {
    return this.#loads.get(node) ?? 0;
  }

  hasRoom(node: string): boolean {
    return this.#of(node) < this.#limit;
  }

  place(key: string, node: string): void {
    this.places.set(key, node);
    this.#loads.set(node, this.#of(node) + 1);
  }

  /** The first of those that hold least. */
  least(order: readonly string[]): string | undefined {
    let best = order[0];
    for (const node of order) if (this.#of(node) < this.#of(best ?? node)) best = node;
    return best;
  }
}
