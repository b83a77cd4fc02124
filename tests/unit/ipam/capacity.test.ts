/** controller.md §8 G: addresses, capacity, counters; §3.11. */
import { describe, expect, it } from 'vitest';
import { AddressSpace, FreeSet } from '#core/ipam/free-set.ts';
import { poolStatus } from '#core/status/pool-status.ts';
import { Allocations } from '#core/ipam/allocations.ts';
import { ask, pool, service, tcp, World, type PoolOptions } from '#tests/support/ipam.ts';

const MAX = 9223372036854775807n;
const buggy = { avoidBuggyIPs: true };

/** All addresses a pool gives to single-stack IPv4 Services, in order. */
function order(entries: readonly string[], options: PoolOptions = {}): string[] {
  const world = new World([pool('p', entries, options)]);
  const given: string[] = [];
  for (let index = 0; index < 12; index += 1) {
    const key = `n/s${index}`;
    world.apply(service(key));
    given.push(...world.ips(key));
  }
  return given;
}

function capacity(entries: readonly string[], options: PoolOptions = {}): [bigint, bigint] {
  const allocations = new Allocations();
  allocations.setPools([pool('p', entries, options)]);
  const counters = allocations.counters('p');
  return [counters?.ipv4.capacity ?? -1n, counters?.ipv6.capacity ?? -1n];
}

describe('addresses and capacity', () => {
  it.each([
    ['103', ['192.0.2.0/31'], {}, ['192.0.2.0', '192.0.2.1']],
    ['103', ['192.0.2.0/31'], buggy, ['192.0.2.1']],
    ['103', ['192.0.2.254/31'], buggy, ['192.0.2.254']],
    ['104', ['192.0.2.8/31', '192.0.2.0/31'], {}, ['192.0.2.8', '192.0.2.9', '192.0.2.0', '192.0.2.1']],
    ['105', ['192.0.2.5-192.0.2.7'], {}, ['192.0.2.5', '192.0.2.6', '192.0.2.7']],
    [
      'excluded',
      ['192.0.2.8/30', '192.0.2.0/30'],
      { excluded: ['192.0.2.2', '192.0.2.9-192.0.2.10', '192.0.2.0/31', '10.0.0.0/8'] },
      ['192.0.2.8', '192.0.2.11', '192.0.2.3'],
    ],
    ['105', ['192.0.2.254-192.0.3.2'], buggy, ['192.0.2.254', '192.0.3.1', '192.0.3.2']],
  ] as const)('%s: %j %j gives %j', (_, entries, options, expected) => {
    expect(order(entries, options)).toEqual(expected);
  });

  it('106: the one address that is released is the next one given', () => {
    const world = new World([pool('p', ['192.0.2.0/30'])]);
    world.apply(service('n/a'), service('n/b'), service('n/c'), service('n/d'));
    world.delete('n/b');
    world.apply(service('n/e'));
    expect(world.ips('n/e')).toEqual(['192.0.2.1']);
  });

  it.each([
    ['107', ['192.0.2.0/24', '198.51.100.128/25'], {}, [384n, 0n]],
    ['107', ['192.0.2.0/24', '198.51.100.128/25'], buggy, [381n, 0n]],
    ['108', ['192.0.2.0/30', '2001:db8::/64'], {}, [4n, MAX]],
    ['Q16', ['2001:db8::/64', '2001:db8:1::/126'], {}, [0n, MAX]],
    ['Q17', ['192.0.2.0/32'], buggy, [0n, 0n]],
    ['109', ['192.0.2.0/31', '2001:db8::/127'], buggy, [1n, 2n]],
    ['3.11', ['10.0.0.0/16'], buggy, [65024n, 0n]],
    ['3.11', ['10.0.0.0/25'], buggy, [127n, 0n]],
    ['3.11', ['10.0.0.64/26'], buggy, [64n, 0n]],
    ['3.11', ['2001:db8::/120'], buggy, [0n, 256n]],
    [
      'excluded',
      ['192.0.2.0/24'],
      { ...buggy, excluded: ['192.0.2.0/28', '192.0.2.8-192.0.2.31'] },
      [223n, 0n],
    ],
    ['excluded', ['2001:db8::/64'], { excluded: ['2001:db8::/80'] }, [0n, MAX]],
    ['excluded', ['2001:db8::/64'], { excluded: ['2001:db8::10-2001:db8::ffff:ffff:ffff:ffff'] }, [0n, 16n]],
    ['excluded', ['192.0.2.0/24'], { excluded: ['0.0.0.0/0'] }, [0n, 0n]],
    ['3.11', ['2001:db8::/67'], {}, [0n, 1n << 61n]],
    ['3.11', ['2001:db8::/66'], {}, [0n, MAX]],
  ] as const)('%s: capacity of %j %j', (_, entries, options, expected) => {
    expect(capacity(entries, options)).toEqual(expected);
  });

  it('110, 153, 154: counters follow bookings; a shared address counts once', () => {
    const world = new World([pool('p', ['192.0.2.0/30', '2001:db8::/126'])]);
    const status = (): unknown => poolStatus(world.ipam.allocations.counters('p'));
    expect(status()).toEqual({ assignedIPv4: 0n, assignedIPv6: 0n, availableIPv4: 4n, availableIPv6: 4n });
    const annotations = ask({ 'allow-shared-ip': 'k' });
    world.apply(service('n/a', { annotations, loadBalancerIP: '192.0.2.1' }));
    world.apply(service('n/b', { annotations, loadBalancerIP: '192.0.2.1', ports: [tcp(81)] }));
    world.apply(service('n/c', { stack: 'ipv6' }));
    expect(status()).toEqual({ assignedIPv4: 1n, assignedIPv6: 1n, availableIPv4: 3n, availableIPv6: 3n });
    for (const key of ['n/a', 'n/b', 'n/c']) world.delete(key);
    expect(status()).toEqual({ assignedIPv4: 0n, assignedIPv6: 0n, availableIPv4: 4n, availableIPv6: 4n });
  });

  it('108: with an address in use, one less than int64 allows is available', () => {
    const world = new World([pool('p', ['2001:db8::/64'])]);
    world.apply(service('n/a', { stack: 'ipv6' }));
    expect(poolStatus(world.ipam.allocations.counters('p')).availableIPv6).toBe(MAX - 1n);
  });

  it('111: a removed pool has no counters; its status would be all zero', () => {
    const world = new World([pool('p', ['192.0.2.0/30'])]);
    world.apply(service('n/a'));
    const { pools } = world.ipam.configure([], world.services.values());
    expect([...pools]).toEqual(['p']);
    expect(world.ipam.allocations.counters('p')).toBeUndefined();
    expect(Object.values(poolStatus(undefined))).toEqual([0n, 0n, 0n, 0n]);
  });

  it('112: every booking and release names the pool; an unchanged Service names none', () => {
    const world = new World([pool('p', ['192.0.2.0/30'])]);
    const view = service('n/a');
    expect([...world.ipam.decide(view).pools]).toEqual(['p']);
    expect([...world.ipam.decide(view).pools]).toEqual([]);
    expect([...world.ipam.forget('n/a').pools]).toEqual(['p']);
  });

  it('113: a refused booking leaves everything as it was', () => {
    const world = new World([pool('p', ['192.0.2.0/30'])]);
    world.apply(service('n/a'), service('n/b'));
    const { allocations } = world.ipam;
    const held = allocations.bookings.get('n/b');
    if (held === undefined) throw new Error('n/b holds nothing');
    const other = allocations.bookings.get('n/a')?.addresses ?? [];
    expect(allocations.book(held.claim, other).ok).toBe(false);
    expect(allocations.bookings.get('n/b')).toBe(held);
    expect(allocations.counters('p')?.ipv4.inUse).toBe(2n);
  });
});

describe('free set', () => {
  it('a /64 costs one interval, and an address in its middle two', () => {
    const space = new AddressSpace(pool('p', ['2001:db8::/64']), 'ipv6');
    const free = new FreeSet(space.size);
    expect(free.intervals).toBe(1);
    free.take(1n << 40n);
    expect(free.intervals).toBe(2);
    expect(free.lowest()).toBe(0n);
  });

  it('merges neighbours on both sides and answers take and give truthfully', () => {
    const free = new FreeSet(10n);
    for (const rank of [3n, 5n, 4n]) expect(free.take(rank)).toBe(true);
    expect(free.take(4n)).toBe(false);
    expect([free.has(3n), free.has(4n), free.has(6n)]).toEqual([false, false, true]);
    for (const rank of [3n, 5n, 4n]) expect(free.give(rank)).toBe(true);
    expect(free.give(4n)).toBe(false);
    expect(free.intervals).toBe(1);
    expect(new FreeSet(0n).lowest()).toBeUndefined();
  });

  it('an exhausted /16 with avoidBuggyIPs leaves nothing to look through', () => {
    const space = new AddressSpace(pool('p', ['10.1.0.0/22'], buggy), 'ipv4');
    const free = new FreeSet(space.size);
    for (let rank = free.lowest(); rank !== undefined; rank = free.lowest()) {
      const address = space.address(rank);
      expect([0n, 255n]).not.toContain(address.value & 0xffn);
      expect(space.rank(address)).toBe(rank);
      free.take(rank);
    }
    expect(free.intervals).toBe(0);
  });
});
