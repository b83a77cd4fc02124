/** Adoption: what a MetalLB installation has stored compiles as it is (api.md §5). */
import { describe, expect, it } from 'vitest';
import { requestedAddresses, requestedPool, claimOf } from '#core/ipam/request.ts';
import { codes, compiled, bgpAdv, object, peer, pool } from '#tests/support/config-factories.ts';
import { service } from '#tests/support/ipam.ts';

describe('Adoption of a MetalLB installation', () => {
  it('peers that were converted from v1beta1 have zero timers: taken as they are, and nobody is shut out', () => {
    const converted = { holdTime: '0s', keepaliveTime: '0s', nodeSelectors: [{}], passwordSecret: {}, disableMP: false };
    const { config, problems } = compiled([
      peer('converted', converted),
      peer('hold-only', { peerAddress: '192.0.2.2', holdTime: '90s', keepaliveTime: '0s' }),
      object('BGPPeer', 'port-zero', { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.3', peerPort: 0 }),
    ]);
    expect(problems).toEqual([]);
    expect(config.peers.map(({ name, timers, port }) => [name, timers, port])).toEqual([
      ['converted', { hold: 0, keepalive: 0 }, 179],
      ['hold-only', { hold: 90, keepalive: 0 }, 179],
      ['port-zero', undefined, 179],
    ]);
  });

  it('a peer that only had keepaliveTime was never valid there either: told, and the others go on', () => {
    const stored = [peer('broken', { holdTime: '0s', keepaliveTime: '10s' }), peer('sound', { peerAddress: '192.0.2.2' })];
    expect(codes(stored)).toEqual(['PEER-9']);
    expect(compiled(stored).config.peers.map(({ name }) => name)).toEqual(['sound']);
  });

  it('objects with defaults spelled out, as they come back from the API server', () => {
    const spec = { autoAssign: true, avoidBuggyIPs: false };
    const lengths = { aggregationLength: 32, aggregationLengthV6: 128 };
    expect(codes([pool('p', ['192.0.2.10 - 192.0.2.20'], spec), bgpAdv('a', lengths)])).toEqual([]);
  });

  it('annotations under the old prefix are read', () => {
    const annotations = {
      'metallb.universe.tf/address-pool': 'p',
      'metallb.universe.tf/loadBalancerIPs': '192.0.2.10',
      'metallb.universe.tf/allow-shared-ip': 'k',
    };
    const old = service('default/a', { annotations });
    expect(requestedPool(old)).toBe('p');
    expect(requestedAddresses(old)).toMatchObject({ addresses: [{ family: 'ipv4' }] });
    expect(claimOf(old)).toMatchObject({ sharingKey: 'k' });
  });
});
