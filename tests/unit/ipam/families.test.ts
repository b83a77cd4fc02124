/** controller.md §8 D: address families. */
import { describe, expect, it } from 'vitest';
import type { Pool } from '#core/model/config.ts';
import { ask, pool, recorded, service, World, type ServiceOptions } from '#tests/support/ipam.ts';

const P4 = pool('p4', ['192.0.2.0/30']);
const P6 = pool('p6', ['2001:db8::/126']);
const PD = pool('pd', ['198.51.100.0/30', '2001:db8:1::/126']);
const prefer: ServiceOptions = { stack: 'dual', ipFamilyPolicy: 'PreferDualStack' };
const require: ServiceOptions = { stack: 'dual', ipFamilyPolicy: 'RequireDualStack' };

function given(pools: readonly Pool[], options: ServiceOptions): World {
  const world = new World(pools);
  world.apply(service('default/a', options));
  return world;
}

describe('families', () => {
  it('53: an IPv6 cluster IP gets IPv6 from a pool that has it', () => {
    expect(given([P4, P6], { stack: 'ipv6' }).ips('default/a')).toEqual(['2001:db8::']);
  });

  it.each([
    ['ipv4', ['2001:db8::1'], ['192.0.2.0']],
    ['ipv6', ['192.0.2.1'], ['2001:db8::']],
  ] as const)('54: a recorded address of the wrong family is replaced (%s)', (stack, before, after) => {
    expect(given([P4, P6], { stack, ...recorded(before) }).ips('default/a')).toEqual(after);
  });

  it.each([
    ['55', ['10.96.0.1', 'fd00::1']],
    ['56', ['fd00::1', '10.96.0.1']],
  ])('%s: RequireDualStack: IPv4 then IPv6 of one pool', (_, clusterIPs) => {
    const world = given([P4, P6, PD], { ...require, clusterIPs });
    expect(world.ips('default/a')).toEqual(['198.51.100.0', '2001:db8:1::']);
  });

  it('57: RequireDualStack and only single-family pools: AllocationFailed', () => {
    const world = given([P4, P6], require);
    expect(world.reasons('default/a')).toEqual(['AllocationFailed']);
    expect(world.lastMessage('default/a')).toContain('of one pool');
  });

  it('58: RequireDualStack with one cluster IP: "not enough clusterips"', () => {
    const world = given([PD], { ...require, clusterIPs: ['10.96.0.1'] });
    expect(world.reasons('default/a')).toEqual(['not enough clusterips']);
    expect(world.ips('default/a')).toEqual([]);
  });

  it('59: RequireDualStack with one recorded address: replaced by two', () => {
    const world = given([PD], { ...require, ...recorded(['198.51.100.3'], 'pd') });
    expect(world.ips('default/a')).toEqual(['198.51.100.0', '2001:db8:1::']);
  });

  it('60: PreferDualStack takes both from the mixed pool among others', () => {
    expect(given([P4, P6, PD], prefer).ips('default/a')).toEqual(['198.51.100.0', '2001:db8:1::']);
  });

  it('61: PreferDualStack and only single-family pools: the first family of ipFamilies', () => {
    expect(given([P4, P6], prefer).ips('default/a')).toEqual(['192.0.2.0']);
    const ipFamilies = ['IPv6', 'IPv4'];
    expect(given([P4, P6], { ...prefer, ipFamilies }).ips('default/a')).toEqual(['2001:db8::']);
  });

  it('62: the primary family is full: the other one', () => {
    const world = new World([pool('tiny', ['192.0.2.0/32']), P6]);
    world.apply(service('default/x'), service('default/a', prefer));
    expect(world.ips('default/a')).toEqual(['2001:db8::']);
  });

  it('63: PreferDualStack in a named IPv4-only pool: one IPv4', () => {
    const world = given([P4, PD], { ...prefer, annotations: ask({ 'address-pool': 'p4' }) });
    expect(world.ips('default/a')).toEqual(['192.0.2.0']);
  });

  it('64, Q10: PreferDualStack with one cluster IP gets one address, and stays so', () => {
    const world = given([PD], { ipFamilyPolicy: 'PreferDualStack' });
    expect(world.ips('default/a')).toEqual(['198.51.100.0']);
    world.forgetEvents();
    world.touch('default/a');
    world.touch('default/a');
    expect(world.writes).toEqual([]);
    expect(world.events).toEqual([]);
  });

  it('65, 66: its own pool gains the family: the second is appended; another pool gains it: nothing', () => {
    const world = given([P6, pool('p4', ['192.0.2.0/30'])], { ...prefer, ipFamilies: ['IPv6', 'IPv4'] });
    expect(world.ips('default/a')).toEqual(['2001:db8::']);
    world.configure([P6, PD]);
    expect(world.ips('default/a')).toEqual(['2001:db8::']);
    expect(world.reasons('default/a')).toEqual(['IPAllocated', 'AdditionalAssignFailed']);
    world.configure([pool('p6', ['2001:db8::/126', '192.0.2.8/30']), PD]);
    expect(world.ips('default/a')).toEqual(['2001:db8::', '192.0.2.8']);
    expect(world.lastMessage('default/a')).toBe('Assigned additional IP ["192.0.2.8"]');
  });

  it('65, Q9: the second is also appended when somebody gives one back', () => {
    const world = new World([pool('p', ['192.0.2.0/31', '2001:db8::/128'])]);
    world.apply(service('default/x', { stack: 'ipv6' }), service('default/a', prefer));
    expect(world.ips('default/a')).toEqual(['192.0.2.0']);
    world.delete('default/x');
    expect(world.ips('default/a')).toEqual(['192.0.2.0', '2001:db8::']);
  });

  it('67, 68: the pool loses a family: two of another mixed pool, or one', () => {
    const p = pool('p', ['192.0.2.0/30', '2001:db8::/126']);
    const world = given([p], prefer);
    world.configure([P4, PD]);
    expect(world.ips('default/a')).toEqual(['198.51.100.0', '2001:db8:1::']);
    world.configure([pool('pd', ['198.51.100.0/30'])]);
    expect(world.ips('default/a')).toEqual(['198.51.100.0']);
  });

  it('69: PreferDualStack with one becomes RequireDualStack without a mixed pool, and back', () => {
    const world = given([P4], prefer);
    world.edit('default/a', require);
    expect(world.ips('default/a')).toEqual([]);
    world.edit('default/a', prefer);
    expect(world.ips('default/a')).toEqual(['192.0.2.0']);
  });

  it('70: two addresses, then SingleStack: one', () => {
    const world = given([PD], require);
    world.edit('default/a', { stack: 'ipv4', ipFamilyPolicy: 'SingleStack' });
    expect(world.ips('default/a')).toEqual(['198.51.100.0']);
  });

  it('71: a matching reserved single-family pool comes before an open mixed one', () => {
    const reserved = pool('z', ['203.0.113.0/30'], { serviceAllocation: {} });
    expect(given([PD, reserved], prefer).ips('default/a')).toEqual(['203.0.113.0']);
  });

  it('72: among matching reserved pools the mixed one wins over the better priority', () => {
    const better = pool('a', ['203.0.113.0/30'], { serviceAllocation: { priority: 1 } });
    const mixed = pool('b', ['192.0.2.0/30', '2001:db8::/126'], { serviceAllocation: { priority: 2 } });
    expect(given([better, mixed], prefer).ips('default/a')).toEqual(['192.0.2.0', '2001:db8::']);
  });
});
