/**
 * Pools whose object has become unusable stay in force as they last were: a slip of the pen must not take
 * addresses away (controller.md §8, 125), and a pool that never was usable freezes what is recorded from it.
 */
import type { Pool, Problem } from '#core/model/config.ts';

/** Names of the IPAddressPools that have a problem. */
export function brokenPools(problems: readonly Problem[]): ReadonlySet<string> {
  return new Set(
    problems.filter(({ object }) => object.kind === 'IPAddressPool').map(({ object }) => object.name),
  );
}

/**
 * The usable pools, and the last usable form of each broken one unless its addresses now belong to another pool;
 * sorted by name.
 */
export function retainPools(
  usable: readonly Pool[],
  previous: readonly Pool[],
  broken: ReadonlySet<string>,
): readonly Pool[] {
  const names = new Set(usable.map((pool) => pool.name));
  const kept = previous.filter(
    (pool) =>
      broken.has(pool.name) && !names.has(pool.name) && !usable.some((other) => overlaps(pool, other)),
  );
  return [...usable, ...kept].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function overlaps(a: Pool, b: Pool): boolean {
  return a.entries.some(({ range }) =>
    b.entries.some(
      ({ range: other }) =>
        range.family === other.family && range.first <= other.last && other.first <= range.last,
    ),
  );
}
