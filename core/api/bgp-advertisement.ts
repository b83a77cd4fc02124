/** BGPAdvertisement: how addresses are announced to BGP neighbours (api.md §4.3). */
import * as z from 'zod';
import { ipAddressPools, ipAddressPoolSelectors, serviceSelectors } from '#core/api/advertisement-fields.ts';
import { acceptedStatus, defineResource, objectMeta } from '#core/api/define.ts';
import { cel, int32, int64, labelSelector } from '#core/api/fields.ts';

/** ADB-9 and ADB-10 as rules, not bounds: what is stored beyond them can still be changed elsewhere. */
const atMost = (field: string, bits: number) =>
  cel({
    rule: `self <= ${bits}`,
    message: `invalid ${field}: an address has ${bits} bits, use at most ${bits}`,
  });
/** LOCAL_PREF and MULTI_EXIT_DISC have 32 bits (RFC 4271 §5.1). */
export const MAX_ATTRIBUTE = 4_294_967_295;
/** MetalLB's CRD stops at 31 bits, its own type does not. */
const UNSIGNED_32_BITS = cel({
  rule: `self >= 0 && self <= ${MAX_ATTRIBUTE}`,
  message: `invalid localPref: use a number from 0 to ${MAX_ATTRIBUTE}`,
});

const SELECTORS_EXCLUDE_AGGREGATION = cel({
  rule:
    '!has(self.serviceSelectors) || size(self.serviceSelectors) == 0 || ' +
    '((!has(self.aggregationLength) || self.aggregationLength == 32) && ' +
    '(!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))',
  message:
    'serviceSelectors and aggregationLength are mutually exclusive: ' +
    'with serviceSelectors leave aggregationLength at 32 and aggregationLengthV6 at 128',
});

export const bgpAdvertisementV1beta1 = z.object({
  metadata: objectMeta,
  spec: z
    .object({
      aggregationLength: int32()
        .min(1)
        .meta({ format: 'int32', ...atMost('aggregationLength', 32) })
        .default(32)
        .describe(
          'Length of the IPv4 prefix announced for an address. Anything below 32 announces the surrounding prefix, which must lie inside the pool.',
        ),
      aggregationLengthV6: int32()
        .meta({ format: 'int32', ...atMost('aggregationLengthV6', 128) })
        .default(128)
        .describe(
          'Length of the IPv6 prefix announced for an address. Anything below 128 announces the surrounding prefix, which must lie inside the pool.',
        ),
      localPref: int64()
        .meta({ format: 'int64', ...UNSIGNED_32_BITS })
        .optional()
        .describe(
          'LOCAL_PREF of the route, read by neighbours in the same AS; the highest wins. 0 or unset: none.',
        ),
      med: int64()
        .min(0)
        .max(MAX_ATTRIBUTE)
        .optional()
        .describe(
          'MULTI_EXIT_DISC of the route, by which neighbours in one other AS choose between several ways into ours; the lowest wins. 0 or unset: 0.',
        ),
      asPathPrepend: int32()
        .min(0)
        .max(10)
        .optional()
        .describe(
          'How many more times our AS number stands in the AS path that neighbours in another AS get; the shortest path wins. 0 or unset: none.',
        ),
      weightByEndpoints: z
        .boolean()
        .optional()
        .describe(
          'Sends with each route how many endpoints of the Service the node has (link bandwidth extended community), so that routers which go by it share the traffic between nodes accordingly. Most useful with externalTrafficPolicy Local.',
        ),
      communities: z
        .array(z.string())
        .optional()
        .describe(
          'Communities of the route: 65535:65282, large:1:2:3, or the name of an alias in a Community object. None may occur twice.',
        ),
      ipAddressPools: ipAddressPools(),
      ipAddressPoolSelectors: ipAddressPoolSelectors(),
      nodeSelectors: z
        .array(labelSelector())
        .optional()
        .describe(
          'Nodes that announce and so become next hops; one matching selector is enough. Without it: all nodes.',
        ),
      peers: z
        .array(z.string())
        .optional()
        .describe('BGPPeer objects to announce to, by name. Without it: all peers.'),
      serviceSelectors: serviceSelectors(' Cannot be combined with aggregation.'),
    })
    .meta(SELECTORS_EXCLUDE_AGGREGATION)
    .optional()
    .describe('What is announced, to whom, and with which attributes.'),
  status: acceptedStatus(),
});

export type BGPAdvertisement = z.infer<typeof bgpAdvertisementV1beta1>;

export const bgpAdvertisement = defineResource({
  kind: 'BGPAdvertisement',
  plural: 'bgpadvertisements',
  shortNames: ['bgpadv'],
  description: 'Announces the addresses of pools to BGP neighbours and sets the attributes of the routes.',
  versions: [
    {
      name: 'v1beta1',
      served: true,
      storage: true,
      schema: bgpAdvertisementV1beta1,
      columns: [
        { name: 'IPAddressPools', type: 'string', jsonPath: '.spec.ipAddressPools' },
        { name: 'IPAddressPool Selectors', type: 'string', jsonPath: '.spec.ipAddressPoolSelectors' },
        { name: 'Peers', type: 'string', jsonPath: '.spec.peers' },
        { name: 'Node Selectors', type: 'string', jsonPath: '.spec.nodeSelectors', priority: 10 },
      ],
    },
  ],
});
