/** controller.md §8 H and I, §4.3: configuration changes, start and restart. */
import { describe, expect, it } from 'vitest';
import { ask, app, pool, recorded, service, tcp, World } from '#tests/support/ipam.ts';

const prefer = { stack: 'dual', ipFamilyPolicy: 'PreferDualStack' } as const;

function three(): World {
  const world = new World([pool('p', ['192.0.2.0/29'])]);
  world.apply(service('n/a'), service('n/b'), service('n/c'));
  world.forgetEvents();
  return world;
}

describe('configuration changes', () => {
  it.each([
    ['114 the same again', ['192.0.2.0/29']],
    ['115 grown', ['192.0.2.0/24']],
    ['115 shrunk around what is used', ['192.0.2.0-192.0.2.2']],
    ['115 written otherwise', ['192.0.2.1/32', '192.0.2.0/32', '192.0.2.2-192.0.2.7']],
  ])('%s: nothing is written', (_, entries) => {
    const world = three();
    world.configure([pool('p', entries)]);
    expect(world.writes).toEqual([]);
    expect(world.events).toEqual([]);
    world.apply(service('n/x', { loadBalancerIP: '192.0.2.1' }));
    expect(world.ips('n/x')).toEqual([]);
  });

  it('116: shrunk past one address: that Service moves, others do not', () => {
    const world = three();
    world.delete('n/a');
    world.configure([pool('p', ['192.0.2.0/31'])]);
    expect(world.ips('n/b')).toEqual(['192.0.2.1']);
    expect(world.ips('n/c')).toEqual(['192.0.2.0']);
    expect(world.writes).toEqual(['n/c']);
    expect(world.reasons('n/c')).toEqual(['ClearAssignment', 'IPAllocated']);
  });

  it('117: renamed: the same addresses, only the annotation changes', () => {
    const world = three();
    world.configure([pool('q', ['192.0.2.0/29'])]);
    expect(['n/a', 'n/b', 'n/c'].flatMap((key) => world.ips(key))).toEqual([
      '192.0.2.0',
      '192.0.2.1',
      '192.0.2.2',
    ]);
    expect(world.poolOf('n/a')).toBe('q');
    expect(world.events).toEqual([]);
  });

  it('117: renamed, but the Service names the old pool: cleared, then fails', () => {
    const world = new World([pool('p', ['192.0.2.0/29'])]);
    world.apply(service('n/a', { annotations: ask({ 'address-pool': 'p' }) }));
    world.configure([pool('q', ['192.0.2.0/29'])]);
    expect(world.ips('n/a')).toEqual([]);
    expect(world.lastMessage('n/a')).toContain('unknown pool "p"');
  });

  it('118: split in two: each Service follows its address', () => {
    const world = three();
    world.configure([pool('q', ['192.0.2.0/31']), pool('r', ['192.0.2.2/31'])]);
    expect(['n/a', 'n/b', 'n/c'].map((key) => world.poolOf(key))).toEqual(['q', 'q', 'r']);
    expect(world.ips('n/c')).toEqual(['192.0.2.2']);
  });

  it('118: a split that parts the two addresses of a Service: both anew from one pool', () => {
    const world = new World([pool('p', ['192.0.2.0/30', '2001:db8::/126'])]);
    world.apply(service('n/a', prefer));
    world.configure([
      pool('q', ['192.0.2.0/30']),
      pool('r', ['2001:db8::/126']),
      pool('s', ['198.51.100.0/30', '2001:db8:1::/126']),
    ]);
    expect(world.ips('n/a')).toEqual(['198.51.100.0', '2001:db8:1::']);
  });

  it('119: avoidBuggyIPs is switched on: the Service on .0 moves', () => {
    const world = three();
    world.configure([pool('p', ['192.0.2.0/29'], { avoidBuggyIPs: true })]);
    expect(world.writes).toEqual(['n/a']);
    expect(world.ips('n/a')).toEqual(['192.0.2.3']);
  });

  it('120: the pool is deleted and another has room', () => {
    const world = three();
    world.configure([pool('other', ['198.51.100.0/30'])]);
    expect(['n/a', 'n/b', 'n/c'].flatMap((key) => world.ips(key)).sort()).toEqual([
      '198.51.100.0',
      '198.51.100.1',
      '198.51.100.2',
    ]);
  });

  it('121: all pools are deleted: none has an address, quietly; pools come back: all have again', () => {
    const world = three();
    world.configure([]);
    expect(['n/a', 'n/b', 'n/c'].flatMap((key) => world.ips(key))).toEqual([]);
    expect(world.events).toEqual([]);
    world.configure([pool('p', ['192.0.2.0/29'])]);
    expect(['n/a', 'n/b', 'n/c'].flatMap((key) => world.ips(key))).toHaveLength(3);
  });

  it('122: a second pool changes nothing', () => {
    const world = three();
    world.configure([pool('a', ['198.51.100.0/30']), pool('p', ['192.0.2.0/29'])]);
    expect(world.writes).toEqual([]);
  });

  it('123: the pool is reserved for others: re-allocated, or none', () => {
    const world = three();
    const reserved = pool('p', ['192.0.2.0/29'], { serviceAllocation: { namespaces: ['other'] } });
    world.configure([reserved, pool('q', ['198.51.100.0/32'])]);
    expect(world.ips('n/c')).toEqual(['198.51.100.0']);
    expect(world.ips('n/b')).toEqual([]);
    expect(world.reasons('n/b')).toEqual(['ClearAssignment', 'AllocationFailed']);
  });

  it('124: autoAssign is switched off: who has keeps, who comes gets none', () => {
    const world = three();
    world.configure([pool('p', ['192.0.2.0/29'], { autoAssign: false })]);
    world.apply(service('n/d'));
    expect(world.writes).toEqual([]);
    expect(world.ips('n/d')).toEqual([]);
  });

  it('4.3: a better pool or priority moves nobody', () => {
    const world = three();
    world.configure([
      pool('p', ['192.0.2.0/29']),
      pool('better', ['198.51.100.0/30'], { serviceAllocation: { priority: 1 } }),
    ]);
    expect(world.writes).toEqual([]);
  });

  it('4.3: selectors newly match: waiting Services are served', () => {
    const world = new World([
      pool('p', ['192.0.2.0/29'], { serviceAllocation: { serviceSelectors: [app('x')] } }),
    ]);
    world.apply(service('n/a', { labels: { app: 'y' } }));
    world.configure([pool('p', ['192.0.2.0/29'], { serviceAllocation: { serviceSelectors: [app('y')] } })]);
    expect(world.ips('n/a')).toEqual(['192.0.2.0']);
  });

  it('4.2: sharers follow a renamed pool together, and the counters stay right', () => {
    const world = new World([pool('p', ['192.0.2.0/29'])]);
    const annotations = ask({ 'allow-shared-ip': 'k' });
    for (const port of [1, 2, 3]) world.apply(service(`n/s${port}`, { annotations, ports: [tcp(port)] }));
    world.configure([pool('q', ['192.0.2.0/28'])]);
    expect(world.ipam.allocations.counters('q')?.ipv4.inUse).toBe(1n);
    world.apply(
      service('n/s4', { annotations, ports: [tcp(3)] }),
      service('n/s5', { annotations, ports: [tcp(4)] }),
    );
    expect(world.ips('n/s4')).toEqual(['192.0.2.1']);
    expect(world.ips('n/s5')).toEqual(['192.0.2.0']);
    world.delete('n/s1');
    world.configure([pool('q', ['192.0.2.0/30'])]);
    expect(world.ipam.allocations.counters('q')?.ipv4.inUse).toBe(2n);
  });
});

describe('start and restart', () => {
  it('129, Q4: nobody takes an address recorded on another Service, not even one that lost its own', () => {
    const world = new World();
    world.services.set('n/moved', service('n/moved', recorded(['203.0.113.1', '2001:db8::9'], 'gone')));
    world.services.set('n/waits', service('n/waits'));
    world.services.set('n/old', service('n/old', recorded(['192.0.2.0'], 'p')));
    world.services.set('n/older', service('n/older', recorded(['192.0.2.1'], 'p')));
    world.configure([pool('p', ['192.0.2.0/31'])]);
    expect(world.ips('n/old')).toEqual(['192.0.2.0']);
    expect(world.ips('n/older')).toEqual(['192.0.2.1']);
    expect(world.writes).toEqual(['n/moved']);
    expect(world.ips('n/waits')).toEqual([]);
  });

  it('129: a waiting Service does not take an address that a returning pool brings back', () => {
    const world = new World([pool('p', ['192.0.2.0/31'])]);
    world.apply(service('n/b'), service('n/c'));
    world.services.set('n/a', service('n/a'));
    world.ipam.configure([], []);
    world.configure([pool('p', ['192.0.2.0/31'])]);
    expect(world.ips('n/b')).toEqual(['192.0.2.0']);
    expect(world.ips('n/c')).toEqual(['192.0.2.1']);
    expect(world.ips('n/a')).toEqual([]);
  });

  it('130: five restarts with two served and two waiting change nothing', () => {
    const world = new World([pool('p', ['192.0.2.0/31'])]);
    world.apply(service('n/d'), service('n/c'), service('n/b'), service('n/a'));
    world.forgetEvents();
    for (let turn = 0; turn < 5; turn += 1) world.restart();
    expect(world.writes).toEqual([]);
    expect(world.ips('n/d')).toEqual(['192.0.2.0']);
    expect(world.ips('n/c')).toEqual(['192.0.2.1']);
  });

  it('138: a write that failed is tried again with the same address', () => {
    const world = new World([pool('p', ['192.0.2.0/30'])]);
    world.apply(service('n/a'));
    const view = service('n/b');
    const first = world.ipam.decide(view).decision;
    world.delete('n/a');
    const second = world.ipam.decide(view).decision;
    expect(first.addresses).toEqual(second.addresses);
    expect(second.kind).toBe('assign');
  });

  it('two recorded on one address without sharing: the older keeps it', () => {
    const world = new World();
    world.services.set('n/a', service('n/a', recorded(['192.0.2.0'], 'p')));
    const since = '2025-01-01T00:00:00Z';
    world.services.set('n/b', service('n/b', { ...recorded(['192.0.2.0'], 'p'), creationTimestamp: since }));
    world.configure([pool('p', ['192.0.2.0/31'])]);
    expect(world.ips('n/b')).toEqual(['192.0.2.0']);
    expect(world.ips('n/a')).toEqual(['192.0.2.1']);
    expect(world.lastMessage('n/a')).toContain('192.0.2.1');
  });
});
