/** All kinds of the group, as the API server addresses them; without their schemas (definitions.ts), which no program needs all of. */
import { METALLB_GROUP, V1BETA1, V1BETA2 } from '#core/api/group.ts';

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
