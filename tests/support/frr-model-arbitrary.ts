/** Arbitrary configurations of one FRR, for property tests against the interpreter and against a real FRR. */
import fc from 'fast-check';
import { mergeRoutes, type BgpVerdict } from '#core/bgp/advertise.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import { granted, uniteCommunities } from '#core/bgp/route.ts';
import { buildModel } from '#core/frr/build.ts';
import type { FrrModel } from '#core/frr/model.ts';
import type { BfdProfile, BgpPeer } from '#core/model/config.ts';
import { cidrOf } from '#core/model/ip.ts';
import { address, community, config, node, peer } from '#tests/support/bgp-factories.ts';

const endpoints = ['10.77.0.2', '203.0.113.9', 'fd77::2', '2001:db8:1::9', 'eth1'] as const;

function maybe<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined });
}

function isOwnAs({ remoteAs }: Pick<BgpPeer, 'remoteAs'>): boolean {
  return remoteAs.kind === 'internal' || (remoteAs.kind === 'asn' && remoteAs.asn === 64512);
}

const peerArbitrary = (endpoint: string, vrf: string): fc.Arbitrary<BgpPeer> =>
  fc
    .record({
      remoteAs: fc.oneof(
        fc.constantFrom({ kind: 'external' } as const, { kind: 'internal' } as const),
        fc.constantFrom(64512, 64513, 4_200_000_000).map((asn) => ({ kind: 'asn', asn }) as const),
      ),
      localAsn: maybe(fc.constant(65010)),
      port: fc.constantFrom(179, 1179),
      timers: maybe(fc.constantFrom({ hold: 9, keepalive: 3 }, { hold: 0, keepalive: 0 })),
      connectTime: maybe(fc.constantFrom(5, 10)),
      password: maybe(fc.constantFrom('s3cret', 'a?b|c!d', '"q\'#', 'no')),
      bfdProfile: maybe(fc.constantFrom('fast', 'far')),
      gracefulRestart: fc.boolean(),
      ebgpMultiHop: fc.boolean(),
      dualStackAddressFamily: fc.boolean(),
      sourceAddress:
        endpoint === '10.77.0.2' ? maybe(fc.constant(address('10.77.0.1'))) : fc.constant(undefined),
    })
    .map((part) =>
      peer(`${vrf}p${endpoint}`, endpoint, {
        ...part,
        vrf,
        ...(endpoint === 'eth1' || isOwnAs(part) ? { ebgpMultiHop: false } : {}),
        // FRR shows or hides `ebgp-multihop` here, depending on what was typed before.
        ...(endpoint === 'eth1' && isOwnAs(part) ? { localAsn: undefined } : {}),
      }),
    );

const profileArbitrary = (name: string): fc.Arbitrary<BfdProfile> =>
  fc.record({
    name: fc.constant(name),
    receiveInterval: maybe(fc.constantFrom(150, 300, 500)),
    transmitInterval: maybe(fc.constantFrom(150, 300)),
    detectMultiplier: maybe(fc.constantFrom(3, 5)),
    echoInterval: maybe(fc.constantFrom(50, 60)),
    echoMode: fc.boolean(),
    passiveMode: fc.boolean(),
    minimumTtl: maybe(fc.constantFrom(250, 254)),
  });

const verdictArbitrary = (peers: readonly BgpPeer[]): fc.Arbitrary<BgpVerdict> =>
  fc
    .record({
      host: fc.integer({ min: 1, max: 6 }),
      family: fc.constantFrom('198.51.100.', '2001:db8:100::'),
      aggregate: fc.boolean(),
      localPref: fc.constantFrom(0, 100, 4_294_967_295),
      med: fc.constantFrom(0, 50, 4_294_967_295),
      asPathPrepend: fc.constantFrom(0, 1, 10),
      weight: fc.constantFrom(0, 1, 7, 25_600),
      shutdown: fc.boolean(),
      communities: fc.subarray(['64512:1', '65535:65281', '65535:666', 'large:1:2:3']),
      peers: fc.subarray(peers.map(({ name }) => name)),
    })
    .map((given) => {
      const ip = address(`${given.family}${given.host}`);
      const host = ip.family === 'ipv4' ? 32 : 128;
      const grant = {
        peers: given.peers.toSorted(),
        ...granted(given),
        communities: uniteCommunities(given.communities.map(community), []),
        ...(given.weight > 0 ? { weight: given.weight } : {}),
        ...(given.shutdown ? { shutdown: true as const } : {}),
      };
      const prefix = cidrOf(ip, given.aggregate ? host - 8 : host);
      return {
        kind: 'announce',
        addresses: [ip],
        unserved: [],
        announcements: [{ advertisement: 'x', prefix, grant }],
        peers: [],
      };
    });

/** A model with up to five peers in the default VRF and one in VRF red, profiles and routes. */
export function modelArbitrary(vrfs: readonly string[] = ['', 'red']): fc.Arbitrary<FrrModel> {
  const allPeers = vrfs.flatMap((vrf) =>
    (vrf === '' ? endpoints : ['10.77.0.2']).map((endpoint) => maybe(peerArbitrary(endpoint, vrf))),
  );
  return fc
    .record({
      peers: fc.tuple(...allPeers).map((peers) => peers.filter((each) => each !== undefined)),
      profiles: fc.tuple(profileArbitrary('far'), profileArbitrary('fast')),
      withProfiles: fc.boolean(),
      asn: fc.constantFrom(64512, 64599),
    })
    .chain(({ peers, profiles, withProfiles, asn }) => {
      const usable = peers
        .map((each) => ({ ...each, myAsn: asn, ...(withProfiles ? {} : { bfdProfile: undefined }) }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
      return fc.array(verdictArbitrary(usable), { maxLength: 12 }).map((verdicts) => {
        const given = config({ peers: usable, bfdProfiles: withProfiles ? profiles : [] });
        const context = bgpContext(given, node(), false);
        const options = { hostname: 'node-a', logLevel: 'informational' };
        return buildModel(context, mergeRoutes(verdicts), options).model;
      });
    });
}
