/** ServiceL2Status and ServiceBGPStatus: who announces a Service (api.md §4.8). Written by speakers. */
import * as z from 'zod';
import { defineResource, emptyObject, objectMeta, type PrinterColumn } from '#core/api/define.ts';
import { cel } from '#core/api/fields.ts';

const immutable = (field: string, description: string) =>
  z
    .string()
    .meta(cel({ rule: 'self == oldSelf', message: `${field} cannot be changed` }))
    .optional()
    .describe(description);

const whose = (node: string) => ({
  node: immutable('node', node),
  serviceName: immutable('serviceName', 'Name of the Service.'),
  serviceNamespace: immutable('serviceNamespace', 'Namespace of the Service.'),
});

const serviceColumns: readonly PrinterColumn[] = [
  { name: 'Service Name', type: 'string', jsonPath: '.status.serviceName' },
  { name: 'Service Namespace', type: 'string', jsonPath: '.status.serviceNamespace' },
];

export const serviceL2StatusV1beta1 = z.object({
  metadata: objectMeta,
  spec: emptyObject('Nothing is configured here.'),
  status: z
    .object({
      ...whose('Node that answers ARP and NDP for the Service.'),
      interfaces: z
        .array(z.object({ name: z.string().optional().describe('Name of the interface.') }))
        .optional()
        .describe('Interfaces of the node that are used; absent when all of them are.'),
    })
    .optional()
    .describe('Where the Service is announced; written by the speaker that does it.'),
});

export const serviceBGPStatusV1beta1 = z.object({
  metadata: objectMeta,
  spec: emptyObject('Nothing is configured here.'),
  status: z
    .object({
      ...whose('Node that announces the Service.'),
      peers: z
        .array(z.string())
        .optional()
        .describe('BGPPeer objects that the node is configured to announce the Service to, sorted by name.'),
    })
    .optional()
    .describe('To whom the node announces the Service; written by its speaker.'),
});

export type ServiceL2Status = z.infer<typeof serviceL2StatusV1beta1>;
export type ServiceBGPStatus = z.infer<typeof serviceBGPStatusV1beta1>;

export const serviceL2Status = defineResource({
  kind: 'ServiceL2Status',
  plural: 'servicel2statuses',
  shortNames: [],
  description: 'Says which node announces a Service on the local network. Written by the speakers.',
  versions: [
    {
      name: 'v1beta1',
      served: true,
      storage: true,
      schema: serviceL2StatusV1beta1,
      columns: [{ name: 'Allocated Node', type: 'string', jsonPath: '.status.node' }, ...serviceColumns],
    },
  ],
});

export const serviceBGPStatus = defineResource({
  kind: 'ServiceBGPStatus',
  plural: 'servicebgpstatuses',
  shortNames: [],
  description: 'Says to which BGP neighbours a node announces a Service. Written by the speakers.',
  versions: [
    {
      name: 'v1beta1',
      served: true,
      storage: true,
      schema: serviceBGPStatusV1beta1,
      columns: [{ name: 'Node', type: 'string', jsonPath: '.status.node' }, ...serviceColumns],
    },
  ],
});
