/** How a cost grows with the size of the case: the exponent between the smallest and the largest. */
import type { Figure } from '#bench/figures.ts';

export class Growth {
  readonly #costs = new Map<string, (readonly [size: number, cost: number])[]>();

  /** A cost at a size; the same words for all sizes. */
  add(what: string, size: number, cost: number): void {
    this.#costs.set(what, [...(this.#costs.get(what) ?? []), [size, cost]]);
  }

  /** 1 is linear. Nothing where there is one size only. `unit` names what the sizes count. */
  figures(unit: string, goal: string): Figure[] {
    return [...this.#costs].flatMap(([what, costs]): Figure[] => {
      const [first, last] = [costs[0], costs.at(-1)];
      if (first === undefined || last === undefined || first === last) return [];
      const exponent = Math.log(last[1] / first[1]) / Math.log(last[0] / first[0]);
      const size = `${first[0]} → ${last[0]} ${unit}`;
      const value = Math.round(exponent * 100) / 100;
      return [{ figure: `${what}, growth exponent`, unit: '', size, value, goal }];
    });
  }
}
