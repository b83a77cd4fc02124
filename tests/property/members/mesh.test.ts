import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeshSimulation } from '#tests/support/mesh-simulation.ts';

/** A cluster in which all see all. */
function running(nodes: number, seed: number, loss = 0): MeshSimulation {
  const simulation = new MeshSimulation(nodes, { seed, loss, jitter: 10 });
  simulation.startAll();
  simulation.run(2_000);
  for (const name of simulation.names) expect(simulation.mesh(name).alive().size).toBe(nodes);
  return simulation;
}

type Trouble =
  | { readonly kind: 'kill' | 'start' | 'freeze' | 'leave'; readonly node: number; readonly ms: number }
  | { readonly kind: 'split' | 'oneWay'; readonly mask: number; readonly ms: number }
  | { readonly kind: 'heal'; readonly ms: number };

const ms = fc.integer({ min: 1, max: 1_500 });
const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('kill' as const, 'start' as const, 'freeze' as const, 'leave' as const),
    node: fc.nat({ max: 6 }),
    ms,
  }),
  fc.record({ kind: fc.constantFrom('split' as const, 'oneWay' as const), mask: fc.nat({ max: 127 }), ms }),
  fc.record({ kind: fc.constant('heal' as const), ms }),
);

function groups(simulation: MeshSimulation, mask: number): [string[], string[]] {
  const inMask = (_: string, index: number): boolean => ((mask >> index) & 1) === 1;
  return [simulation.names.filter(inMask), simulation.names.filter((name, index) => !inMask(name, index))];
}

function cutOneWay(simulation: MeshSimulation, from: readonly string[], to: readonly string[]): void {
  for (const a of from) for (const b of to) simulation.cut(a, b);
}

function apply(simulation: MeshSimulation, event: Trouble): void {
  if (event.kind === 'heal') simulation.heal();
  else if (event.kind === 'split' || event.kind === 'oneWay') {
    const [group, rest] = groups(simulation, event.mask);
    if (event.kind === 'split') simulation.partition(group, rest);
    else cutOneWay(simulation, group, rest);
  } else if ('node' in event) {
    const name = simulation.names[event.node % simulation.names.length] ?? '';
    const runs = simulation.runningNames.includes(name);
    if (event.kind === 'start' && !runs) simulation.start(name);
    if (event.kind === 'kill') simulation.kill(name);
    if (event.kind === 'leave' && runs) simulation.leave(name);
    if (event.kind === 'freeze') simulation.freeze(name, event.ms);
  }
  simulation.run(event.ms);
}

describe('mesh', () => {
  it('has one owner, on the larger side, after any clean partition', () => {
    fc.assert(
      fc.property(fc.constantFrom(3, 5, 7), fc.nat(), fc.nat({ max: 127 }), (nodes, seed, mask) => {
        const simulation = running(nodes, seed);
        const [group, rest] = groups(simulation, mask);
        const larger = group.length > rest.length ? group : rest;
        simulation.partition(group, rest);
        simulation.run(1_500);
        expect(simulation.owners()).toHaveLength(1);
        expect(larger).toContain(simulation.owners()[0]);
        for (const name of larger)
          expect([...simulation.mesh(name).alive()].sort()).toEqual([...larger].sort());
        simulation.heal();
        simulation.run(1_500);
        for (const name of simulation.names) expect(simulation.mesh(name).alive().size).toBe(nodes);
      }),
      { numRuns: 60 },
    );
  });

  it('never has two owners for longer than a beat and a half while it heals', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(3, 5, 7),
        fc.nat(),
        fc.integer({ min: 1, max: 126 }),
        (nodes, seed, mask) => {
          const simulation = running(nodes, seed);
          simulation.partition(...groups(simulation, mask));
          simulation.run(1_500);
          simulation.heal();
          let since: number | undefined;
          let longest = 0;
          simulation.run(1_500, () => {
            if (simulation.owners().length > 1) since ??= simulation.now;
            else since = undefined;
            longest = Math.max(longest, since === undefined ? 0 : simulation.now - since);
            return false;
          });
          expect(longest).toBeLessThan(150);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('finds together after any trouble, once the network is whole and all speakers run', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(2, 3, 5, 7),
        fc.nat(),
        fc.array(trouble, { maxLength: 15 }),
        (nodes, seed, troubles) => {
          const simulation = running(nodes, seed);
          for (const event of troubles) apply(simulation, event);
          simulation.heal();
          for (const name of simulation.names)
            if (!simulation.runningNames.includes(name)) simulation.start(name);
          simulation.run(4_000);
          for (const name of simulation.names)
            expect([...simulation.mesh(name).alive()].sort(), name).toEqual([...simulation.names].sort());
        },
      ),
      { numRuns: 300 },
    );
  });

  it('declares nobody dead who runs, whatever is lost at random up to a tenth', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 12 }),
        fc.nat(),
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        (nodes, seed, loss) => {
          const simulation = new MeshSimulation(nodes, { seed, loss, jitter: 20 });
          simulation.startAll();
          simulation.run(3_000);
          for (let step = 0; step < 100; step += 1) {
            simulation.run(100);
            for (const name of simulation.names) expect(simulation.mesh(name).alive().size).toBe(nodes);
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});
