/** BGPPeer: a BGP neighbour (api.md §4.4 and §4.5). */
import * as z from 'zod';
import { routerId, sourceAddress } from '#core/api/address-rules.ts';
import { acceptedStatus, defineResource, objectMeta, type PrinterColumn } from '#core/api/define.ts';
import { cel, duration, int64, labelSelector, legacyNodeSelector } from '#core/api/fields.ts';

const MAX_ASN = 4294967295;
const asn = (min: number) => int64().min(min).max(MAX_ASN);

const CONNECT_TIME = cel(
  {
    rule: 'duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535',
    message: 'connectTime must be between 1 and 65535 seconds',
  },
  {
    rule: 'duration(self).getMilliseconds() % 1000 == 0',
    message: 'connectTime must be a whole number of seconds',
  },
);

/** PEER-8, and what is no duration at all. */
const HOLD_TIME = cel({
  rule: "duration(self) >= duration('0s') && (duration(self).getSeconds() == 0 || duration(self).getSeconds() >= 3)",
  message: 'invalid hold time: it must be 0s or at least 3s',
});
const KEEPALIVE_TIME = cel({
  rule: "duration(self) >= duration('0s')",
  message: 'invalid keepalive time: it must not be negative',
});

/**
 * PEER-3, 7, 9 and 15. peerAddress is not looked at here: a peer in the wrong namespace with a bad address has to be
 * told its namespace first, which only the webhook knows, and tools rely on it (api.md §6.4).
 */
const EXCLUSIONS = cel(
  {
    rule: '!has(self.dynamicASN) || !has(self.peerASN) || self.peerASN == 0',
    message: 'both peerASN and dynamicASN specified: remove one of the two',
  },
  {
    rule: "!has(self.peerAddress) || !has(self.interface) || self.peerAddress == '' || self.interface == ''",
    message: 'both peerAddress and interface specified: remove one of the two',
  },
  {
    rule: '!has(self.holdTime) || !has(self.keepaliveTime) || duration(self.keepaliveTime) <= duration(self.holdTime)',
    message: 'invalid keepalive time: it must not be greater than the hold time',
  },
  {
    rule:
      "!has(self.password) || self.password == '' || !has(self.passwordSecret) || " +
      "!has(self.passwordSecret.name) || self.passwordSecret.name == ''",
    message: 'both password and passwordSecret specified: remove password, the Secret is the safer place',
  },
);

const GRACEFUL_RESTART = cel({
  rule: 'self == oldSelf',
  message:
    'enableGracefulRestart cannot be changed: delete the BGPPeer and create it again with the other value',
});

const HOLD_TEXT =
  'Time without a message after which the session counts as dead, such as 90s; 0s or at least 3s. Set alone, keepaliveTime becomes a third of it.';
const KEEPALIVE_TEXT =
  'Time between keepalive messages, not above holdTime. Set alone, holdTime becomes three times it.';

/** Fields that mean the same in both versions. */
const common = {
  myASN: asn(0).describe('AS number of our side of the session; not 0.'),
  sourceAddress: sourceAddress()
    .optional()
    .describe('Local address of the session. Without it the node chooses.'),
  routerID: routerId()
    .optional()
    .describe('BGP identifier, an IPv4 address. All peers of a node need the same one, or none.'),
  password: z
    .string()
    .optional()
    .describe('TCP MD5 password in clear text; passwordSecret keeps it out of this object.'),
  bfdProfile: z
    .string()
    .optional()
    .describe('BFDProfile object that this session uses to notice failures. Without it: no BFD.'),
  ebgpMultiHop: z
    .boolean()
    .optional()
    .describe('Set when the neighbour is more than one hop away. Only for neighbours in another AS.'),
};

export const bgpPeerV1beta2 = z.object({
  metadata: objectMeta,
  spec: z
    .object({
      ...common,
      peerASN: asn(0)
        .optional()
        .describe("AS number of the neighbour. Either this or dynamicASN is needed; 0 means 'not set'."),
      localASN: asn(1)
        .optional()
        .describe('AS number shown to this neighbour in place of myASN, as if it were the real one.'),
      dynamicASN: z
        .enum(['internal', 'external'])
        .optional()
        .describe(
          'Accepts the AS number that the neighbour presents: internal when it equals ours, external when it differs.',
        ),
      peerAddress: z
        .string()
        .optional()
        .describe('IP address of the neighbour. Either this or interface is needed.'),
      interface: z
        .string()
        .optional()
        .describe(
          'Network interface of the node on which the neighbour is found without an address (unnumbered).',
        ),
      peerPort: z.int().min(1).max(16384).default(179).describe('TCP port on which the neighbour listens.'),
      holdTime: duration().meta(HOLD_TIME).optional().describe(HOLD_TEXT),
      keepaliveTime: duration().meta(KEEPALIVE_TIME).optional().describe(KEEPALIVE_TEXT),
      connectTime: duration()
        .meta(CONNECT_TIME)
        .optional()
        .describe('Time between attempts to connect, in whole seconds, such as 10s.'),
      nodeSelectors: z
        .array(labelSelector())
        .optional()
        .describe('Nodes that run this session; one matching selector is enough. Without it: all nodes.'),
      passwordSecret: z
        .object({
          name: z.string().optional().describe('Name of the Secret.'),
          namespace: z
            .string()
            .optional()
            .describe('Not looked at: the Secret is always read from the namespace of this object.'),
        })
        .meta({ 'x-kubernetes-map-type': 'atomic' })
        .optional()
        .describe(
          'Secret of type kubernetes.io/basic-auth whose key password holds the TCP MD5 password. Excludes password.',
        ),
      enableGracefulRestart: z
        .boolean()
        .meta(GRACEFUL_RESTART)
        .optional()
        .describe('Graceful restart (RFC 4724) on this session. Cannot be changed later.'),
      vrf: z
        .string()
        .optional()
        .describe('VRF of the node in which the session runs. Without it: the default one.'),
      disableMP: z.boolean().default(false).describe('Deprecated, without effect.'),
      dualStackAddressFamily: z
        .boolean()
        .default(false)
        .describe('Carries both address families over this session, not only that of the neighbour address.'),
    })
    .meta(EXCLUSIONS)
    .optional()
    .describe('The neighbour and how to talk to it.'),
  status: acceptedStatus(),
});

export const bgpPeerV1beta1 = z.object({
  metadata: objectMeta,
  spec: z
    .object({
      ...common,
      peerASN: asn(0).describe('AS number of the neighbour.'),
      peerAddress: z.string().describe('IP address of the neighbour.'),
      holdTime: duration().optional().describe(HOLD_TEXT),
      keepaliveTime: duration().optional().describe(KEEPALIVE_TEXT),
      peerPort: z.int().min(0).max(16384).optional().describe('TCP port on which the neighbour listens.'),
      nodeSelectors: z
        .array(legacyNodeSelector())
        .optional()
        .describe('Nodes that run this session; one matching selector is enough. Without it: all nodes.'),
    })
    .optional()
    .describe('The neighbour and how to talk to it.'),
  status: acceptedStatus(),
});

export type BGPPeer = z.infer<typeof bgpPeerV1beta2>;
export type BGPPeerV1beta1 = z.infer<typeof bgpPeerV1beta1>;

const columns: readonly PrinterColumn[] = [
  { name: 'Address', type: 'string', jsonPath: '.spec.peerAddress' },
  { name: 'ASN', type: 'string', jsonPath: '.spec.peerASN' },
  { name: 'BFD Profile', type: 'string', jsonPath: '.spec.bfdProfile' },
  { name: 'Multi Hops', type: 'string', jsonPath: '.spec.ebgpMultiHop' },
];

export const bgpPeer = defineResource({
  kind: 'BGPPeer',
  plural: 'bgppeers',
  shortNames: ['bgpp'],
  description: 'A BGP neighbour to which nodes announce the addresses of Services.',
  versions: [
    {
      name: 'v1beta1',
      served: true,
      storage: false,
      deprecationWarning: 'metallb.io/v1beta1 BGPPeer is deprecated, use metallb.io/v1beta2',
      schema: bgpPeerV1beta1,
      columns,
    },
    { name: 'v1beta2', served: true, storage: true, schema: bgpPeerV1beta2, columns },
  ],
});
