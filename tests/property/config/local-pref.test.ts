/**
 * ADB-17 (api.md §6.7.2), pair by pair: whether two advertisements on one pool contradict each other is worked out here
 * anew from the words of the reference, and of several each stays that contradicts none of its seniors that stay.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bgpAdv, compiled, node, pool, type TestObject } from '#tests/support/config-factories.ts';

const NODES = [node('n1', { team: 'a' }), node('n2', { team: 'b' })];
const POOLS = { ipv4: ['10.0.0.0/16'], ipv6: ['2001:db8::/48'], dual: ['10.0.0.0/16', '2001:db8::/48'] };
type Families = keyof typeof POOLS;

interface Advertised {
  readonly v4: number;
  readonly v6: number;
  readonly localPref: number;
  readonly med: number;
  readonly asPathPrepend: number;
  readonly peers: readonly string[];
  /** Names of teams; none: all nodes. */
  readonly teams: readonly string[];
  readonly selectsServices: boolean;
}

const advertised: fc.Arbitrary<Advertised> = fc.record({
  v4: fc.constantFrom(32, 24, 16),
  v6: fc.constantFrom(128, 64, 48),
  localPref: fc.constantFrom(0, 100, 200),
  med: fc.constantFrom(0, 0, 0, 5),
  asPathPrepend: fc.constantFrom(0, 0, 0, 2),
  peers: fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 2 }),
  teams: fc.uniqueArray(fc.constantFrom('a', 'b', 'nobody'), { maxLength: 2 }),
  selectsServices: fc.nat(4).map((roll) => roll === 0),
});

function objectOf(one: Advertised, index: number): TestObject {
  const lengths = one.selectsServices
    ? { aggregationLength: 32, aggregationLengthV6: 128 }
    : { aggregationLength: one.v4, aggregationLengthV6: one.v6 };
  const spec = {
    ...lengths,
    localPref: one.localPref,
    med: one.med,
    asPathPrepend: one.asPathPrepend,
    peers: one.peers,
    nodeSelectors: one.teams.map((team) => ({ matchLabels: { team } })),
    serviceSelectors: one.selectsServices ? [{ matchLabels: { app: 'x' } }] : [],
  };
  return bgpAdv(`ad-${index}`, spec, { age: index });
}

const meet = (a: readonly string[], b: readonly string[]): boolean => a.some((each) => b.includes(each));

/** The five conditions of §6.7.2; `med` and `asPathPrepend` count as `localPref` does (docs/compatibility.md). */
function contradict(a: Advertised, b: Advertised, families: Families, teams: readonly string[]): boolean {
  if (a.selectsServices || b.selectsServices) return false;
  if (a.localPref === b.localPref && a.med === b.med && a.asPathPrepend === b.asPathPrepend) return false;
  const same = { ipv4: a.v4 === b.v4, ipv6: a.v6 === b.v6, dual: a.v4 === b.v4 || a.v6 === b.v6 };
  if (!same[families]) return false;
  if (a.peers.length > 0 && b.peers.length > 0 && !meet(a.peers, b.peers)) return false;
  const nodesOf = ({ teams: own }: Advertised) => (own.length === 0 ? teams : teams.filter((team) => own.includes(team)));
  return meet(nodesOf(a), nodesOf(b));
}

/** Positions of the advertisements that keep the pool, the seniors first. */
function staying(list: readonly Advertised[], families: Families, teams: readonly string[]): number[] {
  const stay: Advertised[] = [];
  return list.flatMap((one, index) => {
    if (stay.some((senior) => contradict(senior, one, families, teams))) return [];
    stay.push(one);
    return [index];
  });
}

const situation = fc.record({
  list: fc.array(advertised, { minLength: 2, maxLength: 6 }),
  families: fc.constantFrom<Families>('ipv4', 'ipv6', 'dual'),
  nodes: fc.subarray(NODES),
});

describe('ADB-17', () => {
  it('an advertisement stays on the pool when it contradicts no senior that stays, and only then', () => {
    let conflicts = 0;
    fc.assert(
      fc.property(situation, ({ list, families, nodes }) => {
        const objects = [pool('p', POOLS[families]), ...list.map(objectOf)];
        const { config, problems } = compiled(objects, { nodes });
        const teams = nodes.map(({ labels }) => labels['team'] ?? '');
        const expected = staying(list, families, teams);
        const stays = config.bgpAdvertisements.filter(({ pools }) => pools.includes('p')).map(({ name }) => name);
        expect(stays).toEqual(expected.map((index) => `ad-${index}`));
        const told = problems.map(({ code, object }) => `${code} ${object.name}`);
        const out = list.map((_, index) => index).filter((index) => !expected.includes(index));
        expect(told).toEqual(out.map((index) => `ADB-17 ad-${index}`));
        conflicts += out.length;
      }),
      { numRuns: 1500 },
    );
    // Both verdicts must have been asked for.
    expect(conflicts).toBeGreaterThan(100);
  });
});
