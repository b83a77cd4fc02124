/** IPAddressPool: addresses that the controller may hand out (api.md §4.1). */
import * as z from 'zod';
import { addressesPrefixesAndRanges, prefixesAndRanges } from '#core/api/address-rules.ts';
import { defineResource, objectMeta } from '#core/api/define.ts';
import { bigInt64, labelSelector } from '#core/api/fields.ts';

const serviceAllocation = z.object({
  priority: z
    .int()
    .optional()
    .describe(
      'Rank among the pools that fit a Service: smaller positive numbers come first, 0 or unset comes last.',
    ),
  namespaces: z
    .array(z.string())
    .optional()
    .describe('Namespaces whose Services may use the pool, by name. No name may occur twice.'),
  namespaceSelectors: z
    .array(labelSelector())
    .optional()
    .describe(
      'Namespaces whose Services may use the pool, by label; one matching selector is enough, and what they find is added to namespaces.',
    ),
  serviceSelectors: z
    .array(labelSelector())
    .optional()
    .describe(
      'Services that may use the pool, by label; one matching selector is enough. Given together with a namespace condition, both must hold.',
    ),
});

const status = z.object({
  assignedIPv4: bigInt64().describe('IPv4 addresses of the pool in use.'),
  assignedIPv6: bigInt64().describe('IPv6 addresses of the pool in use.'),
  availableIPv4: bigInt64().describe('IPv4 addresses of the pool still free.'),
  availableIPv6: bigInt64().describe(
    'IPv6 addresses of the pool still free; pools too large to count say 9223372036854775807.',
  ),
});

export const ipAddressPoolV1beta1 = z.object({
  metadata: objectMeta,
  spec: z
    .object({
      addresses: prefixesAndRanges().describe(
        'Addresses of the pool. Each entry is a prefix such as 192.0.2.0/24 or an inclusive range such as 192.0.2.10-192.0.2.20, IPv4 or IPv6. No two entries of any pools may overlap.',
      ),
      excludedAddresses: addressesPrefixesAndRanges()
        .optional()
        .describe(
          'Addresses of the pool that are never handed out, neither automatically nor on request. Each entry is an address such as 192.0.2.1, a prefix or a range.',
        ),
      autoAssign: z
        .boolean()
        .default(true)
        .describe(
          'Whether Services that ask for nothing in particular may get an address from here. When false, a Service must name the pool or one of its addresses.',
        ),
      avoidBuggyIPs: z
        .boolean()
        .default(false)
        .describe(
          'Leaves out IPv4 addresses that end in .0 or .255, which some old network equipment does not carry.',
        ),
      serviceAllocation: serviceAllocation
        .optional()
        .describe(
          'Reserves the pool for certain Services. When present, even empty, the pool is no longer used for Services in general.',
        ),
    })
    .describe('What the pool holds and who may use it.'),
  status: status.optional().describe('How much of the pool is in use; written by the controller.'),
});

export type IPAddressPool = z.infer<typeof ipAddressPoolV1beta1>;

export const ipAddressPool = defineResource({
  kind: 'IPAddressPool',
  plural: 'ipaddresspools',
  shortNames: ['ipap'],
  description: 'A set of addresses that Services of type LoadBalancer can get.',
  versions: [
    {
      name: 'v1beta1',
      served: true,
      storage: true,
      schema: ipAddressPoolV1beta1,
      columns: [
        { name: 'Auto Assign', type: 'boolean', jsonPath: '.spec.autoAssign' },
        { name: 'Avoid Buggy IPs', type: 'boolean', jsonPath: '.spec.avoidBuggyIPs' },
        { name: 'Addresses', type: 'string', jsonPath: '.spec.addresses' },
      ],
    },
  ],
});
