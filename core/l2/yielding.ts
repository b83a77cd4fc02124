/**
 * Never two owners, whatever the main thread is busy with: an address is not answered for while a node that comes
 * first says that it holds it, or while this one is cut off from the others. The main thread decides the same a moment
 * later; until then the responder follows what the mesh tells it directly.
 */

/** Milliseconds after which views that contradict each other for good are settled as before: both answer. */
export const YIELD_PATIENCE = 5_000;

/** Keys of addresses, by what happens to them. */
export interface YieldChange {
  /** Not answered for any more: held by a node that comes first (`to`), or `to` undefined: cut off. */
  readonly silenced: readonly { readonly key: string; readonly to: string | undefined }[];
  /** Answered for again; `tired`: although the other one still holds it. */
  readonly resumed: readonly { readonly key: string; readonly tired: boolean }[];
}

interface Entry {
  /** `nameId` of the address. */
  readonly id: number;
  readonly yieldTo: readonly string[];
}

export class Yielding {
  readonly #entries = new Map<string, Entry>();
  readonly #holds = new Map<string, ReadonlySet<number>>();
  readonly #cutOff = new Set<string>();
  /** Keys that are yielded, the longest first, each with the time until which. */
  readonly #yields = new Map<string, number>();
  readonly #tired = new Set<string>();
  /** Nodes whose speakers take part and that can answer on some interface; undefined: this node takes no part. */
  #able: ReadonlySet<string> | undefined;

  /** `yieldTo`: nodes that come first; undefined: liveness is off, the address is answered for in any case. */
  set(key: string, id: number, yieldTo: readonly string[] | undefined, now: number): void {
    this.#tired.delete(key);
    if (yieldTo === undefined) {
      this.drop(key);
      return;
    }
    this.#entries.set(key, { id, yieldTo });
    this.#judge(key, { id, yieldTo }, now);
  }

  drop(key: string): void {
    this.#entries.delete(key);
    for (const state of [this.#cutOff, this.#yields, this.#tired]) state.delete(key);
  }

  isSilent(key: string): boolean {
    return this.#cutOff.has(key) || this.#yields.has(key);
  }

  /** Takes in who takes part and can answer; undefined: this node does not. */
  setAble(able: ReadonlySet<string> | undefined, now: number): YieldChange {
    this.#able = able;
    return this.#judgeAll(now);
  }

  /** Takes in what a node holds (`nameId` of addresses); undefined: the node is forgotten. */
  setHolds(node: string, holds: readonly number[] | undefined, now: number): YieldChange {
    if (holds === undefined) this.#holds.delete(node);
    else this.#holds.set(node, new Set(holds));
    return this.#judgeAll(now, node);
  }

  /** When to call `expire`; undefined: nothing is yielded. */
  next(): number | undefined {
    return this.#yields.values().next().value;
  }

  expire(now: number): YieldChange {
    const due = [...this.#yields].filter(([, until]) => until <= now).map(([key]) => key);
    for (const key of due) {
      this.#yields.delete(key);
      this.#tired.add(key);
    }
    return { silenced: [], resumed: due.map((key) => ({ key, tired: true })) };
  }

  /** `about`: the node of which something is new; undefined: of all. */
  #judgeAll(now: number, about?: string): YieldChange {
    const silenced: { key: string; to: string | undefined }[] = [];
    const resumed: { key: string; tired: boolean }[] = [];
    for (const [key, entry] of this.#entries) {
      if (about !== undefined && !entry.yieldTo.includes(about)) continue;
      const was = this.isSilent(key);
      const to = this.#judge(key, entry, now);
      if (was === this.isSilent(key)) continue;
      if (was) resumed.push({ key, tired: false });
      else silenced.push({ key, to });
    }
    return { silenced, resumed };
  }

  /** Brings a key to the state that follows from all that is known; returns who answers in its place. */
  #judge(key: string, { id, yieldTo }: Entry, now: number): string | undefined {
    const able = this.#able;
    const to = yieldTo.find((node) => able?.has(node) === true && this.#holds.get(node)?.has(id) === true);
    if (able === undefined) this.#cutOff.add(key);
    else this.#cutOff.delete(key);
    if (to === undefined) {
      this.#yields.delete(key);
      this.#tired.delete(key);
    } else if (!this.#yields.has(key) && !this.#tired.has(key)) this.#yields.set(key, now + YIELD_PATIENCE);
    return to;
  }
}
