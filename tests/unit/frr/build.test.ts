import { describe, expect, it } from 'vitest';
import { bgpContext } from '#core/bgp/gates.ts';
import { buildModel } from '#core/frr/build.ts';
import { tagClasses } from '#core/frr/tags.ts';
import type { BgpPeer } from '#core/model/config.ts';
import type { NodeView } from '#core/model/views.ts';
import { address, config, node, peer } from '#tests/support/bgp-factories.ts';

function build(peers: readonly BgpPeer[], part: Partial<NodeView> = {}): ReturnType<typeof buildModel> {
  const context = bgpContext(config({ peers }), node(part), false);
  return buildModel(context, [], { hostname: 'n', logLevel: 'errors' });
}

describe('model of one FRR', () => {
  it('#2 a peer without routes has its session', () => {
    expect(build([peer('a', '10.0.0.1')]).model.routers).toMatchObject([{ asn: 64512, networks: [] }]);
  });
  it('#60 #61 contradicting peers are refused one by one, the first by name stays', () => {
    const { model, refused } = build([
      peer('a', '10.0.0.1'),
      peer('b', '10.0.0.1'),
      peer('c', '10.0.0.3', { myAsn: 65000 }),
      peer('d', '10.0.0.1', { vrf: 'red' }),
    ]);
    expect(model.routers.map(({ neighbors }) => neighbors.map(({ name }) => name))).toEqual([['a'], ['d']]);
    expect(refused.map((each) => each.peer)).toEqual(['b', 'c']);
    expect(refused[0]?.message).toContain('BGPPeer a already uses 10.0.0.1');
  });
  it('#63 the router id: asked for, else an address of the node, else derived from its name (A12, W21)', () => {
    const id = (...args: Parameters<typeof build>): string | undefined =>
      build(...args).model.routers[0]?.routerId;
    expect(id([peer('a', '10.0.0.1', { routerId: address('1.1.1.1') })])).toBe('1.1.1.1');
    expect(id([peer('a', '10.0.0.1')])).toBe('10.0.0.42');
    const derived = id([peer('a', 'fd00::1')], { internalIPs: ['fd00::42'] });
    expect(derived).toMatch(/^(\d{1,2}|1\d\d|2[01]\d|22[0-3])\.\d+\.\d+\.\d+$/);
    expect(id([peer('a', 'fd00::1')], { internalIPs: ['fd00::42'] })).toBe(derived);
    expect(id([peer('a', 'fd00::1')], { name: 'node-b', internalIPs: [] })).not.toBe(derived);
  });
  it('tags are stable, different, and fit below the closing entry', () => {
    const keys = Array.from({ length: 2000 }, (_, i) => `class ${i}`);
    const tags = tagClasses(keys);
    expect(new Set(tags.values()).size).toBe(2000);
    expect(Math.max(...tags.values())).toBeLessThanOrEqual(64_000);
    expect(Math.min(...tags.values())).toBeGreaterThanOrEqual(1);
    expect(tagClasses(keys.toReversed())).toEqual(tags);
    expect(tagClasses(['class 7']).get('class 7')).toBe(tagClasses(['class 7', 'other']).get('class 7'));
  });
});
