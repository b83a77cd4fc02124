/** Which objects have a node in common, worked out once for each distinct list of node selectors. */
import type { Selector } from '#core/model/selector.ts';
import { selectsAny } from '#core/model/selector.ts';
import type { NodeView } from '#core/model/views.ts';

type Selectors = readonly Selector[];

export class NodeSharing {
  readonly #nodes: readonly NodeView[];
  readonly #sets = new Map<string, ReadonlySet<string>>();
  readonly #pairs = new Map<string, boolean>();

  constructor(nodes: readonly NodeView[]) {
    this.#nodes = nodes;
  }

  get anyNode(): boolean {
    return this.#nodes.length > 0;
  }

  /** True when at least one known node matches both lists (an empty list matches all). */
  share(a: Selectors, b: Selectors): boolean {
    const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
    const pair = `${left}\n${right}`;
    const known = this.#pairs.get(pair);
    if (known !== undefined) return known;
    const result = !this.#namesOf(left, a).isDisjointFrom(this.#namesOf(right, b));
    this.#pairs.set(pair, result);
    return result;
  }

  #namesOf(key: string, selectors: Selectors): ReadonlySet<string> {
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    const names = new Set(
      this.#nodes.filter(({ labels }) => selectsAny(selectors, labels)).map(({ name }) => name),
    );
    this.#sets.set(key, names);
    return names;
  }
}
