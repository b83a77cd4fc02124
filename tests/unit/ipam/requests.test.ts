/** controller.md §8 B and C: explicit addresses, named pools. */
import { describe, expect, it } from 'vitest';
import { app, ask, pool, recorded, service, tcp, World } from '#tests/support/ipam.ts';

const P4 = pool('p4', ['192.0.2.0/30']);
const P6 = pool('p6', ['2001:db8::/126']);
const PD = pool('pd', ['198.51.100.0/30', '2001:db8:1::/126']);
const manual = pool('manual', ['203.0.113.0/30'], { autoAssign: false });
const pools = [P4, P6, PD, manual];
const ips = (value: string): { annotations: Record<string, string> } => ({
  annotations: ask({ loadBalancerIPs: value }),
});
const dual = { stack: 'dual', ipFamilyPolicy: 'RequireDualStack' } as const;

describe('explicit addresses', () => {
  it.each([
    ['23', { loadBalancerIP: '192.0.2.2' }, ['192.0.2.2']],
    ['24', ips('192.0.2.2'), ['192.0.2.2']],
    ['29', ips('  192.0.2.2 '), ['192.0.2.2']],
    ['32', { loadBalancerIP: '203.0.113.1' }, ['203.0.113.1']],
    ['37', { ...dual, ...ips('198.51.100.2,2001:db8:1::2') }, ['198.51.100.2', '2001:db8:1::2']],
    ['37', { ...dual, ...ips('2001:db8:1::2 , 198.51.100.2') }, ['2001:db8:1::2', '198.51.100.2']],
  ] as const)('%s: given as asked: %j', (_, options, expected) => {
    const world = new World(pools);
    world.apply(service('default/a', options));
    expect(world.ips('default/a')).toEqual(expected);
  });

  it('174, Q8: the requested order is kept on later reconciles, in canonical text', () => {
    const world = new World(pools);
    world.apply(service('default/a', { ...dual, ...ips('2001:DB8:1:0::2,198.51.100.2') }));
    expect(world.ips('default/a')).toEqual(['2001:db8:1::2', '198.51.100.2']);
    expect(world.touch('default/a').kind).toBe('keep');
    world.restart();
    expect(world.ips('default/a')).toEqual(['2001:db8:1::2', '198.51.100.2']);
  });

  const both = { loadBalancerIP: '192.0.2.2', ...ips('192.0.2.3') };
  it.each([
    ['25', both],
    ['26', { loadBalancerIP: '192.0.2' }],
    ['26', ips('192.0.2')],
    ['28', ips('192.0.2.1,192.0.2.2')],
    ['28', ips('192.0.2.1,2001:db8::1,192.0.2.2')],
    ['28', ips('192.0.2.1,')],
  ])('%s: invalid without an address: AllocationFailed, none: %j', (_, options) => {
    const world = new World(pools);
    world.apply(service('default/a', options));
    expect(world.ips('default/a')).toEqual([]);
    expect(world.reasons('default/a')).toEqual(['AllocationFailed']);
  });

  it.each([
    ['25', both],
    ['27', { loadBalancerIP: '192.0.2' }],
    ['28', ips('192.0.2.1,')],
  ])('%s: invalid beside an address: LoadBalancerFailed, and the address stays: %j', (_, options) => {
    const world = new World(pools);
    world.apply(service('default/a', { loadBalancerIP: '192.0.2.1' }));
    world.forgetEvents();
    world.edit('default/a', { loadBalancerIP: '', ...options });
    expect(world.ips('default/a')).toEqual(['192.0.2.1']);
    expect(world.reasons('default/a')).toEqual(['LoadBalancerFailed']);
    world.apply(service('default/b', { loadBalancerIP: '192.0.2.1' }));
    expect(world.ips('default/b')).toEqual([]);
  });

  it('invalid beside an address that is no longer valid: both events, none', () => {
    const world = new World(pools);
    world.apply(service('default/a', { ...recorded(['192.0.9.9'], 'gone'), loadBalancerIP: 'x' }));
    expect(world.reasons('default/a')).toEqual(['ClearAssignment', 'LoadBalancerFailed']);
    expect(world.ips('default/a')).toEqual([]);
  });

  const shared = { annotations: ask({ 'allow-shared-ip': 'k' }) };
  it.each([
    ['30', { loadBalancerIP: '192.0.9.9' }, 'notInConfiguration'],
    ['31', { loadBalancerIP: '192.0.2.0' }, 'sharing'],
    ['31', { loadBalancerIP: '192.0.2.0', ...shared }, 'sharing'],
    ['35', { loadBalancerIP: '2001:db8::1' }, 'requestFamily'],
    ['35', { stack: 'ipv6', ...ips('192.0.2.1') }, 'requestFamily'],
    ['36', { ...dual, loadBalancerIP: '198.51.100.1' }, 'requestFamily'],
    ['36', { ...dual, ...ips('2001:db8:1::1') }, 'requestFamily'],
    ['38', { ...dual, ...ips('192.0.2.1,2001:db8::1') }, 'notInConfiguration'],
    ['39', ips('198.51.100.1,2001:db8:1::1'), 'requestFamily'],
  ] as const)('%s: refused, and what it had is lost: %j', (_, options, code) => {
    const world = new World(pools);
    world.apply(service('default/other', { loadBalancerIP: '192.0.2.0' }));
    world.apply(service('default/a', options));
    expect(world.ips('default/a')).toEqual([]);
    expect(world.reasons('default/a')).toEqual(['AllocationFailed']);
    expect(world.ipam.waiting.get('default/a')?.code).toBe(code);
    world.apply(
      service('default/b', { stack: 'stack' in options ? options.stack : 'ipv4', ...policy(options) }),
    );
    expect(world.ips('default/b')).not.toEqual([]);
    world.edit('default/b', options);
    expect(world.ips('default/b')).toEqual([]);
  });
  const policy = (options: object): object =>
    'ipFamilyPolicy' in options ? { ipFamilyPolicy: 'RequireDualStack' } : {};

  it('33, 34: .0 and .255 are refused where avoidBuggyIPs is set; IPv6 is not concerned', () => {
    const world = new World([pool('p', ['192.0.2.0/24', '2001:db8::/120'], { avoidBuggyIPs: true })]);
    world.apply(service('default/a', { loadBalancerIP: '192.0.2.0' }));
    world.apply(service('default/b', { loadBalancerIP: '192.0.2.255' }));
    world.apply(service('default/c', { loadBalancerIP: '192.0.2.1' }));
    world.apply(service('default/d', { stack: 'ipv6', loadBalancerIP: '2001:db8::ff' }));
    world.apply(service('default/e', { stack: 'ipv6', loadBalancerIP: '2001:db8::' }));
    expect(['a', 'b', 'c', 'd', 'e'].map((name) => world.ips(`default/${name}`)[0])).toEqual([
      undefined,
      undefined,
      '192.0.2.1',
      '2001:db8::ff',
      '2001:db8::',
    ]);
  });

  it('40: an address of another pool than the named one is refused and stays free', () => {
    const world = new World(pools);
    const annotations = ask({ 'address-pool': 'manual' });
    world.apply(service('default/a', { loadBalancerIP: '192.0.2.1', annotations }));
    expect(world.ips('default/a')).toEqual([]);
    expect(world.lastMessage('default/a')).toContain('192.0.2.1');
    expect(world.lastMessage('default/a')).toContain('"manual"');
    world.apply(service('default/b', { loadBalancerIP: '192.0.2.1' }));
    expect(world.ips('default/b')).toEqual(['192.0.2.1']);
  });

  it('41: the request changes to a free address: moved, and the old one is free', () => {
    const world = new World(pools);
    world.apply(service('default/a', { loadBalancerIP: '192.0.2.1' }));
    world.apply(service('default/b', { loadBalancerIP: '192.0.2.1' }));
    world.edit('default/a', { loadBalancerIP: '192.0.2.2' });
    expect(world.ips('default/a')).toEqual(['192.0.2.2']);
    expect(world.ips('default/b'), 'Q9: a move wakes the waiter').toEqual(['192.0.2.1']);
  });

  it('42: the request changes to one that cannot be met: none, and a waiter gets the old one', () => {
    const world = new World(pools);
    world.apply(service('default/a', { loadBalancerIP: '192.0.2.1' }));
    world.apply(service('default/b', { loadBalancerIP: '192.0.2.1' }));
    world.edit('default/a', { loadBalancerIP: '192.0.9.9' });
    expect(world.ips('default/a')).toEqual([]);
    expect(world.ips('default/b')).toEqual(['192.0.2.1']);
  });

  it('43: an address of a pool reserved for others is refused, with the reason', () => {
    const world = new World([
      pool('ns', ['192.0.2.0/30'], { serviceAllocation: { namespaces: ['other'] } }),
      pool('labels', ['192.0.2.4/30'], { serviceAllocation: { serviceSelectors: [app('x')] } }),
    ]);
    world.apply(service('default/a', { loadBalancerIP: '192.0.2.1' }));
    world.apply(service('default/b', { loadBalancerIP: '192.0.2.5' }));
    world.apply(service('default/c', { loadBalancerIP: '192.0.2.5', labels: { app: 'x' } }));
    expect(world.ips('default/a')).toEqual([]);
    expect(world.lastMessage('default/a')).toContain('"ns" is reserved for other Services');
    expect(world.ips('default/b')).toEqual([]);
    expect(world.ips('default/c')).toEqual(['192.0.2.5']);
  });
});

describe('named pool', () => {
  const named = (name: string): { annotations: Record<string, string> } => ({
    annotations: ask({ 'address-pool': name }),
  });

  it('44, 45: the lowest usable address of the named pool, automatic or not', () => {
    const world = new World(pools);
    world.apply(service('default/a', named('pd')), service('default/b', named('manual')));
    expect(world.ips('default/a')).toEqual(['198.51.100.0']);
    expect(world.ips('default/b')).toEqual(['203.0.113.0']);
  });

  it('46: an unknown pool fails', () => {
    const world = new World(pools);
    world.apply(service('default/a', named('nope')));
    expect(world.reasons('default/a')).toEqual(['AllocationFailed']);
    expect(world.lastMessage('default/a')).toContain('unknown pool "nope"');
  });

  it('47: a full named pool fails without fall-back and says which pool is full', () => {
    const world = new World([pool('tiny', ['192.0.2.9/32']), P4]);
    world.apply(service('default/a', named('tiny')), service('default/b', named('tiny')));
    expect(world.ips('default/b')).toEqual([]);
    expect(world.lastMessage('default/b')).toContain('no available IPs in pool "tiny"');
  });

  it('48, 49: another pool is named: moves there, or has none', () => {
    const world = new World(pools);
    world.apply(service('default/a', named('p4')));
    world.edit('default/a', named('manual'));
    expect(world.ips('default/a')).toEqual(['203.0.113.0']);
    expect(world.poolOf('default/a')).toBe('manual');
    world.edit('default/a', named('p6'));
    expect(world.ips('default/a')).toEqual([]);
  });

  it('50, Q11: a named pool of the other family fails with a reason that says so', () => {
    const world = new World(pools);
    world.apply(service('default/a', named('p6')));
    expect(world.ips('default/a')).toEqual([]);
    expect(world.lastMessage('default/a')).toContain('it has no IPv4 addresses');
    expect(world.lastMessage('default/a')).not.toContain('nil');
  });

  it('51: the deprecated prefix works and is reported with each write', () => {
    const old = { 'metallb.universe.tf/address-pool': 'manual', 'metallb.universe.tf/allow-shared-ip': 'k' };
    const world = new World(pools);
    world.apply(service('default/a', { annotations: old }));
    world.apply(
      service('default/b', {
        ports: [tcp(81)],
        annotations: { ...old, 'metallb.universe.tf/loadBalancerIPs': '203.0.113.0' },
      }),
    );
    expect(world.ips('default/a')).toEqual(['203.0.113.0']);
    expect(world.ips('default/b')).toEqual(['203.0.113.0']);
    expect(world.reasons('default/a')).toEqual([
      'IPAllocated',
      'deprecatedAnnotation',
      'deprecatedAnnotation',
    ]);
    expect(world.lastMessage('default/a')).toContain('metallb.universe.tf/allow-shared-ip');
    world.forgetEvents();
    world.touch('default/a');
    expect(world.events).toEqual([]);
  });

  it('52: the new prefix wins, even with an empty value', () => {
    const world = new World(pools);
    const annotations = { ...ask({ 'address-pool': '' }), 'metallb.universe.tf/address-pool': 'manual' };
    world.apply(service('default/a', { annotations }));
    expect(world.poolOf('default/a')).toBe('p4');
  });
});
