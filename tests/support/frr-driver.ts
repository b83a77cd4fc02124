/** Models for driver tests against FrrLab: a few peers, and routes by number. */
import { mergeRoutes, type BgpVerdict } from '#core/bgp/advertise.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import type { Grant } from '#core/bgp/route.ts';
import { buildModel } from '#core/frr/build.ts';
import type { FrrModel } from '#core/frr/model.ts';
import type { BgpPeer, Config } from '#core/model/config.ts';
import { cidrOf } from '#core/model/ip.ts';
import { address, config, node, peer } from '#tests/support/bgp-factories.ts';
import { OURS, ROUTER } from '#tests/support/frr-lab.ts';

/** Sessions to the lab's router, one per family; quick to come back. */
export const routerPeers: readonly BgpPeer[] = [
  peer('router', ROUTER.ipv4, { connectTime: 1 }),
  peer('router6', ROUTER.ipv6, { connectTime: 1 }),
];

/** The n-th host route of a large range. */
export function prefixOf(n: number): string {
  return `198.18.${n >> 8}.${n & 255}/32`;
}

/** Addresses that are announced alike. */
export interface Announced {
  readonly addresses: readonly string[];
  readonly attributes?: Partial<Grant>;
}

/** A model that announces these addresses to the peers, with the given attributes. */
export function announcing(
  addresses: readonly string[],
  part: Partial<Config> = {},
  attributes: Partial<Grant> = {},
): FrrModel {
  return announcingEach([{ addresses, attributes }], part);
}

/** A model that announces several lots of addresses, each with attributes of its own. */
export function announcingEach(lots: readonly Announced[], part: Partial<Config> = {}): FrrModel {
  const given = config({ peers: routerPeers, ...part });
  const names = given.peers.map(({ name }) => name).toSorted();
  const verdicts = lots.flatMap(({ addresses, attributes }) => {
    const grant: Grant = { peers: names, localPref: 0, communities: [], ...attributes };
    return addresses.map((text): BgpVerdict => {
      const ip = address(text.replace(/\/\d+$/, ''));
      const prefix = cidrOf(ip, ip.family === 'ipv4' ? 32 : 128);
      return {
        kind: 'announce',
        addresses: [ip],
        unserved: [],
        announcements: [{ advertisement: 'x', prefix, grant }],
        peers: names,
      };
    });
  });
  const context = bgpContext(given, node({ internalIPs: [OURS.ipv4] }), false);
  return buildModel(context, mergeRoutes(verdicts), { hostname: 'node-a', logLevel: 'informational' }).model;
}
