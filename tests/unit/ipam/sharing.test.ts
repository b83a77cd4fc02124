/** controller.md §8 E: Services that share an address. */
import { describe, expect, it } from 'vitest';
import { ask, pool, service, tcp, udp, World, type ServiceOptions } from '#tests/support/ipam.ts';

const one = pool('one', ['192.0.2.7/32']);
const P4 = pool('p4', ['192.0.2.0/30']);
const key = (value: string): { annotations: Record<string, string> } => ({
  annotations: ask({ 'allow-shared-ip': value }),
});
const wants = { loadBalancerIP: '192.0.2.7' };

/** Two Services that ask for the one address; says whether the second got it. */
function shares(first: ServiceOptions, second: ServiceOptions): boolean {
  const world = new World([one]);
  world.apply(service('n1/first', { ...wants, ...first }), service('n2/second', { ...wants, ...second }));
  expect(world.ips('n1/first')).toEqual(['192.0.2.7']);
  return world.ips('n2/second').length === 1;
}

const local = (selector: Record<string, string>): ServiceOptions => ({
  externalTrafficPolicy: 'Local',
  selector,
});

describe('sharing', () => {
  it.each<[string, boolean, ServiceOptions, ServiceOptions]>([
    ['73 no keys', false, {}, { ports: [tcp(81)] }],
    ['74 equal keys, disjoint ports', true, key('k'), { ...key('k'), ports: [tcp(81)] }],
    ['75 a common port', false, key('k'), { ...key('k'), ports: [tcp(443), tcp(80)] }],
    ['76 TCP/53 and UDP/53', true, { ...key('k'), ports: [tcp(53)] }, { ...key('k'), ports: [udp(53)] }],
    ['77 different keys', false, key('k'), { ...key('other'), ports: [tcp(81)] }],
    ['77 only the second has a key', false, {}, { ...key('k'), ports: [tcp(81)] }],
    ['77 only the first has a key', false, key('k'), { ports: [tcp(81)] }],
    [
      '78 both Local, equal selectors',
      true,
      { ...key('k'), ...local({ a: '1', b: '2' }) },
      { ...key('k'), ...local({ b: '2', a: '1' }), ports: [tcp(81)] },
    ],
    [
      '78 both Local, different selectors',
      false,
      { ...key('k'), ...local({ a: '1' }) },
      { ...key('k'), ...local({ a: '2' }), ports: [tcp(81)] },
    ],
    [
      '79 Cluster and Local with a selector',
      false,
      key('k'),
      { ...key('k'), ...local({ a: '1' }), ports: [tcp(81)] },
    ],
    [
      '80 Cluster and Local with an empty selector',
      true,
      key('k'),
      { ...key('k'), ...local({}), ports: [tcp(81)] },
    ],
  ])('%s: %s', (_, expected, first, second) => {
    expect(shares(first, second)).toBe(expected);
  });

  it('81: one address, equal keys, disjoint ports, no request: both get it', () => {
    const world = new World([one]);
    world.apply(service('n/a', key('k')), service('n/b', { ...key('k'), ports: [tcp(81)] }));
    expect(world.ips('n/b')).toEqual(['192.0.2.7']);
  });

  it('82, 83: a free lower address wins; a clash moves on to the next usable one', () => {
    const world = new World([P4]);
    world.apply(service('n/a', { ...key('k'), loadBalancerIP: '192.0.2.1' }));
    world.apply(service('n/b', { ...key('k'), ports: [tcp(81)] }));
    expect(world.ips('n/b')).toEqual(['192.0.2.0']);
    world.apply(service('n/c', { ...key('k'), ports: [tcp(82), tcp(81)] }));
    expect(world.ips('n/c')).toEqual(['192.0.2.1']);
    world.apply(service('n/d', { ...key('k'), ports: [tcp(80), tcp(81)] }));
    expect(world.ips('n/d')).toEqual(['192.0.2.2']);
  });

  it('84: alone on its address, a changed key keeps it', () => {
    const world = new World([P4]);
    world.apply(service('n/a', key('k')));
    world.edit('n/a', key('other'));
    expect(world.ips('n/a')).toEqual(['192.0.2.0']);
    world.apply(service('n/b', { ...key('other'), ports: [tcp(81)] }));
    expect(world.ips('n/b')).toEqual(['192.0.2.0']);
  });

  it.each([key('other'), { annotations: {} }])('85: one of two changes its key to %j: it moves', (change) => {
    const world = new World([P4]);
    world.apply(service('n/a', key('k')), service('n/b', { ...key('k'), ports: [tcp(81)] }));
    world.edit('n/b', change);
    expect(world.ips('n/a')).toEqual(['192.0.2.0']);
    expect(world.ips('n/b')).toEqual(['192.0.2.1']);
    expect(world.reasons('n/b').slice(-2)).toEqual(['ClearAssignment', 'IPAllocated']);
  });

  it('86, 87: one of two changes ports: stays, unless they clash', () => {
    const world = new World([P4]);
    world.apply(service('n/a', key('k')), service('n/b', { ...key('k'), ports: [tcp(81)] }));
    world.edit('n/b', { ports: [tcp(82)] });
    expect(world.ips('n/b')).toEqual(['192.0.2.0']);
    world.edit('n/b', { ports: [tcp(80)] });
    expect(world.ips('n/b')).toEqual(['192.0.2.1']);
    expect(world.reasons('n/b')).toContain('ClearAssignment');
  });

  it('Q9: a port given up serves a waiter', () => {
    const world = new World([one]);
    world.apply(service('n/a', { ...key('k'), ports: [tcp(80), tcp(81)] }));
    world.apply(service('n/b', { ...key('k'), ports: [tcp(81)] }));
    expect(world.ips('n/b')).toEqual([]);
    world.edit('n/a', { ports: [tcp(80)] });
    expect(world.ips('n/b')).toEqual(['192.0.2.7']);
  });

  it('88: Cluster and Cluster, the second turns Local, then the first', () => {
    const world = new World([one]);
    const selector = { app: 'x' };
    world.apply(service('n/a', { ...key('k'), selector }));
    world.apply(service('n/b', { ...key('k'), selector, ports: [tcp(81)] }));
    world.edit('n/b', { externalTrafficPolicy: 'Local' });
    expect(world.ips('n/b')).toEqual([]);
    world.edit('n/a', { externalTrafficPolicy: 'Local' });
    expect(world.ips('n/a')).toEqual(['192.0.2.7']);
    expect(world.ips('n/b')).toEqual(['192.0.2.7']);
  });

  it('89: Local and Local, the first changes its selector, then the second follows', () => {
    const world = new World([one]);
    world.apply(service('n/a', { ...key('k'), ...local({ app: 'x' }) }));
    world.apply(service('n/b', { ...key('k'), ...local({ app: 'x' }), ports: [tcp(81)] }));
    world.edit('n/a', { selector: { app: 'y' } });
    expect(world.ips('n/a')).toEqual([]);
    world.edit('n/b', { selector: { app: 'y' } });
    expect(world.ips('n/a')).toEqual(['192.0.2.7']);
    expect(world.ips('n/b')).toEqual(['192.0.2.7']);
  });

  it('90: three sharers leave one by one: free only after the last', () => {
    const world = new World([one]);
    world.apply(service('n/a', { ...key('k'), ports: [tcp(1)] }));
    world.apply(service('n/b', { ...key('k'), ports: [tcp(2)] }));
    world.apply(service('n/c', { ...key('k'), ports: [tcp(3)] }));
    world.apply(service('n/w'));
    for (const name of ['n/a', 'n/b']) {
      world.delete(name);
      expect(world.ips('n/w')).toEqual([]);
      expect(world.ipam.allocations.counters('one')?.ipv4.inUse).toBe(1n);
    }
    world.delete('n/c');
    expect(world.ips('n/w')).toEqual(['192.0.2.7']);
  });
});
