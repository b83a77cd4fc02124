/**
 * Controllers that take over from each other in the middle of their work: stores lag behind, writes fail, arrive late
 * or without an answer, and each rests on the version that it replaces.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { service, type ServiceOptions } from '#tests/support/ipam.ts';
import {
  Configuration,
  conflicts,
  expectNoConflict,
  holders,
  KEYS,
  NAMESPACES,
  POOLS,
  serviceOptions,
  TEAMS,
} from '#tests/support/ipam-histories.ts';
import { Leader, StoredCluster, type Fate } from '#tests/support/ipam-leaders.ts';
import { servable } from '#tests/support/ipam-servable.ts';

type Step =
  | { readonly do: 'put'; readonly key: string; readonly options: ServiceOptions }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'pools'; readonly set: number }
  | { readonly do: 'namespace'; readonly name: string; readonly team: string }
  | { readonly do: 'observe'; readonly old: boolean }
  | { readonly do: 'newLeader'; readonly flush: boolean }
  | { readonly do: 'finish' }
  | { readonly do: 'decide'; readonly old: boolean; readonly choice: number }
  | { readonly do: 'settle'; readonly old: boolean; readonly choice: number; readonly fate: Fate };

const key = fc.constantFrom(...KEYS);
const choice = fc.nat({ max: 6 });
const fate = fc.constantFrom<Fate>('done', 'done', 'done', 'failed', 'done without an answer');
const set = POOLS;
const name = fc.constantFrom(...NAMESPACES);
const team = fc.constantFrom(...TEAMS);
const is = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name);

/** `overlap`: the old leader goes on for a while after the new one has taken over. */
function stepsOf(options: fc.Arbitrary<ServiceOptions>, overlap: boolean): fc.Arbitrary<Step[]> {
  const old = overlap ? fc.boolean() : fc.constant(false);
  const step = fc.oneof<{ weight: number; arbitrary: fc.Arbitrary<Step> }[]>(
    { weight: 3, arbitrary: fc.record({ do: is('put'), key, options }) },
    { weight: 1, arbitrary: fc.record({ do: is('delete'), key }) },
    { weight: 1, arbitrary: fc.record({ do: is('pools'), set }) },
    { weight: 1, arbitrary: fc.record({ do: is('namespace'), name, team }) },
    { weight: 4, arbitrary: fc.record({ do: is('observe'), old }) },
    { weight: 8, arbitrary: fc.record({ do: is('decide'), old, choice }) },
    { weight: 8, arbitrary: fc.record({ do: is('settle'), old, choice, fate }) },
    { weight: 1, arbitrary: fc.record({ do: is('newLeader'), flush: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: is('finish') }) },
  );
  const all = fc.tuple(...KEYS.map((each) => fc.record({ do: is('put'), key: fc.constant(each), options })));
  const steps = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' });
  return fc.tuple(all, steps).map(([first, rest]) => [...first, { do: 'finish' }, ...rest]);
}

class Run {
  readonly cluster = new StoredCluster();
  readonly #configuration: Configuration;
  leader: Leader;
  old: Leader | undefined;
  /** Services that their users, or the pools, gave a reason to move since all was settled. */
  readonly caused = new Set<string>();
  #created = 0;

  constructor(set: number) {
    this.#configuration = new Configuration(set);
    this.cluster.pools = this.#configuration.pools;
    this.leader = new Leader(this.cluster);
  }

  do(step: Step): void {
    switch (step.do) {
      case 'put':
        return this.#put(step.key, step.options);
      case 'delete':
        this.cluster.services.delete(step.key);
        return;
      case 'pools':
        this.#configuration.choose(step.set);
        return this.#configure();
      case 'namespace':
        this.#configuration.label(step.name, step.team);
        return this.#configure();
      case 'finish':
        return this.leader.finish();
      case 'newLeader':
        // What is under way when the Lease is lost arrives in time, or never.
        if (step.flush) this.leader.flush();
        this.old = this.leader;
        this.leader = new Leader(this.cluster);
        return;
      case 'observe':
        return this.#who(step.old)?.observe();
      case 'decide':
        return this.#who(step.old)?.decide(step.choice);
      case 'settle':
        return this.#who(step.old)?.settle(step.choice, step.fate);
    }
  }

  #configure(): void {
    this.cluster.pools = this.#configuration.pools;
    for (const each of KEYS) this.caused.add(each);
  }

  #who(old: boolean): Leader | undefined {
    return old ? this.old : this.leader;
  }

  #put(each: string, options: ServiceOptions): void {
    const before = this.cluster.services.get(each);
    this.caused.add(each);
    this.#created += 1;
    const made = service(each, {
      uid: before?.uid ?? `uid-${this.#created}`,
      creationTimestamp: before?.creationTimestamp ?? `2026-01-01T00:00:${10 + (this.#created % 50)}Z`,
      ...options,
    });
    const annotations = { ...made.annotations, ...before?.annotations };
    this.cluster.put({ ...made, ingress: before?.ingress ?? [], annotations });
  }

  records(): Record<string, string[]> {
    const views = [...this.cluster.services.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    return Object.fromEntries(views.map((view) => [view.key, view.ingress.map(({ ip }) => ip)]));
  }
}

/** Nothing that is recorded on two Services; for histories in which nobody shares. */
function expectNoneTwice(run: Run): void {
  const ips = holders(run.cluster.services.values()).flatMap(({ ingress }) => ingress.map(({ ip }) => ip));
  expect(ips.filter((ip, index) => ips.indexOf(ip) !== index)).toEqual([]);
}

function expectUnmoved(before: Record<string, string[]>, run: Run): void {
  const now = run.records();
  for (const [each, ips] of Object.entries(before)) {
    if (run.caused.has(each) || now[each] === undefined) continue;
    expect(now[each].slice(0, ips.length), each).toEqual(ips);
  }
}

/** All are served as far as they can be, and yet another leader has nothing to do. */
function expectFinal(run: Run): void {
  run.leader.finish();
  const services = [...run.cluster.services.values()];
  expectNoConflict(services);
  expect(servable({ services, pools: run.cluster.pools })).toEqual([]);
  const before = run.records();
  new Leader(run.cluster).finish();
  expect(run.records()).toEqual(before);
}

const unshared = serviceOptions.map((options) => ({ ...options, annotations: {} }));

describe('leaders', () => {
  it('one after the other: at no moment is an address on two Services, and nobody moves without cause', () => {
    fc.assert(
      fc.property(set, stepsOf(unshared, false), (first, steps) => {
        const run = new Run(first);
        for (const step of steps) {
          const before = run.records();
          run.do(step);
          expectNoneTwice(run);
          expectUnmoved(before, run);
          if (step.do === 'finish') run.caused.clear();
        }
        expectFinal(run);
      }),
      { numRuns: 2000 },
    );
  });

  it('at the same time: conflicts of versions and late writes settle into a state without conflict', () => {
    fc.assert(
      fc.property(set, stepsOf(serviceOptions, true), (first, steps) => {
        const run = new Run(first);
        for (const step of steps) run.do(step);
        run.old?.flush();
        expectFinal(run);
      }),
      { numRuns: 1000 },
    );
  });

  it('the final state does not depend on when leaders change, be it in the middle of a change that is worked off', () => {
    const user = fc.oneof<{ weight: number; arbitrary: fc.Arbitrary<Step> }[]>(
      { weight: 5, arbitrary: fc.record({ do: is('put'), key, options: serviceOptions }) },
      { weight: 2, arbitrary: fc.record({ do: is('delete'), key }) },
      { weight: 1, arbitrary: fc.record({ do: is('pools'), set }) },
      { weight: 1, arbitrary: fc.record({ do: is('namespace'), name, team }) },
    );
    const disturbance = fc.array(
      fc.oneof(is('done'), is('failed'), is('done without an answer'), is('newLeader')),
      { maxLength: 8 },
    );
    const history = fc.array(fc.tuple(user, disturbance), { minLength: 1, maxLength: 25, size: 'max' });
    fc.assert(
      fc.property(set, history, (first, steps) => {
        const calm = new Run(first);
        const disturbed = new Run(first);
        for (const [step, disturbances] of steps) {
          calm.do(step);
          calm.leader.finish();
          disturbed.do(step);
          for (const each of disturbances) disturb(disturbed, each);
          disturbed.leader.finish();
          expect(disturbed.records()).toEqual(calm.records());
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** The next Service in turn is decided on and its write meets its fate; or another leader takes over. */
function disturb(run: Run, what: Fate | 'newLeader'): void {
  if (what === 'newLeader') {
    // Two records that exclude each other since an edit do not tell a new leader whose the edit was: then age decides.
    if (conflicts(run.cluster.services.values()).length > 0) return;
    return run.do({ do: 'newLeader', flush: false });
  }
  run.leader.observe();
  run.leader.decide(0);
  run.leader.settle(0, what);
}
