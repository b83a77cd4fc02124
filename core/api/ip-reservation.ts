/** IPReservation: addresses that are kept for one Service, also while it does not exist. Ours; MetalLB has none. */
import * as z from 'zod';
import { defineResource, objectMeta } from '#core/api/define.ts';
import { condition } from '#core/api/fields.ts';

const spec = z
  .object({
    service: z
      .object({
        namespace: z.string().min(1).describe('Namespace of the Service.'),
        name: z.string().min(1).describe('Name of the Service. It need not exist.'),
      })
      .describe('The one Service that may get the addresses.'),
    addresses: z
      .array(z.string())
      .min(1)
      .max(2)
      .describe('What is reserved: one address of a pool, or an IPv4 and an IPv6 address of one pool.'),
    reserveFor: z
      .string()
      .optional()
      .describe(
        'How long the addresses stay reserved when the Service goes, such as 24h. Written by the controller, from the annotation of the Service.',
      ),
    expiresAt: z
      .string()
      .meta({ format: 'date-time' })
      .optional()
      .describe('When the reservation ends and the object is deleted. Without it the reservation lasts.'),
  })
  .describe('For whom which addresses are kept.');

const status = z.object({
  pool: z.string().optional().describe('IPAddressPool that has the addresses.'),
  conditions: z
    .array(condition())
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional()
    .describe('One condition, Reserved: whether the addresses are kept for the Service, or why not.'),
});

export const ipReservationV1beta1 = z.object({
  metadata: objectMeta,
  spec,
  status: status.optional().describe('What became of it; written by the controller.'),
});

export type IPReservation = z.infer<typeof ipReservationV1beta1>;
export type IPReservationSpec = IPReservation['spec'];

export const ipReservation = defineResource({
  kind: 'IPReservation',
  plural: 'ipreservations',
  shortNames: ['ipr'],
  description: 'Keeps addresses of a pool for one Service, whether it exists or not.',
  versions: [
    {
      name: 'v1beta1',
      served: true,
      storage: true,
      schema: ipReservationV1beta1,
      columns: [
        { name: 'Service Namespace', type: 'string', jsonPath: '.spec.service.namespace' },
        { name: 'Service Name', type: 'string', jsonPath: '.spec.service.name' },
        { name: 'Addresses', type: 'string', jsonPath: '.spec.addresses' },
        { name: 'Expires', type: 'string', jsonPath: '.spec.expiresAt' },
        { name: 'Reserved', type: 'string', jsonPath: '.status.conditions[?(@.type=="Reserved")].reason' },
      ],
    },
  ],
});
