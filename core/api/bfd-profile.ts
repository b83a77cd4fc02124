/** BFDProfile: settings of BFD sessions (api.md §4.6). */
import * as z from 'zod';
import { acceptedStatus, defineResource, objectMeta } from '#core/api/define.ts';
import { int32 } from '#core/api/fields.ts';

const interval = () => int32().min(10).max(60000).optional();

export const bfdProfileV1beta1 = z.object({
  metadata: objectMeta,
  spec: z
    .object({
      receiveInterval: interval().describe(
        'Smallest time between packets that we can take, in milliseconds. Unset: 300.',
      ),
      transmitInterval: interval().describe(
        'Smallest time between packets that we send, in milliseconds. Unset: 300.',
      ),
      detectMultiplier: int32()
        .min(2)
        .max(255)
        .optional()
        .describe('Number of packets that may be lost before the session counts as down.'),
      echoInterval: interval().describe(
        'Smallest time between echo packets that we can handle, in milliseconds. Unset: 50.',
      ),
      echoMode: z
        .boolean()
        .optional()
        .describe('Sends echo packets. Not for neighbours several hops away, nor with IPv6 pools.'),
      passiveMode: z
        .boolean()
        .optional()
        .describe('Waits for the neighbour to speak first instead of opening the session.'),
      minimumTtl: int32()
        .min(1)
        .max(254)
        .optional()
        .describe('Smallest TTL accepted in packets of neighbours several hops away.'),
    })
    .optional()
    .describe('Settings of the BFD sessions that use the profile.'),
  status: acceptedStatus(),
});

export type BFDProfile = z.infer<typeof bfdProfileV1beta1>;

export const bfdProfile = defineResource({
  kind: 'BFDProfile',
  plural: 'bfdprofiles',
  shortNames: ['bfdp'],
  description:
    'Settings of Bidirectional Forwarding Detection, which notices a dead BGP neighbour within a second.',
  versions: [
    {
      name: 'v1beta1',
      served: true,
      storage: true,
      schema: bfdProfileV1beta1,
      columns: [
        { name: 'Passive Mode', type: 'boolean', jsonPath: '.spec.passiveMode' },
        { name: 'Transmit Interval', type: 'integer', jsonPath: '.spec.transmitInterval' },
        { name: 'Receive Interval', type: 'integer', jsonPath: '.spec.receiveInterval' },
        { name: 'Multiplier', type: 'integer', jsonPath: '.spec.detectMultiplier' },
      ],
    },
  ],
});
