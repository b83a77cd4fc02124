import { describe, expect, it } from 'vitest';
import { decideBgp } from '#core/bgp/advertise.ts';
import { EXCLUDE_FROM_LOAD_BALANCERS } from '#core/api/labels.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import type { Config } from '#core/model/config.ts';
import type { Endpoint, NodeView, ServiceView } from '#core/model/views.ts';
import {
  advertisement,
  config,
  endpoint,
  matchLabel,
  node,
  pool,
  service,
  slice,
} from '#tests/support/bgp-factories.ts';

interface Case {
  readonly config?: Partial<Config>;
  readonly node?: Partial<NodeView>;
  readonly ignoreExcludeLb?: boolean;
  readonly service?: Partial<ServiceView>;
  readonly ips?: readonly string[];
  readonly endpoints?: readonly Endpoint[];
  readonly gone?: readonly string[];
}

function verdict(given: Case): string {
  const context = bgpContext(
    config(given.config),
    node(given.node),
    given.ignoreExcludeLb ?? false,
    new Set(given.gone),
  );
  const result = decideBgp(
    context,
    service(given.ips ?? ['198.51.100.10'], given.service),
    slice(...(given.endpoints ?? [endpoint()])),
  );
  return result.kind === 'announce' ? 'announce' : result.reason;
}

describe('gate of every protocol (speaker-bgp.md §1.2)', () => {
  it('#3 another type with a stale status is not announced', () => {
    expect(verdict({ service: { type: 'ClusterIP' } })).toBe('notLoadBalancer');
  });
  it('no ingress', () => expect(verdict({ ips: [] })).toBe('noIPAllocated'));
  it('a host name instead of an address', () => expect(verdict({ ips: [''] })).toBe('invalidIP'));
  it('an address of no pool', () => expect(verdict({ ips: ['192.0.2.1'] })).toBe('ipNotAllowed'));
  it('addresses of two pools', () => {
    const pools = [pool('pool-a', '198.51.100.0/24'), pool('pool-b', '2001:db8:100::/112')];
    expect(verdict({ config: { pools }, ips: ['198.51.100.1', '2001:db8:100::1'] })).toBe('ipNotAllowed');
  });
});

describe('endpoints of a dead node', () => {
  const endpoints = [endpoint({ nodeName: 'other' })];
  it('do not count, with a dead node and without', () => {
    expect(verdict({ endpoints })).toBe('announce');
    expect(verdict({ endpoints, gone: ['other'] })).toBe('noEndpoints');
    expect(verdict({ endpoints: [...endpoints, endpoint()], gone: ['other'] })).toBe('announce');
  });
});

describe('gate of BGP (speaker-bgp.md §1.3)', () => {
  it('no advertisement of the pool', () => {
    expect(verdict({ config: { bgpAdvertisements: [] } })).toBe('notOwner');
  });
  it('an advertisement for other nodes', () => {
    const ads = [advertisement('x', { nodeSelectors: [matchLabel('rack', 'b')] })];
    expect(verdict({ config: { bgpAdvertisements: ads } })).toBe('notOwner');
    expect(verdict({ config: { bgpAdvertisements: ads }, node: { labels: { rack: 'b' } } })).toBe('announce');
  });
  it('#35 #36 service selectors are ORed; empty means all', () => {
    const ads = [advertisement('x', { serviceSelectors: [matchLabel('app', 'a'), matchLabel('app', 'b')] })];
    expect(verdict({ config: { bgpAdvertisements: ads } })).toBe('noMatchingAdvertisement');
    expect(verdict({ config: { bgpAdvertisements: ads }, service: { labels: { app: 'b' } } })).toBe(
      'announce',
    );
  });
  it('#18 NetworkUnavailable', () => {
    expect(verdict({ node: { networkUnavailable: true } })).toBe('nodeNetworkUnavailable');
  });
  it('#19 the exclude label, whatever its value, unless told to ignore it', () => {
    const labels = { [EXCLUDE_FROM_LOAD_BALANCERS]: 'false' };
    expect(verdict({ node: { labels } })).toBe('nodeLabeledExcludeBalancers');
    expect(verdict({ node: { labels }, ignoreExcludeLb: true })).toBe('announce');
  });
  it('#5 #7 policy Local wants a serving endpoint on this node', () => {
    const local = { externalTrafficPolicy: 'Local' } as const;
    expect(verdict({ service: local, endpoints: [endpoint({ nodeName: 'node-b' })] })).toBe(
      'noLocalEndpoints',
    );
    expect(verdict({ service: local, endpoints: [endpoint({ nodeName: '' })] })).toBe('noLocalEndpoints');
    expect(verdict({ service: local })).toBe('announce');
  });
  it('#4 policy Cluster takes an endpoint anywhere', () => {
    expect(verdict({ endpoints: [endpoint({ nodeName: 'node-b' })] })).toBe('announce');
  });
  it('#8 no endpoints', () => expect(verdict({ endpoints: [] })).toBe('noEndpoints'));
  it.each([
    ['#9 not ready', [endpoint({ ready: false, serving: undefined })], 'noEndpoints'],
    ['#9 not ready, not serving', [endpoint({ ready: false, serving: false })], 'noEndpoints'],
    ['#11 terminating but serving', [endpoint({ ready: false, serving: true })], 'announce'],
    ['#12 ready but not serving', [endpoint({ ready: true, serving: false })], 'announce'],
    ['unset counts as ready', [endpoint({ ready: undefined, serving: undefined })], 'announce'],
    ['no address', [endpoint({ addresses: [] })], 'noEndpoints'],
    ['#10 a mix', [endpoint({ ready: false, serving: false }), endpoint()], 'announce'],
    ['#13 one address twice', [endpoint(), endpoint({ ready: false, serving: false })], 'announce'],
    ['#13 the same in the other order', [endpoint({ ready: false, serving: false }), endpoint()], 'announce'],
  ])('%s', (_, endpoints, expected) => expect(verdict({ endpoints })).toBe(expected));
});

describe('local preference conflicts (speaker-bgp.md §1.7)', () => {
  const conflict = (a: object, b: object, cidrs = ['198.51.100.0/24']): string =>
    verdict({
      config: {
        pools: [pool('pool-a', ...cidrs)],
        bgpAdvertisements: [
          advertisement('a', { localPref: 100, ...a }),
          advertisement('b', { localPref: 200, ...b }),
        ],
      },
    });
  it('same everything: the Service is withheld', () => {
    expect(conflict({}, {})).toBe('conflictingAdvertisements');
  });
  it('disjoint peers or another aggregation are fine', () => {
    expect(conflict({ peers: ['tor1'] }, { peers: ['tor2'] })).toBe('announce');
    expect(conflict({}, { aggregationLength: 24 })).toBe('announce');
  });
  it('a list against all peers conflicts', () => {
    expect(conflict({ peers: ['tor1'] }, {})).toBe('conflictingAdvertisements');
  });
  it('on a dual-stack pool both lengths must differ', () => {
    const dual = ['198.51.100.0/24', '2001:db8:100::/112'];
    expect(conflict({}, { aggregationLength: 24 }, dual)).toBe('conflictingAdvertisements');
    expect(conflict({}, { aggregationLength: 24, aggregationLengthV6: 124 }, dual)).toBe('announce');
  });
  it('0 is a value like any other', () => {
    expect(conflict({ localPref: 0 }, {})).toBe('conflictingAdvertisements');
  });
  it.each(['med', 'asPathPrepend'])('%s is compared as localPref is', (field) => {
    const same = { localPref: 7 };
    expect(conflict({ ...same, [field]: 5 }, same)).toBe('conflictingAdvertisements');
    expect(conflict({ ...same, [field]: 5 }, { ...same, [field]: 5 })).toBe('announce');
  });
});
