import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elect } from '#core/election/elect.ts';
import { loadLimit, planSpread, type Placeable } from '#core/election/spread.ts';

const nodeNames = fc.uniqueArray(fc.stringMatching(/^n[0-9]{1,2}$/), { minLength: 2, maxLength: 12 });
const keys = fc.uniqueArray(fc.ipV4(), { minLength: 1, maxLength: 80 });

type Plan = ReadonlyMap<string, string>;

function items(addresses: readonly string[], nodes: readonly string[], held: Plan = new Map()): Placeable[] {
  return addresses.map((key) => {
    const holder = held.get(key);
    return {
      key,
      order: elect(
        nodes.map((node) => ({ node, score: 0 })),
        key,
      ).map(({ node }) => node),
      holders: holder === undefined ? [] : [holder],
    };
  });
}

function loads(plan: Plan): number[] {
  const counts = new Map<string, number>();
  for (const node of plan.values()) counts.set(node, (counts.get(node) ?? 0) + 1);
  return [...counts.values()];
}

function moved(before: Plan, after: Plan): string[] {
  return [...after].flatMap(([key, node]) => (before.has(key) && before.get(key) !== node ? [key] : []));
}

describe('failover Spread (issue: no node holds more than ceil(n/m) + 1)', () => {
  it('bounds the load, places every address, and does not depend on the order of the input', () => {
    fc.assert(
      fc.property(keys, nodeNames, (addresses, nodes) => {
        const plan = planSpread(items(addresses, nodes));
        expect(plan.size).toBe(addresses.length);
        expect(Math.max(...loads(plan))).toBeLessThanOrEqual(loadLimit(addresses.length, nodes.length));
        expect(planSpread(items([...addresses].reverse(), [...nodes].reverse()))).toEqual(plan);
      }),
    );
  });

  it('stays as it is when nothing changed', () => {
    fc.assert(
      fc.property(keys, nodeNames, (addresses, nodes) => {
        const plan = planSpread(items(addresses, nodes));
        expect(planSpread(items(addresses, nodes, plan))).toEqual(plan);
      }),
    );
  });

  it('moves nothing but the addresses of a node that died', () => {
    fc.assert(
      fc.property(keys, nodeNames, fc.nat(), (addresses, nodes, pick) => {
        const plan = planSpread(items(addresses, nodes));
        const dead = nodes[pick % nodes.length];
        const rest = nodes.filter((node) => node !== dead);
        const after = planSpread(items(addresses, rest, plan));
        expect(moved(plan, after)).toEqual(addresses.filter((key) => plan.get(key) === dead).sort());
        expect(Math.max(...loads(after))).toBeLessThanOrEqual(loadLimit(addresses.length, rest.length));
      }),
    );
  });

  it('moves to a node that returns only what the others hold beyond the limit', () => {
    fc.assert(
      fc.property(keys, nodeNames, (addresses, nodes) => {
        const before = planSpread(items(addresses, nodes.slice(1)));
        const limit = loadLimit(addresses.length, nodes.length);
        const surplus = loads(before).reduce((sum, load) => sum + Math.max(0, load - limit), 0);
        const after = planSpread(items(addresses, nodes, before));
        expect(moved(before, after)).toHaveLength(surplus);
        expect(Math.max(...loads(after))).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it('moves nothing when an address is added', () => {
    fc.assert(
      fc.property(keys, nodeNames, (addresses, nodes) => {
        const before = planSpread(items(addresses.slice(1), nodes));
        expect(moved(before, planSpread(items(addresses, nodes, before)))).toEqual([]);
      }),
    );
  });

  it('places also what only few nodes may hold: with the least loaded of them', () => {
    fc.assert(
      fc.property(keys, nodeNames, fc.nat({ max: 11 }), (addresses, nodes, few) => {
        const allowed = nodes.slice(0, 1 + (few % nodes.length));
        const narrow = items(addresses, allowed).map((item) => ({ ...item, order: item.order }));
        const plan = planSpread([...narrow, { key: 'wide', order: nodes, holders: [] }]);
        expect(plan.size).toBe(addresses.length + 1);
        for (const key of addresses) expect(allowed).toContain(plan.get(key));
      }),
    );
  });

  it('agrees again one exchange of reports after any disagreement: two holders become one', () => {
    fc.assert(
      fc.property(keys, nodeNames, fc.infiniteStream(fc.nat()), (addresses, nodes, random) => {
        const several = items(addresses, nodes).map((item) => ({
          ...item,
          holders: nodes.filter(() => random.next().value % 3 === 0),
        }));
        const plan = planSpread(several);
        expect(Math.max(...loads(plan))).toBeLessThanOrEqual(loadLimit(addresses.length, nodes.length));
        // Everybody follows the plan; the next one, from what they then report, is the same.
        expect(planSpread(items(addresses, nodes, plan))).toEqual(plan);
      }),
    );
  });
});
