/** Which pools an advertisement reaches: by name, by label, or all of them (api.md §4.2, §4.3). */
import { compareText } from '#core/config/order.ts';
import { problemsOf, type Finding, type ObjectRef } from '#core/config/problems.ts';
import type { Pool, Problem } from '#core/model/config.ts';
import { selects, type Selector } from '#core/model/selector.ts';

/** The pools in force, by name, and the names of all IPAddressPool objects, the invalid ones among them. */
export interface PoolIndex {
  readonly byName: ReadonlyMap<string, Pool>;
  readonly names: ReadonlySet<string>;
  /** Names of the pools in force, sorted. */
  readonly all: readonly string[];
  /** Pools by `key=value` of their labels, so that a selector need not look at all of them. */
  readonly byLabel: ReadonlyMap<string, readonly Pool[]>;
}

export function indexPools(pools: readonly Pool[], names: readonly string[]): PoolIndex {
  const byLabel = new Map<string, Pool[]>();
  for (const pool of pools)
    for (const [key, value] of Object.entries(pool.labels)) {
      const list = byLabel.get(`${key}=${value}`);
      if (list === undefined) byLabel.set(`${key}=${value}`, [pool]);
      else list.push(pool);
    }
  return {
    byName: new Map(pools.map((pool) => [pool.name, pool])),
    names: new Set(names),
    all: pools.map(({ name }) => name).sort(compareText),
    byLabel,
  };
}

/** Pools that the selector may match: those with one of the labels it asks for, else all. */
function candidates({ requirements }: Selector, pools: PoolIndex): Iterable<Pool> {
  const asked = requirements.find(({ operator }) => operator === 'In');
  if (asked === undefined) return pools.byName.values();
  return asked.values.flatMap((value) => pools.byLabel.get(`${asked.key}=${value}`) ?? []);
}

/** Names of the pools reached, sorted, each once. */
export function reachedPools(
  named: readonly string[],
  selectors: readonly Selector[],
  pools: PoolIndex,
): readonly string[] {
  if (named.length === 0 && selectors.length === 0) return pools.all;
  const reached = new Set(named.filter((name) => pools.byName.has(name)));
  for (const selector of selectors)
    for (const pool of candidates(selector, pools))
      if (selects(selector, pool.labels)) reached.add(pool.name);
  return [...reached].sort(compareText);
}

/** REF-1 (ours, a warning): the advertisement names a pool that is not there. It is no error: the pool may come later. */
export function unknownPools(ref: ObjectRef, named: readonly string[], pools: PoolIndex): Problem[] {
  const findings = named.flatMap((name, index): Finding[] => {
    if (pools.byName.has(name)) return [];
    const field = `spec.ipAddressPools[${index}]`;
    return pools.names.has(name)
      ? [
          {
            code: 'REF-1',
            field,
            message: `${ref.kind} ${ref.name} names IPAddressPool ${name}, which is invalid: nothing of it is announced`,
            remedy: `Correct IPAddressPool ${name}.`,
          },
        ]
      : [
          {
            code: 'REF-1',
            field,
            message: `${ref.kind} ${ref.name} names IPAddressPool ${name}, which does not exist`,
            remedy: `Create IPAddressPool ${name}, or correct the name.`,
          },
        ];
  });
  return problemsOf(ref, findings);
}
