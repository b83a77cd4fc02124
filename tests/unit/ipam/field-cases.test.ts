/** field-cases.md: what concerns addresses in A06, A08, A20, B04, B06, B09, B10, C12. */
import { describe, expect, it } from 'vitest';
import {
  app,
  ask,
  pool,
  recorded,
  service,
  tcp,
  udp,
  World,
  type ServiceOptions,
} from '#tests/support/ipam.ts';

const share = (value: string): { annotations: Record<string, string> } => ({
  annotations: ask({ 'allow-shared-ip': value }),
});

describe('field cases', () => {
  it('A06: a two-address dual-stack pool', () => {
    const world = new World([pool('tiny', ['192.0.2.32/31', '2001:db8:0:1::32/127'])]);
    world.apply(service('default/s1', { stack: 'dual', ipFamilyPolicy: 'PreferDualStack' }));
    world.apply(service('default/s2', { stack: 'dual', ipFamilyPolicy: 'RequireDualStack' }));
    world.apply(service('default/s3'));
    expect(world.ips('default/s1')).toEqual(['192.0.2.32', '2001:db8:0:1::32']);
    expect(world.ips('default/s2')).toEqual(['192.0.2.33', '2001:db8:0:1::33']);
    expect(world.reasons('default/s3')).toEqual(['AllocationFailed']);
    expect(world.lastMessage('default/s3')).toContain('no available IPs in pool "tiny" (all 2 IPv4');
    world.delete('default/s1');
    expect(world.ips('default/s3')).toEqual(['192.0.2.32']);
  });

  it('A08: gateway addresses reserved by namespace and label', () => {
    const gateway = (name: string, address: string): ReturnType<typeof pool> =>
      pool(name, [address], {
        serviceAllocation: { priority: 50, namespaces: [name], serviceSelectors: [app(name)] },
      });
    const world = new World([
      pool('default', ['192.0.2.160/29']),
      gateway('admin-gw', '192.0.2.50/32'),
      gateway('tenant-gw', '192.0.2.51/32'),
    ]);
    const admin = { labels: { app: 'admin-gw' } };
    world.apply(service('admin-gw/a', admin), service('tenant-gw/t', { labels: { app: 'tenant-gw' } }));
    world.apply(service('admin-gw/plain'), service('admin-gw/a2', admin), service('default/x', admin));
    world.apply(service('default/thief', { annotations: ask({ loadBalancerIPs: '192.0.2.51' }) }));
    const keys = ['admin-gw/a', 'tenant-gw/t', 'admin-gw/plain', 'admin-gw/a2', 'default/x', 'default/thief'];
    const last = (key: string): string | undefined => world.ips(key)[0]?.split('.')[3];
    expect(keys.map(last)).toEqual(['50', '51', '160', '161', '162', undefined]);
    expect(world.lastMessage('default/thief')).toContain('"tenant-gw" is reserved for other Services');
    world.delete('admin-gw/a');
    expect(last('admin-gw/a2')).toBe('161');
  });

  it('A20: one address for everything', () => {
    const world = new World([pool('default', ['192.0.2.120/32'])]);
    world.apply(service('default/web', { ...share('one'), ports: [tcp(80), tcp(443)] }));
    world.apply(service('default/dns', { ...share('one'), ports: [udp(53), tcp(53)] }));
    world.apply(service('default/mqtt', { ...share('one'), ports: [tcp(1883)] }));
    world.apply(service('default/late', { ports: [tcp(8080)] }));
    world.apply(service('default/clash', { ...share('one'), ports: [tcp(443)] }));
    for (const name of ['web', 'dns', 'mqtt']) expect(world.ips(`default/${name}`)).toEqual(['192.0.2.120']);
    expect(world.lastMessage('default/late')).toMatch(/in use .*no sharing key/);
    expect(world.lastMessage('default/clash')).toMatch(/port TCP\/443 .*default\/web/);
    expect(world.ipam.allocations.counters('default')?.ipv4.inUse).toBe(1n);
    world.delete('default/web');
    expect(world.ips('default/clash')).toEqual(['192.0.2.120']);
    expect(world.ips('default/late')).toEqual([]);
  });

  it('B04: pool and address changed in one update', () => {
    const world = new World([
      pool('red', ['198.51.100.10-198.51.100.19'], { autoAssign: false }),
      pool('blue', ['203.0.113.10-203.0.113.19'], { autoAssign: false }),
    ]);
    const named = (name: string): ServiceOptions => ({ annotations: ask({ 'address-pool': name }) });
    world.apply(service('default/s', named('red')));
    expect(world.ips('default/s')).toEqual(['198.51.100.10']);
    world.edit('default/s', { ...named('blue'), loadBalancerIP: '203.0.113.15' });
    expect(world.ips('default/s')).toEqual(['203.0.113.15']);
    expect(world.poolOf('default/s')).toBe('blue');
    world.edit('default/s', named('red'));
    expect(world.ips('default/s')).toEqual([]);
    expect(world.lastMessage('default/s')).toMatch(/203\.0\.113\.15.*"red"/);
    world.edit('default/s', { annotations: {}, loadBalancerIP: '' });
    expect(world.ips('default/s')).toEqual([]);
    expect(world.lastMessage('default/s')).toContain('autoAssign');
    world.edit('default/s', named('blue'));
    expect(world.ips('default/s')).toEqual(['203.0.113.10']);
  });

  it('B06: four Services of one proxy, in all 24 orders', () => {
    const make = (name: string, stack: 'ipv4' | 'ipv6'): ReturnType<typeof service> =>
      service(`default/${name}`, {
        ...share(name.slice(0, 2)),
        stack,
        externalTrafficPolicy: 'Local',
        selector: { app: 'web' },
        ports: [name.endsWith('u') ? udp(443) : tcp(443)],
      });
    const four = [make('t4u', 'ipv4'), make('t4t', 'ipv4'), make('t6u', 'ipv6'), make('t6t', 'ipv6')];
    for (const order of permutations(four)) {
      const world = new World([pool('p', ['192.0.2.64-192.0.2.68', '2001:db8:0:1::64-2001:db8:0:1::68'])]);
      world.apply(...order);
      const v4 = ['192.0.2.64'];
      const v6 = ['2001:db8:0:1::64'];
      expect(four.map(({ key }) => world.ips(key))).toEqual([v4, v4, v6, v6]);
      const odd = { ...share('t4'), externalTrafficPolicy: 'Local', ports: [tcp(8443)] } as const;
      world.apply(service('default/odd', { ...odd, selector: { app: 'other' } }));
      expect(world.ips('default/odd')).toEqual(['192.0.2.65']);
      world.apply(
        service('default/odd2', { ...odd, selector: { app: 'other' }, loadBalancerIP: '192.0.2.64' }),
      );
      expect(world.ips('default/odd2')).toEqual([]);
      expect(world.lastMessage('default/odd2')).toMatch(/default\/t4t,default\/t4u.*Local.*same selector/);
    }
  });

  it('B09: one of two sharers leaves and returns: the address stays in use throughout', () => {
    const world = new World([pool('p', ['198.51.100.0/28'])]);
    const make = (name: string, port: number): ReturnType<typeof service> =>
      service(`default/${name}`, { ...share('k'), loadBalancerIP: '198.51.100.7', ports: [tcp(port)] });
    const inUse = (): bigint | undefined => world.ipam.allocations.counters('p')?.ipv4.inUse;
    world.apply(make('a', 80), make('b', 443));
    world.delete('default/a');
    expect(inUse()).toBe(1n);
    world.apply({ ...make('a', 80), uid: 'new' });
    expect(world.ips('default/a')).toEqual(['198.51.100.7']);
    world.delete('default/b');
    expect(inUse()).toBe(1n);
    world.edit('default/a', { type: 'ClusterIP' });
    expect(inUse()).toBe(0n);
    world.edit('default/a', { type: 'LoadBalancer' });
    world.edit('default/a', { annotations: {} });
    expect(world.ips('default/a')).toEqual(['198.51.100.7']);
  });

  it('B10: editing ranges around addresses in use', () => {
    const world = new World([pool('p', ['192.0.2.109-192.0.2.150'])]);
    world.apply(service('n/s1'), service('n/s2'), service('n/s3'));
    world.apply(service('n/pin', { loadBalancerIP: '192.0.2.149' }));
    world.forgetEvents();
    const range = (first: number, last: number): string => `192.0.2.${first}-192.0.2.${last}`;
    for (const entries of [
      [range(109, 139), range(149, 150)],
      [range(149, 150), range(109, 139)],
      [range(107, 139), range(149, 150)],
    ]) {
      world.configure([pool('p', entries)]);
      expect(world.writes).toEqual([]);
      expect(world.events).toEqual([]);
    }
    world.apply(service('n/new'));
    expect(world.ips('n/new')).toEqual(['192.0.2.107']);
    world.forgetEvents();
    world.configure([pool('p', [range(107, 110), range(149, 150)])]);
    expect(world.writes).toEqual(['n/s3']);
    expect(world.ips('n/s3')).toEqual(['192.0.2.108']);
    expect(world.reasons('n/s3')).toEqual(['ClearAssignment', 'IPAllocated']);
    world.forgetEvents();
    world.configure([pool('q', [range(107, 110), range(149, 150)])]);
    expect(world.events).toEqual([]);
    expect(world.poolOf('n/pin')).toBe('q');
    expect(world.ips('n/pin')).toEqual(['192.0.2.149']);
  });

  it('C12: a new installation finds the recorded addresses and keeps them', () => {
    const world = new World();
    world.services.set('default/s', service('default/s', recorded(['198.51.100.1'], 'p')));
    world.services.set('default/t', service('default/t', recorded(['198.51.100.2'], 'p')));
    world.configure([pool('p', ['198.51.100.0/24'])]);
    expect(world.writes).toEqual([]);
    world.apply(service('default/new'));
    expect(world.ips('default/new')).toEqual(['198.51.100.0']);
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}
