/** Behaviours of speaker-l2.md §9 that decisions alone show, beside those of decide-l2.test.ts. */
import { describe, expect, it } from 'vitest';
import { EXCLUDE_FROM_LOAD_BALANCERS } from '#core/api/labels.ts';
import { decideL2, type L2Context, type L2Request } from '#core/election/decide-l2.ts';
import { digest } from '#core/election/elect.ts';
import type { L2Advertisement } from '#core/model/config.ts';
import { formatAddress, parseAddress, type IpAddress } from '#core/model/ip.ts';
import { compiled, l2Adv, pool } from '#tests/support/config-factories.ts';
import {
  advertisement,
  context,
  endpoint,
  label,
  node,
  request,
  service,
  slice,
} from '#tests/support/l2-objects.ts';

const two = [node('iris1'), node('iris2')];
const local = service({ externalTrafficPolicy: 'Local' });

/** The node that announces, decided by each node for itself; fails when two nodes disagree. */
function leader(base: L2Context, asked: L2Request = request()): string | undefined {
  const announcing = [...base.nodes.keys()].filter((me) => decideL2({ ...base, me }, asked).announce);
  expect(announcing.length).toBeLessThan(2);
  return announcing[0];
}

function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
}

/** The first name by hash alone, worked out beside the product's own order. */
function first(names: readonly string[], ip: string): string {
  return [...names].sort((a, b) => (digest(a, ip) < digest(b, ip) ? -1 : 1))[0] ?? '';
}

const localOn = (...endpoints: Parameters<typeof slice>) =>
  request({ service: local, slices: [slice(...endpoints)] });

describe('endpoints', () => {
  it.each([true, false, undefined])('6: ready unset counts, whatever serving says (%s)', (serving) => {
    expect(leader(context(two), localOn(endpoint('iris1', undefined, serving)))).toBe('iris1');
  });

  it('9: how many endpoints a node has does not matter', () => {
    const [one, other] = [endpoint('iris1'), endpoint('iris2')];
    expect(leader(context(two), localOn(one, one, other))).toBe('iris2');
    expect(leader(context(two), localOn(one, other, other))).toBe('iris2');
  });

  it('10: when the endpoints of one node are no longer ready, the other announces', () => {
    const both = localOn(endpoint('iris1'), endpoint('iris2'));
    expect(leader(context(two), both)).toBe('iris2');
    expect(leader(context(two), localOn(endpoint('iris1'), endpoint('iris2', false, false)))).toBe('iris1');
  });

  it('15: a terminating pod keeps its node until it stops serving', () => {
    expect(leader(context(two), localOn(endpoint('iris1', false, true)))).toBe('iris1');
    expect(leader(context(two), localOn(endpoint('iris1', false, false)))).toBeUndefined();
  });
});

describe('nodes', () => {
  it('21: an excluded node is passed over although the hash prefers it', () => {
    const nodes = [node('iris1'), node('iris2', { [EXCLUDE_FROM_LOAD_BALANCERS]: 'true' })];
    const advertisements = ['iris1', 'iris2'].map((host) =>
      advertisement({ name: host, nodeSelectors: [label('host', host)] }),
    );
    expect(leader(context(two, { advertisements }))).toBe('iris2');
    expect(leader(context(nodes, { advertisements }))).toBe('iris1');
  });

  it('26: without liveness policy Local still goes by the endpoints', () => {
    expect(leader(context(two, { alive: undefined }), localOn(endpoint('iris1')))).toBe('iris1');
  });
});

describe('advertisements as users write them', () => {
  const ads = (...objects: Parameters<typeof compiled>[0]): readonly L2Advertisement[] => {
    const { config, problems } = compiled(objects);
    expect(problems).toEqual([]);
    return config.l2Advertisements;
  };
  const pools = [pool('pool', ['10.20.30.0/24']), pool('later', ['10.20.31.0/24'])];

  it('30: one without pool selectors reaches all pools, later ones too', () => {
    const before = ads(pools[0]!, l2Adv('all'));
    expect(leader(context(two, { advertisements: before }), request({ pool: 'later' }))).toBeUndefined();
    const after = ads(...pools, l2Adv('all'));
    expect(leader(context(two, { advertisements: after }), request({ pool: 'later' }))).toBe('iris2');
  });

  it('31: one that selects a single node makes that node announce, each in turn', () => {
    for (const host of ['iris1', 'iris2']) {
      const advertisements = ads(...pools, l2Adv('one', { nodeSelectors: [{ matchLabels: { host } }] }));
      expect(leader(context(two, { advertisements }))).toBe(host);
    }
  });

  it('36: a selector that matches nobody: nobody announces, until a node gets the label', () => {
    const advertisements = ads(
      ...pools,
      l2Adv('edge', { nodeSelectors: [{ matchLabels: { edge: 'yes' } }] }),
    );
    expect(leader(context(two, { advertisements }))).toBeUndefined();
    const labelled = [node('iris1', { edge: 'yes' }), node('iris2')];
    expect(leader(context(labelled, { advertisements }))).toBe('iris1');
  });

  it('37: with the same interface for both, the selector decides who announces', () => {
    const on = (host: string) =>
      ads(...pools, l2Adv('one', { interfaces: ['eth0'], nodeSelectors: [{ matchLabels: { host } }] }));
    expect(leader(context(two, { advertisements: on('iris1') }))).toBe('iris1');
    expect(leader(context(two, { advertisements: on('iris2') }))).toBe('iris2');
  });

  const preferring = (name: string, spec: object) =>
    l2Adv(name, {
      preferredNodeSelectors: [{ weight: 50, preference: { matchLabels: { host: 'iris1' } } }],
      ...spec,
    });
  const scoreOf = (advertisements: readonly L2Advertisement[]) =>
    decideL2(context(two, { advertisements }), request()).candidates.find(
      ({ node: name }) => name === 'iris1',
    )?.score;

  it('38: one that reaches a pool by name and by label counts once', () => {
    const labelled = pool('pool', ['10.20.30.0/24'], {}, { labels: { zone: 'a' } });
    const both = { ipAddressPools: ['pool'], ipAddressPoolSelectors: [{ matchLabels: { zone: 'a' } }] };
    expect(scoreOf(ads(labelled, preferring('both', both)))).toBe(50);
  });

  it('39: two equal ones act as one, but their preferences add up', () => {
    const plain = ads(...pools, l2Adv('a', { interfaces: ['eth0'] }), l2Adv('b', { interfaces: ['eth0'] }));
    const decided = decideL2(context(two, { me: 'iris2', advertisements: plain }), request());
    expect(decided).toMatchObject({ announce: true, interfaces: ['eth0'] });
    expect(scoreOf(ads(...pools, preferring('a', {}), preferring('b', {})))).toBe(100);
  });
});

describe('preferred nodes', () => {
  const wanting = (host: string, weight = 100, more: Partial<L2Advertisement> = {}) =>
    advertisement({ preferredNodes: [{ weight, preference: label('host', host) }], ...more });

  it('50: the exclude label on the preferred node gives the natural winner, its removal the preferred one', () => {
    const advertisements = [wanting('iris1')];
    const excluded = [node('iris1', { [EXCLUDE_FROM_LOAD_BALANCERS]: '' }), node('iris2')];
    expect(leader(context(two, { advertisements }))).toBe('iris1');
    expect(leader(context(excluded, { advertisements }))).toBe('iris2');
  });

  it('51: the announcement follows the edits of a preference', () => {
    const leaders = [wanting('iris1'), wanting('iris2'), advertisement()].map((ad) =>
      leader(context(two, { advertisements: [ad] })),
    );
    expect(leaders).toEqual(['iris1', 'iris2', 'iris2']);
  });

  it('54: a preference of an advertisement with service selectors moves matching Services only', () => {
    const scoped = wanting('iris1', 100, { serviceSelectors: [label('app', 'foo')] });
    const base = context(two, { advertisements: [advertisement(), scoped] });
    expect(leader(base, request({ service: service({ labels: { app: 'foo' } }) }))).toBe('iris1');
    expect(leader(base, request({ service: service({ labels: { app: 'bar' } }) }))).toBe('iris2');
  });

  it('57: when all preferred nodes are gone the hash orders the rest', () => {
    const names = ['edge', 'n1', 'n2', 'n3'];
    const nodes = names.map((name) => node(name));
    const base = context(nodes, { advertisements: [wanting('edge')] });
    expect(leader(base)).toBe('edge');
    const survivors = names.slice(1);
    expect(leader({ ...base, alive: new Set(survivors) })).toBe(first(survivors, '10.20.30.1'));
  });
});

describe('election', () => {
  const ask = (ip: string) => request({ addresses: [address(ip)] });

  it('59: exactly one of any candidates announces an address', () => {
    const names = Array.from({ length: 9 }, (_, index) => `worker-${index}`);
    for (let count = 1; count <= names.length; count += 1) {
      const nodes = names.slice(0, count).map((name) => node(name));
      for (let last = 1; last <= 20; last += 1)
        expect(leader(context(nodes), ask(`10.20.30.${last}`))).toBeDefined();
    }
  });

  it('61: of 255 addresses each of two nodes announces some', () => {
    const leaders = Array.from({ length: 255 }, (_, last) =>
      leader(context(two), ask(`10.20.30.${last + 1}`)),
    );
    expect(new Set(leaders)).toEqual(new Set(['iris1', 'iris2']));
  });

  it('63: a new node that sorts after the leader moves nothing, one that sorts first takes the address', () => {
    const names = Array.from({ length: 40 }, (_, index) => `new-${index}`);
    const takes = (name: string) => first([name, 'iris1', 'iris2'], '10.20.30.1') === name;
    const [after, before] = [names.find((name) => !takes(name)), names.find(takes)];
    expect(leader(context([...two, node(after!)]))).toBe('iris2');
    expect(leader(context([...two, node(before!)]))).toBe(before);
  });

  it('65: an IPv4-mapped address is elected as the IPv4 address', () => {
    expect(formatAddress(address('::ffff:10.20.30.1'))).toBe('10.20.30.1');
    for (let last = 1; last <= 20; last += 1)
      expect(leader(context(two), ask(`::ffff:10.20.30.${last}`))).toBe(
        first(['iris1', 'iris2'], `10.20.30.${last}`),
      );
  });
});
