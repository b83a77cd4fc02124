/** controller.md §8 A: which Services, when. */
import { describe, expect, it } from 'vitest';
import { pool, recorded, service, World } from '#tests/support/ipam.ts';

const P4 = pool('p4', ['192.0.2.0/30']);
const P6 = pool('p6', ['2001:db8::/126']);
const tiny = pool('tiny', ['192.0.2.0/32']);

describe('which Services, when', () => {
  it('1: the lowest usable IPv4 address of an open pool, with the pool written beside it', () => {
    const world = new World([P4]);
    world.apply(service('default/a'));
    expect(world.ips('default/a')).toEqual(['192.0.2.0']);
    expect(world.poolOf('default/a')).toBe('p4');
    expect(world.events).toEqual([
      { key: 'default/a', type: 'Normal', reason: 'IPAllocated', message: 'Assigned IP ["192.0.2.0"]' },
    ]);
  });

  it('2: a ClusterIP Service is left alone', () => {
    const world = new World([P4]);
    world.apply(service('default/a', { type: 'ClusterIP' }));
    expect(world.writes).toEqual([]);
    expect(world.events).toEqual([]);
  });

  it.each(['ClusterIP', 'NodePort'])('3: type becomes %s: cleared quietly, a waiter is served', (type) => {
    const world = new World([tiny]);
    world.apply(service('default/a'), service('default/b'));
    expect(world.ips('default/b')).toEqual([]);
    world.forgetEvents();
    world.edit('default/a', { type });
    expect(world.ips('default/a')).toEqual([]);
    expect(world.poolOf('default/a')).toBeUndefined();
    expect(world.reasons('default/a')).toEqual([]);
    expect(world.ips('default/b')).toEqual(['192.0.2.0']);
  });

  it('4: status wiped by the API server already: the annotation goes, a waiter is served', () => {
    const world = new World([tiny]);
    world.apply(service('default/a'), service('default/b'));
    world.edit('default/a', { type: 'ClusterIP', ingress: [] });
    expect(world.poolOf('default/a')).toBeUndefined();
    expect(world.ips('default/b')).toEqual(['192.0.2.0']);
  });

  it('4, Q9: nothing left to write, waiters are served all the same', () => {
    const world = new World([tiny]);
    world.apply(service('default/a'), service('default/b'));
    world.apply(service('default/a', { type: 'ClusterIP' }));
    expect(world.ips('default/b')).toEqual(['192.0.2.0']);
  });

  it('5: deletion serves a waiter without any other trigger', () => {
    const world = new World([tiny]);
    world.apply(service('default/a'), service('default/b'));
    world.delete('default/a');
    expect(world.ips('default/b')).toEqual(['192.0.2.0']);
  });

  it('6: deletion of a Service without address wakes nobody', () => {
    const world = new World([tiny]);
    world.apply(service('default/a'), service('default/b'), service('default/c', { type: 'ClusterIP' }));
    expect(world.ipam.forget('default/c').wake).toEqual([]);
  });

  it('7, 140: no configuration was ever loaded: nothing is written, whatever is recorded', () => {
    const world = new World();
    world.apply(service('default/a'), service('default/b', recorded(['192.0.2.1'], 'p4')));
    expect(world.writes).toEqual([]);
    expect(world.events).toEqual([]);
  });

  it('8: zero pools: nothing for a Service without address, no address left for one with', () => {
    const world = new World([]);
    world.apply(service('default/a'));
    expect(world.writes).toEqual([]);
    world.apply(service('default/b', recorded(['192.0.2.1'], 'p4')));
    expect(world.ips('default/b')).toEqual([]);
    expect(world.poolOf('default/b')).toBeUndefined();
    expect(world.events).toEqual([]);
  });

  it('9: no cluster IP at all: none, and no Warning', () => {
    const world = new World([P4]);
    world.apply(service('default/a', { clusterIPs: [], ...recorded(['192.0.2.1'], 'p4') }));
    expect(world.ips('default/a')).toEqual([]);
    expect(world.events).toEqual([]);
  });

  it('10: cluster IP None: AllocationFailed, or noclusterIPsIPFamily and the status stays', () => {
    const world = new World([P4]);
    world.apply(service('default/a', { clusterIPs: ['None'] }));
    world.apply(service('default/b', { clusterIPs: ['None'], ...recorded(['192.0.2.1'], 'p4') }));
    expect(world.reasons('default/a')).toEqual(['AllocationFailed']);
    expect(world.reasons('default/b')).toEqual(['noclusterIPsIPFamily']);
    expect(world.ips('default/b')).toEqual(['192.0.2.1']);
  });

  it.each([
    ['11', '', undefined, true],
    ['11', '', 'foo', false],
    ['12', 'foo', 'foo', true],
    ['12', 'foo', undefined, false],
    ['12', 'foo', 'bar', false],
  ])('%s: --lb-class=%j and class %j: handled %s', (_, lbClass, loadBalancerClass, handled) => {
    const world = new World([P4], lbClass);
    world.apply(service('default/a', { loadBalancerClass }));
    expect(world.ips('default/a')).toEqual(handled ? ['192.0.2.0'] : []);
  });

  it('13: an ignored Service with a foreign status is never touched', () => {
    const world = new World([P4]);
    world.apply(service('default/a', { loadBalancerClass: 'foo', ...recorded(['192.0.2.1']) }));
    expect(world.writes).toEqual([]);
    expect(world.events).toEqual([]);
    world.apply(service('default/b', { loadBalancerIP: '192.0.2.1' }));
    expect(world.ips('default/b')).toEqual(['192.0.2.1']);
  });

  it('Q5: with --lb-class, a Service that loses class and type gives its address back', () => {
    const world = new World([tiny], 'foo');
    world.apply(service('default/a', { loadBalancerClass: 'foo' }));
    world.apply(service('default/b', { loadBalancerClass: 'foo' }));
    world.edit('default/a', { type: 'ClusterIP', loadBalancerClass: undefined });
    expect(world.ips('default/a')).toEqual([]);
    expect(world.ips('default/b')).toEqual(['192.0.2.0']);
  });

  it('14: reconciled twice: the second time nothing is written and nothing said', () => {
    const world = new World([P4]);
    world.apply(service('default/a'));
    world.forgetEvents();
    expect(world.touch('default/a').kind).toBe('keep');
    expect(world.writes).toEqual([]);
    expect(world.events).toEqual([]);
  });

  it('15, Q7: ipMode of the API server needs no write', () => {
    const world = new World([P4]);
    const ingress = [{ ip: '192.0.2.1', hostname: '', ipMode: 'VIP', hasPorts: false }];
    world.apply(service('default/a', { ...recorded([], 'p4'), ingress }));
    expect(world.writes).toEqual([]);
  });

  it.each([
    { hostname: 'lb.example', hasPorts: false },
    { hostname: '', hasPorts: true },
  ])('16: foreign fields beside a valid address are replaced: %j', (foreign) => {
    const world = new World([P4]);
    const ingress = [{ ip: '192.0.2.1', ipMode: '', ...foreign }];
    world.apply(service('default/a', { ...recorded([], 'p4'), ingress }));
    expect(world.view('default/a').ingress).toEqual(recorded(['192.0.2.1']).ingress);
  });

  it('17: a hostname entry and an address outside all pools give way to a fresh address', () => {
    const world = new World([P4]);
    const ingress = [
      { ip: '', hostname: 'lb.example', ipMode: '', hasPorts: false },
      { ip: '203.0.113.9', hostname: '', ipMode: '', hasPorts: false },
    ];
    world.apply(service('default/a', { ingress }));
    expect(world.ips('default/a')).toEqual(['192.0.2.0']);
    expect(world.reasons('default/a')).toEqual(['ClearAssignment', 'IPAllocated']);
  });

  it('18, 19: what is no address, or three of them: nolbIPsIPFamily and a fresh address at once', () => {
    const world = new World([P4]);
    world.apply(service('default/a', recorded(['nonsense'])));
    world.apply(service('default/b', recorded(['192.0.2.1', '192.0.2.2', '192.0.2.3'])));
    expect(world.ips('default/a')).toEqual(['192.0.2.0']);
    expect(world.ips('default/b')).toEqual(['192.0.2.1']);
    expect(world.reasons('default/a')).toEqual(['nolbIPsIPFamily', 'IPAllocated']);
    expect(world.reasons('default/b')).toEqual(['nolbIPsIPFamily', 'IPAllocated']);
  });

  it('20: an address edited by hand to another free one is kept and booked', () => {
    const world = new World([P4]);
    world.apply(service('default/a'));
    world.edit('default/a', { ingress: recorded(['192.0.2.3']).ingress });
    expect(world.ips('default/a')).toEqual(['192.0.2.3']);
    world.apply(service('default/b', { loadBalancerIP: '192.0.2.3' }), service('default/c'));
    expect(world.ips('default/b')).toEqual([]);
    expect(world.ips('default/c')).toEqual(['192.0.2.0']);
  });

  it('21: a status emptied by hand is filled again', () => {
    const world = new World([P4]);
    world.apply(service('default/a'));
    world.edit('default/a', { ingress: [] });
    expect(world.ips('default/a')).toEqual(['192.0.2.0']);
  });

  it('22: an annotation removed by hand comes back, the address stays', () => {
    const world = new World([P4, P6]);
    world.apply(service('default/a'));
    world.forgetEvents();
    world.apply({ ...world.view('default/a'), annotations: {} });
    expect(world.poolOf('default/a')).toBe('p4');
    expect(world.ips('default/a')).toEqual(['192.0.2.0']);
    expect(world.events).toEqual([]);
  });

  it('a Service deleted and created again under its key starts afresh', () => {
    const world = new World([P4]);
    world.apply(service('default/x'), service('default/a'));
    world.delete('default/x');
    world.apply(service('default/a', { uid: 'another' }));
    expect(world.ips('default/a')).toEqual(['192.0.2.0']);
  });
});
