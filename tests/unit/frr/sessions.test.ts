import { describe, expect, it } from 'vitest';
import { compareRoutes, countMismatches, intendedPrefixes, intendedSessions } from '#core/frr/sessions.ts';
import { advertisement, config, peer, pool } from '#tests/support/bgp-factories.ts';
import { intended, observed } from '#tests/support/bgp-sessions.ts';
import { scenarioModel } from '#tests/support/frr-scenarios.ts';

const model = scenarioModel({
  name: 'two peers, one of which gets half, one of another VRF',
  config: config({
    pools: [pool('v4', '198.51.100.0/24'), pool('v6', '2001:db8:100::/112')],
    bgpAdvertisements: [
      advertisement('v4', { pools: ['v4'] }),
      advertisement('v6', { pools: ['v6'], peers: ['both'] }),
    ],
    peers: [
      peer('both', '10.0.0.1', { dualStackAddressFamily: true, password: 'secret' }),
      peer('v4', '10.0.0.2'),
      peer('red', '10.0.0.2', { vrf: 'red', localAsn: 64999 }),
    ],
  }),
  services: [['198.51.100.1'], ['198.51.100.2'], ['2001:db8:100::1']],
});

describe('what each neighbour should have been sent', () => {
  it('counts routes by family, of the router of its VRF', () => {
    const { sessions, hasRaw } = intendedSessions(model);
    expect(sessions.map(({ peer: name, vrf, routes }) => [name, vrf, routes])).toEqual([
      ['both', '', { ipv4: 2, ipv6: 1 }],
      ['v4', '', { ipv4: 2 }],
      ['red', 'red', { ipv4: 2 }],
    ]);
    expect(hasRaw).toBe(false);
    expect(sessions[2]?.myAsn).toBe(64999);
  });
  it('holds no password', () => {
    const { sessions } = intendedSessions(model);
    expect(sessions[0]?.hasPassword).toBe(true);
    expect(JSON.stringify(sessions)).not.toContain('secret');
  });
  it('knows an address of the node itself, but not in a VRF of its own', () => {
    const { sessions } = intendedSessions(model, new Set(['10.0.0.2']));
    expect(sessions.map(({ isOwnAddress }) => isOwnAddress)).toEqual([false, true, false]);
  });
  it('names the prefixes', () => {
    const target = { peer: 'both', vrf: '', neighbor: '10.0.0.1', family: 'ipv6' } as const;
    expect([...intendedPrefixes(model, target)]).toEqual(['2001:db8:100::1/128']);
    expect([...intendedPrefixes(model, { ...target, vrf: 'none' })]).toEqual([]);
  });
});

describe('what it was sent', () => {
  const target = { peer: 'v4', vrf: '', neighbor: '10.0.0.2', family: 'ipv4' } as const;
  it('missing and surplus prefixes', () => {
    expect(compareRoutes(model, target, ['198.51.100.2/32', '192.0.2.0/24'])).toEqual({
      missing: ['198.51.100.1/32'],
      surplus: ['192.0.2.0/24'],
    });
  });
  it('nothing is surplus where other people write too', () => {
    const raw = [{ owner: 'ConfigMap bgpextras', text: 'x' }];
    expect(compareRoutes({ ...model, raw }, target, ['192.0.2.0/24']).surplus).toEqual([]);
  });
  it.each([
    ['equal', { ipv4: 2 }, false, []],
    ['fewer', { ipv4: 1 }, false, ['ipv4']],
    ['more', { ipv4: 3 }, false, ['ipv4']],
    ['more, with other lines', { ipv4: 3 }, true, []],
    ['fewer, with other lines', { ipv4: 1 }, true, ['ipv4']],
    ['a family the router does not carry', {}, false, []],
  ])('numbers: %s', (_name, sent, hasRaw, expected) => {
    expect(countMismatches(intended(), observed({ sent }), hasRaw)).toEqual(expected);
  });
  it('a session that is down differs in nothing', () => {
    expect(countMismatches(intended(), observed({ state: 'Active', sent: { ipv4: 0 } }), false)).toEqual([]);
    expect(countMismatches(intended(), undefined, false)).toEqual([]);
  });
});
