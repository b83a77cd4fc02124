/** How a cost grows with the size of the case: the exponent between the smallest and the largest. */
import type { Figure } from '#bench/figures.ts';

export class Growth {
  readonly #costs = new Map<
    string,
    { readonly costs: (readonly [size: number, cost: number])[]; readonly goal: string | undefined }
  >();

  /** A cost at a size; the same words, and goal of the exponent if there is one, for all sizes. */
  add(what: string, size: number, cost: number, goal?: string): void {
    const { costs } = this.#costs.get(what) ?? { costs: [] };
    this.#costs.set(what, { costs: [...costs, [size, cost]], goal });
  }

  /** 1 is linear. Nothing where there is one size only. `unit` names what the sizes count. */
  figures(unit: string): Figure[] {
    return [...this.#costs].flatMap(([what, { costs, goal }]): Figure[] => {
      const [first, last] = [costs[0], costs.at(-1)];
      if (first === undefined || last === undefined || first === last) return [];
      const exponent = Math.log(last[1] / first[1]) / Math.log(last[0] / first[0]);
      const size = `${first[0]} → ${last[0]} ${unit}`;
      const value = Math.round(exponent * 100) / 100;
      const figure = { figure: `${what}, growth exponent`, unit: '', size, value };
      return [goal === undefined ? figure : { ...figure, goal }];
    });
  }
}
