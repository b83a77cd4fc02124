/** Addresses that are kept for one Service: who gets them, who is refused, who is woken. */
import { describe, expect, it } from 'vitest';
import { ask, pool, recorded, service, tcp, World } from '#tests/support/ipam.ts';

const dual = { stack: 'dual', ipFamilyPolicy: 'RequireDualStack' } as const;

describe('reservations', () => {
  it('are passed over by others, and the owner gets just those', () => {
    const world = new World([pool('p', ['192.0.2.0/30'])]);
    world.reserve('r', 'n/owner', ['192.0.2.0']);
    world.apply(service('n/a'), service('n/owner'));
    expect(world.ips('n/a')).toEqual(['192.0.2.1']);
    expect(world.ips('n/owner')).toEqual(['192.0.2.0']);
    expect(world.reasons('n/owner')).toEqual(['IPAllocated', 'ReservationUsed']);
  });

  it('come back to the same name only, also after a restart', () => {
    const world = new World([pool('p', ['192.0.2.0/31'])]);
    world.apply(service('n/a'), service('n/b'));
    world.reserve('n.a', 'n/a', ['192.0.2.0']);
    world.delete('n/a');
    world.restart();
    world.apply(service('m/a'));
    expect(world.ips('m/a')).toEqual([]);
    expect(world.lastMessage('m/a')).toMatch(/in use or reserved for other Services \(1, IPReservation\)/);
    world.apply(service('n/a'));
    expect(world.ips('n/a')).toEqual(['192.0.2.0']);
  });

  it('are refused on request, with owner and object, and the end of one wakes who waits', () => {
    const world = new World([pool('p', ['192.0.2.0/30'])]);
    world.reserve('r', 'n/owner', ['192.0.2.1']);
    world.apply(service('n/a', { loadBalancerIP: '192.0.2.1' }));
    expect(world.ips('n/a')).toEqual([]);
    expect(world.lastMessage('n/a')).toMatch(
      /"192\.0\.2\.1" is reserved for Service "n\/owner" \(IPReservation "r"\)/,
    );
    world.reserve('r', 'n/owner');
    expect(world.ips('n/a')).toEqual(['192.0.2.1']);
  });

  it('wake the owner that waits: when made, and when the present user leaves', () => {
    const world = new World([pool('p', ['192.0.2.0/32'])]);
    world.apply(service('n/user'), service('n/old'), service('n/owner'));
    world.reserve('r', 'n/owner', ['192.0.2.0']);
    expect(world.ips('n/user')).toEqual(['192.0.2.0']);
    world.delete('n/user');
    expect([world.ips('n/old'), world.ips('n/owner')]).toEqual([[], ['192.0.2.0']]);
  });

  it('do not take away what is recorded, whatever the order of a restart', () => {
    const world = new World([pool('p', ['192.0.2.0/30'])]);
    world.apply(service('n/a'));
    world.reserve('r', 'n/owner', ['192.0.2.0']);
    world.restart();
    expect(world.ips('n/a')).toEqual(['192.0.2.0']);
    world.apply(service('n/owner'));
    expect(world.ips('n/owner')).toEqual(['192.0.2.1']);
    expect(world.reasons('n/owner')).toContain('ReservationNotUsed');
  });

  it('hold for sharers: each owner may come back, others join by the sharing rules while it is in use', () => {
    const shared = (port: number) => ({ annotations: ask({ 'allow-shared-ip': 'k' }), ports: [tcp(port)] });
    const world = new World([pool('p', ['192.0.2.0/32'])]);
    world.apply(service('n/a', shared(1)), service('n/b', shared(2)));
    world.reserve('n.a', 'n/a', ['192.0.2.0']);
    world.reserve('n.b', 'n/b', ['192.0.2.0']);
    world.delete('n/a');
    world.delete('n/b');
    world.apply(service('n/c', shared(3)));
    expect(world.ips('n/c')).toEqual([]);
    world.apply(service('n/b', shared(2)));
    expect(world.ips('n/b')).toEqual(['192.0.2.0']);
    expect(world.ips('n/c')).toEqual(['192.0.2.0']);
  });

  it('serve dual stack: both, or the reserved one and another of the same pool', () => {
    const world = new World([pool('p', ['192.0.2.0/30', '2001:db8::/126'])]);
    world.reserve('r', 'n/a', ['192.0.2.2', '2001:db8::3']);
    world.reserve('s', 'n/b', ['2001:db8::2']);
    world.apply(service('n/a', dual), service('n/b', dual));
    expect(world.ips('n/a')).toEqual(['192.0.2.2', '2001:db8::3']);
    expect(world.ips('n/b')).toEqual(['192.0.2.0', '2001:db8::2']);
  });

  it('serve with what can be had of them: one address of two, when the other is of another pool', () => {
    const world = new World([pool('p', ['192.0.2.1/32']), pool('q', ['2001:db8::/127'])]);
    world.reserve('r', 'n/a', ['192.0.2.1', '2001:db8::1']);
    const prefers = { ...dual, ipFamilyPolicy: 'PreferDualStack' as const };
    world.apply(service('n/a', { ...prefers, annotations: ask({ 'address-pool': 'p' }) }));
    expect(world.ips('n/a')).toEqual(['192.0.2.1']);
    world.delete('n/a');
    world.apply(service('n/b', { annotations: ask({ 'address-pool': 'p' }) }));
    expect(world.ips('n/b')).toEqual([]);
    world.apply(service('n/a', { ...prefers, ipFamilies: ['IPv6'] }));
    expect(world.ips('n/a')).toEqual(['2001:db8::1']);
  });

  it('follow the address when pools are renamed, and wait for a pool that has it', () => {
    const world = new World([pool('p', ['192.0.2.0/31'])]);
    world.reserve('r', 'n/owner', ['192.0.2.0']);
    world.configure([pool('q', ['198.51.100.0/32'])]);
    world.configure([pool('q', ['192.0.2.0/30'])]);
    world.apply(service('n/a'));
    expect(world.ips('n/a')).toEqual(['192.0.2.1']);
    const counters = world.ipam.allocations.counters('q')?.ipv4;
    expect(counters).toEqual({ capacity: 4n, inUse: 1n, reserved: 1n });
  });

  it('count right when users come and go before and after the reservation and a change of pools', () => {
    const world = new World([pool('p', ['192.0.2.0/31'])]);
    world.apply(service('n/a', recorded(['192.0.2.1'], 'p')));
    world.reserve('r', 'n/a', ['192.0.2.1']);
    world.configure([pool('p', ['192.0.2.0/30'])]);
    const counters = () => world.ipam.allocations.counters('p')?.ipv4;
    expect(counters()).toEqual({ capacity: 4n, inUse: 1n, reserved: 0n });
    world.delete('n/a');
    expect(counters()).toEqual({ capacity: 4n, inUse: 0n, reserved: 1n });
    world.reserve('r', 'n/a');
    expect(counters()).toEqual({ capacity: 4n, inUse: 0n, reserved: 0n });
  });

  it.each(['soon', '24', '-1h', '0', '100000h'])('reserve-for %j is told by an Event and ignored', (text) => {
    const world = new World([pool('p', ['192.0.2.0/30'])]);
    world.apply(service('n/a', { annotations: ask({ 'reserve-for': text }) }));
    expect(world.ips('n/a')).toEqual(['192.0.2.0']);
    expect(world.events.find(({ reason }) => reason === 'InvalidReserveFor')?.message).toContain(`"${text}"`);
  });
});
