/** The text of a refusal names the rule, the pool or the other Service, and what is on both sides. */
import { describe, expect, it } from 'vitest';
import type { Pool, ServiceAllocation } from '#core/model/config.ts';
import { app, ask, pool, service, tcp, World, type ServiceOptions } from '#tests/support/ipam.ts';

const key = (value: string): ServiceOptions => ({ annotations: ask({ 'allow-shared-ip': value }) });
const local = (value: string): ServiceOptions => ({
  externalTrafficPolicy: 'Local',
  selector: { app: value },
});
const named = (name: string): ServiceOptions => ({ annotations: ask({ 'address-pool': name }) });

function refusal(pools: readonly Pool[], asked: ServiceOptions, before: ServiceOptions = {}): string {
  const world = new World(pools);
  world.apply(service('n/first', before), service('n/second', asked));
  expect(world.ips('n/second')).toEqual([]);
  return world.lastMessage('n/second').replace('Failed to allocate IP for "n/second": ', '');
}

describe('a refusal by serviceAllocation says which condition failed', () => {
  const gate = { requirements: [{ key: 'gate', operator: 'In', values: ['a', 'b'] }] } as const;
  const canary = { requirements: [{ key: 'canary', operator: 'DoesNotExist', values: [] }] } as const;
  const reserved = (allocation: Partial<ServiceAllocation>): Pool =>
    pool('r', ['192.0.2.0/30'], { serviceAllocation: allocation });

  it.each<[string, Partial<ServiceAllocation>, string]>([
    ['namespaces', { namespaces: ['gw'] }, 'namespace "n" is not listed in serviceAllocation.namespaces'],
    [
      'namespaceSelectors',
      { namespaces: ['gw'], namespaceSelectors: [gate, canary] },
      'namespace "n" is matched by none of serviceAllocation.namespaceSelectors (gate in (a,b) or !canary) and not listed in serviceAllocation.namespaces',
    ],
    [
      'serviceSelectors',
      { serviceSelectors: [app('x')] },
      `the Service's labels (tier=web) match none of serviceAllocation.serviceSelectors (app=x)`,
    ],
    [
      'both',
      { namespaces: [], serviceSelectors: [app('x')] },
      `namespace "n" is not listed in serviceAllocation.namespaces, and the Service's labels (tier=web) match none of serviceAllocation.serviceSelectors (app=x)`,
    ],
  ])('%s', (_, allocation, cause) => {
    const message = `pool "r" is reserved for other Services, not compatible with "n/second": ${cause}`;
    const labels = { tier: 'web' };
    expect(refusal([reserved(allocation)], { labels, ...named('r') })).toBe(message);
    expect(refusal([reserved(allocation)], { labels, loadBalancerIP: '192.0.2.1' })).toBe(message);
    expect(refusal([reserved(allocation)], { labels })).toBe(
      `no available IPs: no IPAddressPool with autoAssign may be used by this Service (pool "r": ${cause})`,
    );
  });

  it('every pool that stands back is named, with autoAssign too', () => {
    const pools = [
      pool('a', ['192.0.2.0/30'], { autoAssign: false, serviceAllocation: { namespaces: ['gw'] } }),
      pool('b', ['192.0.2.4/30'], { autoAssign: false }),
    ];
    expect(refusal(pools, {})).toContain(
      '(pool "a": autoAssign is false, and namespace "n" is not listed in serviceAllocation.namespaces; pool "b": autoAssign is false)',
    );
  });
});

describe('a refusal to share names both Services and what differs', () => {
  const one = [pool('one', ['192.0.2.7/32'])];
  const wants = { loadBalancerIP: '192.0.2.7' };
  const use = `can't change sharing key: address "192.0.2.7" is also in use by n/first, and `;
  const annotation = 'sharing key (annotation metallb.io/allow-shared-ip)';

  it.each<[string, ServiceOptions, ServiceOptions, string]>([
    ['no key', key('k'), {}, `${use}"n/second" has no ${annotation}, theirs is "k"`],
    ['no keys', {}, {}, `${use}"n/second" has no ${annotation}`],
    ['they have none', {}, key('k'), `${use}they have no ${annotation}, that of "n/second" is "k"`],
    ['other keys', key('k'), key('l'), `${use}their ${annotation} is "k", that of "n/second" is "l"`],
    [
      'other pods under Local',
      { ...key('k'), ...local('x') },
      { ...key('k'), ...local('y') },
      `${use}with externalTrafficPolicy Local only Services with the same selector can share: theirs has policy Local and selector app=x, "n/second" has policy Local and selector app=y`,
    ],
    [
      'Cluster beside Local',
      key('k'),
      { ...key('k'), ...local('y') },
      `${use}with externalTrafficPolicy Local only Services with the same selector can share: theirs has policy Cluster or no selector, "n/second" has policy Local and selector app=y`,
    ],
    [
      'a port',
      { ...key('k'), ports: [tcp(80), tcp(81)] },
      { ...key('k'), ports: [tcp(81)] },
      'port TCP/81 is already in use on "192.0.2.7" by n/first, "n/second" wants it too',
    ],
  ])('%s', (_, first, second, message) => {
    expect(refusal(one, { ...wants, ...second }, { ...wants, ...first })).toBe(message);
  });

  it('across namespaces neither key nor selector of the others is shown', () => {
    const world = new World(one);
    world.apply(service('theirs/a', { ...key('secret'), ...local('hidden') }));
    world.apply(service('ours/none'), service('ours/other', key('guess')));
    world.apply(service('ours/pods', { ...key('secret'), ...local('mine') }));
    for (const { key: of, message } of world.events.filter(({ type }) => type === 'Warning')) {
      expect(message, of).toContain('theirs/a');
      expect(message, of).not.toContain('hidden');
      if (of !== 'ours/pods') expect(message, of).not.toContain('secret');
    }
    expect(world.lastMessage('ours/other')).toContain('is another one, that of "ours/other" is "guess"');
  });
});
