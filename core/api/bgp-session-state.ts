/** BGPSessionState: each BGP session of each node as it is. Written by speakers; fields as frr-k8s has them, and more. */
import * as z from 'zod';
import { defineResource, emptyObject, objectMeta } from '#core/api/define.ts';
import { condition, int32 } from '#core/api/fields.ts';

const count = (description: string) => int32().optional().describe(description);

const status = z.object({
  node: z.string().optional().describe('Node whose session it is.'),
  peer: z.string().optional().describe('Name of the BGPPeer.'),
  address: z.string().optional().describe('Address of the router, or interface it is behind.'),
  vrf: z.string().optional().describe('VRF of the session; empty: the default one.'),
  bgpStatus: z
    .string()
    .optional()
    .describe(
      "State of the session in FRR's word, such as Established or Active. Between two states that are not Established the word may be an older one.",
    ),
  bfdStatus: z
    .string()
    .optional()
    .describe("State of the BFD session in FRR's word; N/A when the session does without BFD."),
  since: z
    .string()
    .meta({ format: 'date-time' })
    .optional()
    .describe('When the session was established, or when it ceased to be.'),
  prefixesSent: count('Prefixes that the router was sent. Up to a minute old.'),
  prefixesIntended: count('Prefixes that the router should have been sent.'),
  prefixesAccepted: count('Prefixes that were accepted from the router.'),
  timesEstablished: count('How often the session was established since FRR has had it.'),
  lastError: z
    .string()
    .optional()
    .describe('What ended the session last, or keeps it from being established; empty: nothing.'),
  remedy: z.string().optional().describe('What to do about the last error.'),
  conditions: z
    .array(condition())
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional()
    .describe(
      'Established: whether routes can be exchanged. InSync: whether the router was sent what it should have.',
    ),
});

export const bgpSessionStateV1beta1 = z.object({
  metadata: objectMeta,
  spec: emptyObject('Nothing is configured here.'),
  status: status.optional().describe('The session as it is; written by the speaker of the node.'),
});

export type BGPSessionState = z.infer<typeof bgpSessionStateV1beta1>;

export const bgpSessionState = defineResource({
  kind: 'BGPSessionState',
  plural: 'bgpsessionstates',
  shortNames: [],
  description: 'Says how a BGP session of a node is, and why it is down. Written by the speakers.',
  versions: [
    {
      name: 'v1beta1',
      served: true,
      storage: true,
      schema: bgpSessionStateV1beta1,
      columns: [
        { name: 'Node', type: 'string', jsonPath: '.status.node' },
        { name: 'Peer', type: 'string', jsonPath: '.status.peer' },
        { name: 'VRF', type: 'string', jsonPath: '.status.vrf', priority: 1 },
        { name: 'Address', type: 'string', jsonPath: '.status.address' },
        { name: 'BGP', type: 'string', jsonPath: '.status.bgpStatus' },
        { name: 'Since', type: 'date', jsonPath: '.status.since' },
        { name: 'BFD', type: 'string', jsonPath: '.status.bfdStatus' },
        { name: 'Sent', type: 'integer', jsonPath: '.status.prefixesSent' },
        { name: 'Accepted', type: 'integer', jsonPath: '.status.prefixesAccepted', priority: 1 },
        { name: 'In Sync', type: 'string', jsonPath: '.status.conditions[?(@.type=="InSync")].status' },
        { name: 'Last Error', type: 'string', jsonPath: '.status.lastError' },
        { name: 'Remedy', type: 'string', jsonPath: '.status.remedy', priority: 1 },
      ],
    },
  ],
});
