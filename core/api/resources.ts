/** All kinds of the group, and how the API server addresses them. */
import { bfdProfile } from '#core/api/bfd-profile.ts';
import { bgpAdvertisement } from '#core/api/bgp-advertisement.ts';
import { bgpPeer } from '#core/api/bgp-peer.ts';
import { bgpSessionState } from '#core/api/bgp-session-state.ts';
import { community } from '#core/api/community.ts';
import { configurationState } from '#core/api/configuration-state.ts';
import type { ResourceDefinition } from '#core/api/define.ts';
import { METALLB_GROUP, V1BETA1, V1BETA2 } from '#core/api/group.ts';
import { ipAddressPool } from '#core/api/ip-address-pool.ts';
import { ipReservation } from '#core/api/ip-reservation.ts';
import { l2Advertisement } from '#core/api/l2-advertisement.ts';
import { metallb } from '#core/api/metallb.ts';
import { serviceBGPStatus, serviceL2Status } from '#core/api/service-status.ts';

export const resourceDefinitions: readonly ResourceDefinition[] = [
  ipAddressPool,
  l2Advertisement,
  bgpAdvertisement,
  bgpPeer,
  bfdProfile,
  community,
  serviceL2Status,
  serviceBGPStatus,
  configurationState,
  bgpSessionState,
  ipReservation,
  metallb,
];

/** Structurally the runtime's ResourceType, always in the version that we read and write. */
const address = <K extends string, V extends string>(kind: K, plural: string, version: V) => ({
  group: METALLB_GROUP,
  version,
  plural,
  kind,
  namespaced: true,
});

export const metallbResources = {
  IPAddressPool: address('IPAddressPool', 'ipaddresspools', V1BETA1),
  L2Advertisement: address('L2Advertisement', 'l2advertisements', V1BETA1),
  BGPAdvertisement: address('BGPAdvertisement', 'bgpadvertisements', V1BETA1),
  BGPPeer: address('BGPPeer', 'bgppeers', V1BETA2),
  BFDProfile: address('BFDProfile', 'bfdprofiles', V1BETA1),
  Community: address('Community', 'communities', V1BETA1),
  ServiceL2Status: address('ServiceL2Status', 'servicel2statuses', V1BETA1),
  ServiceBGPStatus: address('ServiceBGPStatus', 'servicebgpstatuses', V1BETA1),
  ConfigurationState: address('ConfigurationState', 'configurationstates', V1BETA1),
  BGPSessionState: address('BGPSessionState', 'bgpsessionstates', V1BETA1),
  IPReservation: address('IPReservation', 'ipreservations', V1BETA1),
  MetalLB: address('MetalLB', 'metallbs', V1BETA1),
} as const;
