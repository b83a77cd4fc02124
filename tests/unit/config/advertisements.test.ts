import { describe, expect, it } from 'vitest';
import { bfd, bgpAdv, codes, community, compiled, l2Adv, node, object, peer, pool } from '#tests/support/config-factories.ts';

const labelled = { matchLabels: { team: 'a' } };
const bad = { matchExpressions: [{ key: 'team', operator: 'Exists', values: ['x'] }] };
const v4 = pool('v4', ['10.0.0.0/24'], {}, { labels: { team: 'a' } });
const v6 = pool('v6', ['2001:db8::/120'], {}, { labels: { team: 'b' } });

describe('L2 advertisement rules: what fails', () => {
  it.each([
    ['ADL-1', { ipAddressPools: ['v4', 'v4'] }],
    ['ADL-2', { ipAddressPoolSelectors: [labelled, labelled] }],
    ['ADL-3', { nodeSelectors: [labelled, labelled] }],
    ['ADL-4', { serviceSelectors: [labelled, labelled] }],
    ['ADL-5', { nodeSelectors: [bad] }],
    ['ADL-6', { serviceSelectors: [bad] }],
    ['ADL-7', { preferredNodeSelectors: [{ weight: 5, preference: bad }] }],
    ['ADL-8', { ipAddressPoolSelectors: [bad] }],
    ['SCHEMA', { preferredNodeSelectors: [{ weight: 101, preference: {} }] }],
  ])('%s', (code, spec) => {
    const { config, problems } = compiled([v4, l2Adv('a', spec), l2Adv('b')]);
    expect(problems.map((problem) => [problem.code, problem.object.name])).toEqual([[code, 'a']]);
    expect(config.l2Advertisements.map(({ name }) => name)).toEqual(['b']);
  });
});

describe('BGP advertisement rules: what fails', () => {
  it.each([
    ['ADB-1', { ipAddressPools: ['v4', 'v4'] }],
    ['ADB-2', { communities: ['1:1', '1:1'] }],
    ['ADB-3', { peers: ['p', 'p'] }],
    ['ADB-4', { ipAddressPoolSelectors: [labelled, labelled] }],
    ['ADB-5', { nodeSelectors: [labelled, labelled] }],
    ['ADB-6', { serviceSelectors: [labelled, labelled] }],
    ['ADB-7', { serviceSelectors: [labelled], aggregationLength: 24 }],
    ['ADB-8', { serviceSelectors: [labelled], aggregationLengthV6: 64 }],
    ['ADB-9', { aggregationLength: 33 }],
    ['ADB-10', { aggregationLengthV6: 129 }],
    ['ADB-11', { communities: ['1:70000'] }],
    ['ADB-12', { communities: ['unknown'] }],
    ['ADB-13', { nodeSelectors: [bad] }],
    ['ADB-14', { serviceSelectors: [bad] }],
    ['ADB-15', { ipAddressPoolSelectors: [bad] }],
    ['SCHEMA', { localPref: -1 }],
    ['SCHEMA', { localPref: 4294967296 }],
    ['SCHEMA', { aggregationLength: 0 }],
  ])('%s', (code, spec) => {
    const { config, problems } = compiled([v4, bgpAdv('a', spec), bgpAdv('b')]);
    expect(problems.map((problem) => [problem.code, problem.object.name])).toEqual([[code, 'a']]);
    expect(config.bgpAdvertisements.map(({ name }) => name)).toEqual(['b']);
  });

  it('ADB-12: an alias that is itself invalid takes out who uses it, and nobody else', () => {
    const { config, problems } = compiled([
      v4,
      community('c', [
        { name: 'good', value: '1:2' },
        { name: 'bad', value: '1:70000' },
      ]),
      bgpAdv('a', { communities: ['good'] }),
      bgpAdv('b', { communities: ['bad'] }),
    ]);
    expect(problems.map(({ code, object }) => [code, object.name])).toEqual([
      ['COM-1', 'c'],
      ['ADB-12', 'b'],
    ]);
    expect(config.bgpAdvertisements.map(({ name }) => name)).toEqual(['a']);
  });
});

describe('what advertisements reach', () => {
  const reached = (spec: object) =>
    compiled([v4, v6, bgpAdv('a', spec), l2Adv('a', spec)]).config.bgpAdvertisements[0]?.pools;

  it('all pools when nothing is named, also without spec', () => {
    expect(reached({})).toEqual(['v4', 'v6']);
    const { config } = compiled([v4, object('BGPAdvertisement', 'a'), object('L2Advertisement', 'a')]);
    expect(config.bgpAdvertisements[0]).toMatchObject({
      pools: ['v4'],
 aggregationLength: 32,
 aggregationLengthV6: 128,
 localPref: 0,
 communities: [],
    });
    expect(config.l2Advertisements[0]?.pools).toEqual(['v4']);
  });

  it('pools by name and by label, each once', () => {
    expect(reached({ ipAddressPools: ['v4'], ipAddressPoolSelectors: [labelled] })).toEqual(['v4']);
    expect(reached({ ipAddressPools: ['v6'], ipAddressPoolSelectors: [labelled] })).toEqual(['v4', 'v6']);
    expect(reached({ ipAddressPoolSelectors: [{ matchLabels: { team: 'none' } }] })).toEqual([]);
  });

  it('REF-1, REF-2: unknown names are warnings and never fall back to everything', () => {
    const { config, problems, warnings } = compiled([
      v4,
      pool('broken', ['x']),
      bgpAdv('a', { ipAddressPools: ['gone'], peers: ['nobody'] }),
      l2Adv('b', { ipAddressPools: ['broken'] }),
    ]);
    expect(problems.map(({ code }) => code)).toEqual(['POOL-3']);
    expect(warnings.map(({ code, object }) => `${code} ${object.kind}`)).toEqual([
      'REF-1 L2Advertisement',
      'REF-1 BGPAdvertisement',
      'REF-2 BGPAdvertisement',
    ]);
    expect(warnings[0]?.message).toContain('invalid');
    expect(warnings[1]?.message).toContain('does not exist');
    expect(config.bgpAdvertisements[0]?.pools).toEqual([]);
    expect(config.bgpAdvertisements[0]?.peers).toEqual(['nobody']);
  });

  it('communities are resolved, sorted, and kept once', () => {
    const { config } = compiled([
      v4,
      community('c', [{ name: 'no-advertise', value: '65535:65282' }]),
      bgpAdv('a', { communities: ['large:3:2:1', 'no-advertise', '65535:65282', '007:1'] }),
    ]);
    expect(config.bgpAdvertisements[0]?.communities).toEqual([
      { kind: 'standard', value: '65535:65282' },
      { kind: 'standard', value: '7:1' },
      { kind: 'large', value: '3:2:1' },
    ]);
  });
});

describe('ADB-16: aggregation against pools (api.md 6.7.1)', () => {
  it.each([
    [['10.0.0.0/24'], 32, true],
    [['10.0.0.0/24'], 26, true],
    [['10.0.0.0/24'], 24, true],
    [['10.0.0.0/24'], 23, false],
    [['10.20.30.40/24', '1.2.3.0/28'], 26, false],
    [['3.3.3.2-3.3.3.254'], 26, true],
    [['3.3.3.2-3.3.3.254'], 24, false],
  ])('%j with %i', (addresses, aggregationLength, passes) => {
    const { config, problems } = compiled([pool('p', addresses), v6, bgpAdv('a', { aggregationLength })]);
    expect(problems.map(({ code }) => code)).toEqual(passes ? [] : ['ADB-16']);
    expect(config.bgpAdvertisements[0]?.pools).toEqual(passes ? ['p', 'v6'] : ['v6']);
  });

  it('says the length, the prefix and the entry as tools compare them', () => {
    const { problems } = compiled([pool('p', ['1.1.1.0/28']), bgpAdv('a', { aggregationLength: 26 })]);
    expect(problems[0]?.message).toContain(
      'invalid aggregation length 26: prefix 28 in this pool is more specific than the aggregation length for addresses 1.1.1.0/28',
    );
  });

  it('prints the IPv6 length when that is at fault', () => {
    const { problems } = compiled([v6, bgpAdv('a', { aggregationLengthV6: 64 })]);
    expect(problems[0]).toMatchObject({ code: 'ADB-16', field: 'spec.aggregationLengthV6' });
    expect(problems[0]?.message).toContain('invalid aggregation length 64: prefix 120');
  });
});

describe('ADB-17: local preferences on one pool (api.md 6.7.2)', () => {
  const clash = (a: object, b: object, nodes = [node('node1'), node('node2')]) =>
    compiled([v4, bgpAdv('a', { localPref: 100, ...a }, { age: 1 }), bgpAdv('b', b, { age: 0 })], { nodes });
  const onNode = (name: string) => ({ nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': name } }] });

  it('the junior advertisement loses the pool', () => {
    const { config, problems } = clash({}, {});
    expect(problems.map(({ code, object }) => [code, object.name])).toEqual([['ADB-17', 'a']]);
    expect(config.bgpAdvertisements.map(({ pools }) => pools)).toEqual([[], ['v4']]);
  });

  it('only where they meet: its other pools stay', () => {
    const { config } = compiled([
      v4,
      v6,
      bgpAdv('a', { localPref: 100 }, { age: 1 }),
      bgpAdv('b', { ipAddressPools: ['v4'] }, { age: 0 }),
    ]);
    expect(config.bgpAdvertisements.map(({ pools }) => pools)).toEqual([['v6'], ['v4']]);
  });

  it.each<[string, object, object]>([
    ['one has service selectors', { serviceSelectors: [labelled] }, {}],
    ['the same preference', { localPref: 0 }, {}],
    ['another aggregation', { aggregationLength: 28 }, {}],
    ['disjoint peers', { peers: ['p'] }, { peers: ['q'] }],
    ['disjoint nodes', onNode('node1'), onNode('node2')],
  ])('no conflict: %s', (_why, a, b) => {
    expect(clash(a, b).problems).toEqual([]);
  });

  it.each([
    ['med', { localPref: 0, med: 50 }],
    ['asPathPrepend', { localPref: 0, asPathPrepend: 2 }],
  ])('%s is compared alike, and named', (field, a) => {
    const { problems } = clash(a, {});
    expect(problems.map(({ code, field: at }) => [code, at])).toEqual([['ADB-17', `spec.${field}`]]);
    expect(clash(a, a).problems).toEqual([]);
    expect(problems[0]?.message).toContain(`sets ${field} 0`);
  });

  it('no conflict with no node known', () => {
    expect(clash({}, {}, []).problems).toEqual([]);
  });

  it('a dual pool needs both lengths to differ', () => {
    const dual = pool('dual', ['10.1.0.0/24', '2001:db8:1::/64']);
    const pair = (lengths: object) =>
      codes([dual, bgpAdv('a', { localPref: 5, ...lengths }), bgpAdv('b')]);
    expect(pair({ aggregationLength: 28 })).toEqual(['ADB-17']);
    expect(pair({ aggregationLength: 28, aggregationLengthV6: 64 })).toEqual([]);
  });
});

describe('X-1: BFD echo and IPv6', () => {
  const echo = bfd('echo', { echoMode: true });
  const peers = [peer('p', { bfdProfile: 'echo' }), peer('q', { peerAddress: '192.0.2.2' })];

  it('keeps the IPv6 pool from that peer, and nothing else from anyone', () => {
    const { config, problems } = compiled([v4, v6, echo, ...peers, bgpAdv('a')]);
    expect(problems.map(({ code, object }) => [code, object.name])).toEqual([['X-1', 'a']]);
    expect(config.bgpAdvertisements.map(({ pools, peers }) => ({ pools, peers }))).toEqual([
      { pools: ['v4'], peers: [] },
      { pools: ['v6'], peers: ['q'] },
    ]);
  });

  it('with no peer left the IPv6 pool is not announced', () => {
    const { config } = compiled([v4, v6, echo, ...peers, bgpAdv('a', { peers: ['p'] })]);
    expect(config.bgpAdvertisements.map(({ pools, peers }) => ({ pools, peers }))).toEqual([
      { pools: ['v4'], peers: ['p'] },
    ]);
  });

  it('does not concern other peers, other pools, or profiles without echo', () => {
    expect(codes([v4, v6, echo, ...peers, bgpAdv('a', { peers: ['q'] })])).toEqual([]);
    expect(codes([v4, echo, ...peers, bgpAdv('a')])).toEqual([]);
    expect(codes([v6, bfd('echo'), ...peers, bgpAdv('a')])).toEqual([]);
  });
});
