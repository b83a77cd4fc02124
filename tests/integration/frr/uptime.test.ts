/** Whatever Services and advertisements come to, no session ever notices: any sequence of routes and attributes. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { granted } from '#core/bgp/route.ts';
import { diff } from '#core/frr/diff.ts';
import type { FrrModel } from '#core/frr/model.ts';
import { parseConfig } from '#core/frr/tree.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { community, peer } from '#tests/support/bgp-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { announcing, announcingEach } from '#tests/support/frr-driver.ts';
import { OURS, ROUTER } from '#tests/support/frr-lab.ts';
import { LONG, SessionLab } from '#tests/support/session-lab.ts';

/** FRR_MODELS takes more (or fewer) than a test run has time for. */
const MODELS = Number(process.env['FRR_MODELS'] ?? 60);
const NAMES = ['router', 'router6'];
const peers = [
  peer('router', ROUTER.ipv4, { connectTime: 1 }),
  peer('router6', ROUTER.ipv6, { connectTime: 1 }),
];
const render = loadTemplates('frr-templates');
let s: SessionLab;

beforeAll(async () => {
  s = await SessionLab.start('bgpupt');
  s.open();
  const neighbor = ['remote-as 64512', 'passive'];
  await s.router(64513, { [OURS.ipv4]: neighbor, [OURS.ipv6]: neighbor });
});
afterAll(async () => {
  await s?.close();
  await s?.down();
});

/** Routes of one advertisement: some addresses with one grant. */
const part = fc.record({
  hosts: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 6 }),
  grant: fc.record({
    peers: fc.subarray(NAMES, { minLength: 1 }),
    localPref: fc.constantFrom(0, 100),
    med: fc.constantFrom(0, 50),
    asPathPrepend: fc.constantFrom(0, 2),
    communities: fc.subarray(['64512:1', '65535:666', 'large:1:2:3']).map((texts) => texts.map(community)),
  }),
});

interface World {
  readonly model: FrrModel;
  readonly received: Readonly<Record<'ipv4' | 'ipv6', readonly string[]>>;
}

/** Two advertisements with addresses of their own, IPv4 and IPv6. */
const worlds: fc.Arbitrary<World> = fc.tuple(part, part).map((parts) => {
  const prefixes = (family: 'ipv4' | 'ipv6', peerName: string): string[] =>
    parts.flatMap(({ hosts, grant }, at) =>
      grant.peers.includes(peerName)
        ? hosts.map((host) =>
            family === 'ipv4' ? `198.18.${at}.${host}/32` : `2001:db8:${at + 1}::${host}/128`,
          )
        : [],
    );
  const lots = parts.map(({ hosts, grant }, at) => ({
    addresses: hosts.flatMap((host) => [`198.18.${at}.${host}`, `2001:db8:${at + 1}::${host}`]),
    attributes: { peers: grant.peers, communities: grant.communities, ...granted(grant) },
  }));
  return {
    model: announcingEach(lots, { peers }),
    received: { ipv4: prefixes('ipv4', 'router').toSorted(), ipv6: prefixes('ipv6', 'router6').toSorted() },
  };
});

describe('sessions while routes and attributes change', () => {
  it('no line of a neighbour is typed, the router has just what it should have, and no session is reset', async () => {
    let before = announcing([], { peers });
    s.port.setDesired(before);
    await s.settled();
    await s.established(OURS.ipv4);
    await s.established(OURS.ipv6);
    let applied = 0;
    await fc.assert(
      fc.asyncProperty(worlds, async ({ model, received }) => {
        const lines = diff(parseConfig(render(before)), parseConfig(render(model)));
        expect(
          lines.filter(({ neighbor, path }) => neighbor !== undefined || path[0]?.includes('-in ')),
        ).toEqual([]);
        before = model;
        s.port.setDesired(model);
        await s.settled();
        applied += 1;
        await eventually(async () => {
          for (const family of ['ipv4', 'ipv6'] as const)
            expect(await s.lab.received(family)).toEqual(received[family]);
        }, LONG);
        for (const neighbor of [OURS.ipv4, OURS.ipv6]) {
          const { connectionsEstablished, connectionsDropped } = await s.at(neighbor);
          expect([connectionsEstablished, connectionsDropped]).toEqual([1, 0]);
        }
      }),
      { numRuns: MODELS, endOnFailure: true },
    );
    expect(applied).toBe(MODELS);
  });
});
