/** controller.md §8, 125: pools whose objects have problems. */
import { describe, expect, it } from 'vitest';
import { brokenPools } from '#core/ipam/broken.ts';
import { ask, pool, recorded, service, World } from '#tests/support/ipam.ts';

const good = pool('good', ['192.0.2.0/28']);
const broken = new Set(['bad']);

describe('broken pools', () => {
  it('are those that a problem names', () => {
    const problem = { code: '', field: '', message: '', remedy: '', summary: '' };
    const object = (kind: string, name: string): object => ({ kind, namespace: 'n', name });
    const problems = [
      { ...problem, object: object('IPAddressPool', 'bad') },
      { ...problem, object: object('Community', 'c') },
    ];
    expect([...brokenPools(problems as Parameters<typeof brokenPools>[0])]).toEqual(['bad']);
  });

  it('without an earlier form freeze what is recorded from them, and give nothing', () => {
    for (const usable of [[good], []]) {
      const world = new World();
      world.services.set('n/a', service('n/a', recorded(['198.51.100.1'], 'bad')));
      world.services.set('n/b', service('n/b', recorded(['203.0.113.1'], 'gone')));
      world.services.set('n/c', service('n/c', { annotations: ask({ 'address-pool': 'bad' }) }));
      world.ipam.configure(usable, world.services.values(), broken);
      for (const key of ['n/a', 'n/b', 'n/c']) world.touch(key);
      expect(world.ips('n/a')).toEqual(['198.51.100.1']);
      expect(world.poolOf('n/a')).toBe('bad');
      expect(world.reasons('n/a')).toEqual([]);
      expect(world.ips('n/b')).toEqual(usable.length === 0 ? [] : ['192.0.2.0']);
      expect(world.lastMessage('n/c')).toMatch(/unknown pool "bad".*problems/);
    }
  });
});
