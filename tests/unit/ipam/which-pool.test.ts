/** controller.md §8 F: which pool. */
import { describe, expect, it } from 'vitest';
import type { Pool } from '#core/model/config.ts';
import { app, ask, pool, service, World } from '#tests/support/ipam.ts';

const open = pool('a-open', ['203.0.113.0/30']);
const pinned = (name: string, addresses: string, allocation: Partial<Pool['serviceAllocation']>): Pool =>
  pool(name, [addresses], { serviceAllocation: { ...allocation } });

describe('which pool', () => {
  it('91, 92: autoAssign false is never used automatically', () => {
    const manual = pool('a', ['192.0.2.0/30'], { autoAssign: false });
    const world = new World([manual]);
    world.apply(service('n/a'));
    expect(world.ips('n/a')).toEqual([]);
    expect(world.lastMessage('n/a')).toContain('autoAssign');
    world.configure([manual, pool('b', ['198.51.100.0/30'])]);
    expect(world.ips('n/a')).toEqual(['198.51.100.0']);
  });

  it('93: a pool reserved for the namespace comes before an open one', () => {
    const world = new World([open, pinned('z', '192.0.2.0/30', { namespaces: ['n'] })]);
    world.apply(service('n/a'), service('other/a'));
    expect(world.ips('n/a')).toEqual(['192.0.2.0']);
    expect(world.ips('other/a')).toEqual(['203.0.113.0']);
  });

  it('94: priorities 10, 20, none, in that order', () => {
    const world = new World([
      pinned('none', '192.0.2.1/32', { namespaces: ['n'] }),
      pinned('twenty', '192.0.2.2/32', { namespaces: ['n'], priority: 20 }),
      pinned('ten', '192.0.2.3/32', { namespaces: ['n'], priority: 10 }),
    ]);
    world.apply(service('n/a'), service('n/b'), service('n/c'));
    expect(['n/a', 'n/b', 'n/c'].map((key) => world.poolOf(key))).toEqual(['ten', 'twenty', 'none']);
  });

  it('95: only a priority: serves everybody, the lower number first', () => {
    const world = new World([
      open,
      pinned('b', '192.0.2.1/32', { priority: 2 }),
      pinned('c', '192.0.2.2/32', { priority: 1 }),
    ]);
    world.apply(service('n/a'), service('n/b'), service('n/c'));
    expect(['n/a', 'n/b', 'n/c'].map((key) => world.poolOf(key))).toEqual(['c', 'b', 'a-open']);
  });

  it('96: by labels: matching Services by priority, others never', () => {
    const world = new World([
      pinned('b', '192.0.2.1/32', { serviceSelectors: [app('x')], priority: 2 }),
      pinned('c', '192.0.2.2/32', { serviceSelectors: [app('x'), app('y')], priority: 1 }),
    ]);
    world.apply(service('n/a', { labels: { app: 'x' } }), service('n/b', { labels: { app: 'x' } }));
    world.apply(service('n/c', { labels: { app: 'z' } }));
    expect(['n/a', 'n/b', 'n/c'].map((key) => world.poolOf(key))).toEqual(['c', 'b', undefined]);
  });

  it('97: namespace and labels must both match', () => {
    const world = new World([
      pinned('p', '192.0.2.0/30', { namespaces: ['n'], serviceSelectors: [app('x')] }),
    ]);
    const labels = { app: 'x' };
    world.apply(service('n/a', { labels }), service('n/b'), service('other/c', { labels }));
    expect(['n/a', 'n/b', 'other/c'].map((key) => world.poolOf(key))).toEqual(['p', undefined, undefined]);
  });

  it('98: all matching reserved pools are full: an open one', () => {
    const world = new World([open, pinned('p', '192.0.2.1/32', { namespaces: ['n'] })]);
    world.apply(service('n/a'), service('n/b'));
    expect(world.poolOf('n/b')).toBe('a-open');
  });

  it('99: a namespace joins: new Services use the pool, existing ones stay', () => {
    const world = new World([open, pinned('p', '192.0.2.0/30', { namespaces: [] })]);
    world.apply(service('n/a'));
    world.configure([open, pinned('p', '192.0.2.0/30', { namespaces: ['n'] })]);
    world.apply(service('n/b'));
    expect(world.poolOf('n/a')).toBe('a-open');
    expect(world.poolOf('n/b')).toBe('p');
  });

  it('Q13: a namespace selector that matches nothing blocks everybody', () => {
    const world = new World([pinned('p', '192.0.2.0/30', { namespaces: [] })]);
    world.apply(service('n/a'), service('n/b', { loadBalancerIP: '192.0.2.1' }));
    world.apply(service('n/c', { annotations: ask({ 'address-pool': 'p' }) }));
    expect(['n/a', 'n/b', 'n/c'].flatMap((key) => world.ips(key))).toEqual([]);
  });

  it('100: address-pool naming a pool reserved for others fails', () => {
    const world = new World([pinned('p', '192.0.2.0/30', { namespaces: ['other'] })]);
    world.apply(service('n/a', { annotations: ask({ 'address-pool': 'p' }) }));
    expect(world.ips('n/a')).toEqual([]);
    expect(world.lastMessage('n/a')).toContain('"p" is reserved for other Services');
  });

  it('101: matching labels are removed: the Service leaves the pool', () => {
    const world = new World([open, pinned('p', '192.0.2.0/30', { serviceSelectors: [app('x')] })]);
    world.apply(service('n/a', { labels: { app: 'x' } }));
    world.edit('n/a', { labels: {} });
    expect(world.ips('n/a')).toEqual(['203.0.113.0']);
    expect(world.reasons('n/a')).toEqual(['IPAllocated', 'ClearAssignment', 'IPAllocated']);
  });

  it('102: of two open pools the first by name, and there the lowest address', () => {
    const world = new World([pool('b', ['192.0.2.0/30']), open]);
    world.apply(service('n/a'));
    expect(world.ips('n/a')).toEqual(['203.0.113.0']);
  });

  it('negative priorities rank like none', () => {
    const world = new World([
      pinned('a', '192.0.2.1/32', { priority: -5 }),
      pinned('b', '192.0.2.2/32', { priority: 7 }),
    ]);
    world.apply(service('n/a'));
    expect(world.poolOf('n/a')).toBe('b');
  });
});
