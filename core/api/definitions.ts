/** All kinds of the group with their schemas: for what makes the CRDs and what checks files. Costs memory: see resources.ts. */
import { bfdProfile } from '#core/api/bfd-profile.ts';
import { bgpAdvertisement } from '#core/api/bgp-advertisement.ts';
import { bgpPeer } from '#core/api/bgp-peer.ts';
import { bgpSessionState } from '#core/api/bgp-session-state.ts';
import { community } from '#core/api/community.ts';
import { configurationState } from '#core/api/configuration-state.ts';
import type { ResourceDefinition } from '#core/api/define.ts';
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
