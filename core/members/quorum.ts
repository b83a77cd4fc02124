/** Votes among the members of the mesh. */
import type { Peer } from '#core/members/peer.ts';

/** More than half of the base, or the half with its first name, or one of two. */
export function isMajority(names: readonly string[], base: ReadonlySet<string>): boolean {
  if (2 * names.length !== base.size) return 2 * names.length > base.size;
  return base.size === 2 || names.includes([...base].sort()[0] ?? '');
}

/** How many peers, whoever they are, do not hear each one: more than what counts, and known without looking at all. */
export class Suspicions {
  readonly #counts = new Map<number, number>();

  /** A peer named the first ones and now names the second. */
  replace(before: Iterable<number>, after: Iterable<number>): void {
    for (const id of before) this.#add(id, -1);
    for (const id of after) this.#add(id, 1);
  }

  of(id: number): number {
    return this.#counts.get(id) ?? 0;
  }

  #add(id: number, change: number): void {
    const count = this.of(id) + change;
    if (count === 0) this.#counts.delete(id);
    else this.#counts.set(id, count);
  }
}

/** What members that take part and are heard right now say about the others. */
export class Testimony {
  readonly #witnesses: ReadonlySet<Peer>;
  readonly #accusers = new Map<number, number>();
  readonly #competent: boolean;

  /** Only together with us (`me`) a majority of the base may condemn anybody. */
  constructor(witnesses: readonly Peer[], me: string, base: ReadonlySet<string>) {
    this.#witnesses = new Set(witnesses);
    this.#competent = isMajority([me, ...witnesses.map(({ name }) => name)], base);
    for (const { suspects } of witnesses)
      for (const id of suspects) this.#accusers.set(id, (this.#accusers.get(id) ?? 0) + 1);
  }

  /** Most of the witnesses, ourselves not counted, do not hear the one with this identifier. */
  objectsTo(id: number): boolean {
    return 2 * (this.#accusers.get(id) ?? 0) > this.#witnesses.size;
  }

  /** Most of the witnesses, ourselves counted, do not hear the peer. `silent`: we do not. */
  condemns(peer: Peer, silent: boolean): boolean {
    const against = (this.#accusers.get(peer.id) ?? 0) + (silent ? 1 : 0);
    const voters = this.#witnesses.size + (this.#witnesses.has(peer) ? 0 : 1);
    return this.#competent && 2 * against > voters;
  }
}
