/**
 * What is kept of the users' configuration objects: identity, labels and spec. Versions, status and managed
 * fields stay outside, so that a change there is no change of configuration.
 */
import * as z from 'zod';
import { bfdProfileV1beta1 } from '#core/api/bfd-profile.ts';
import { bgpAdvertisementV1beta1 } from '#core/api/bgp-advertisement.ts';
import { bgpPeerV1beta2 } from '#core/api/bgp-peer.ts';
import { communityV1beta1 } from '#core/api/community.ts';
import { objectMeta } from '#core/api/define.ts';
import { ipAddressPoolV1beta1 } from '#core/api/ip-address-pool.ts';
import { l2AdvertisementV1beta1 } from '#core/api/l2-advertisement.ts';

const metadata = objectMeta.pick({
  name: true,
  namespace: true,
  uid: true,
  creationTimestamp: true,
  labels: true,
});

const kept = <S extends z.ZodType>(spec: S) => z.object({ metadata, spec });

/** Port 0 is how v1beta1 could say "not set"; the API server's default of v1beta2 only fills what is absent. */
const peer = kept(
  z.preprocess((spec) => {
    const { peerPort, ...rest } = (spec ?? {}) as Record<string, unknown>;
    return peerPort === 0 ? rest : spec;
  }, bgpPeerV1beta2.shape.spec),
);

/** Schemas of the six kinds that make up the configuration, in the version that is stored. */
export const ingestSchemas = {
  IPAddressPool: kept(ipAddressPoolV1beta1.shape.spec),
  L2Advertisement: kept(l2AdvertisementV1beta1.shape.spec),
  BGPAdvertisement: kept(bgpAdvertisementV1beta1.shape.spec),
  BGPPeer: peer,
  BFDProfile: kept(bfdProfileV1beta1.shape.spec),
  Community: kept(communityV1beta1.shape.spec),
};

export type ConfigKind = keyof typeof ingestSchemas;
/** An object of a configuration kind as kept. */
export type Ingested<K extends ConfigKind> = z.infer<(typeof ingestSchemas)[K]>;
