/** L2Advertisement: addresses announced on the local network by ARP and NDP (api.md §4.2). */
import * as z from 'zod';
import { ipAddressPools, ipAddressPoolSelectors, serviceSelectors } from '#core/api/advertisement-fields.ts';
import { acceptedStatus, defineResource, objectMeta } from '#core/api/define.ts';
import { int32, labelSelector } from '#core/api/fields.ts';

const preferredNodeSelector = z.object({
  weight: int32().min(1).max(100).describe('Added to the score of each node that the preference selects.'),
  preference: labelSelector().describe(
    'Nodes that get the weight; an empty selector gives it to all eligible nodes.',
  ),
});

export const l2AdvertisementV1beta1 = z.object({
  metadata: objectMeta,
  spec: z
    .object({
      ipAddressPools: ipAddressPools(),
      ipAddressPoolSelectors: ipAddressPoolSelectors(),
      nodeSelectors: z
        .array(labelSelector())
        .optional()
        .describe('Nodes that may announce; one matching selector is enough. Without it: all nodes.'),
      interfaces: z
        .array(z.string())
        .optional()
        .describe('Network interfaces to announce from. Without it: all interfaces of the node.'),
      serviceSelectors: serviceSelectors(
        ' Services that share an address are not announced while a selector is set.',
      ),
      preferredNodeSelectors: z
        .array(preferredNodeSelector)
        .optional()
        .describe('Among the nodes that may announce, prefers those with the highest sum of weights.'),
      failover: z
        .enum(['Default', 'Sticky', 'Spread'])
        .optional()
        .describe(
          'What happens to an address when nodes come and go. Default: the node that wins the election announces it, and takes it back when it returns. Sticky: it stays where it is while its node can announce it. Spread: no node announces more than ceil(n/m) + 1 of n such addresses on m nodes, and as few as possible move.',
        ),
      answerPing: z
        .boolean()
        .optional()
        .describe(
          'Answer ICMP echo requests for the addresses from the node that announces them. By default nothing answers: the addresses belong to no machine.',
        ),
    })
    .optional()
    .describe('What is announced, from which nodes and interfaces.'),
  status: acceptedStatus(),
});

export type L2Advertisement = z.infer<typeof l2AdvertisementV1beta1>;

export const l2Advertisement = defineResource({
  kind: 'L2Advertisement',
  plural: 'l2advertisements',
  shortNames: ['l2adv'],
  description:
    'Announces the addresses of pools on the local network: one node at a time answers ARP and NDP for each Service.',
  versions: [
    {
      name: 'v1beta1',
      served: true,
      storage: true,
      schema: l2AdvertisementV1beta1,
      columns: [
        { name: 'IPAddressPools', type: 'string', jsonPath: '.spec.ipAddressPools' },
        { name: 'IPAddressPool Selectors', type: 'string', jsonPath: '.spec.ipAddressPoolSelectors' },
        { name: 'Interfaces', type: 'string', jsonPath: '.spec.interfaces' },
        { name: 'Node Selectors', type: 'string', jsonPath: '.spec.nodeSelectors', priority: 10 },
      ],
    },
  ],
});
