/** Community: names for BGP communities (api.md §4.7). */
import * as z from 'zod';
import { acceptedStatus, defineResource, objectMeta } from '#core/api/define.ts';

export const communityV1beta1 = z.object({
  metadata: objectMeta,
  spec: z
    .object({
      communities: z
        .array(
          z.object({
            name: z
              .string()
              .optional()
              .describe('Alias to use in BGPAdvertisement objects; unique over all Community objects.'),
            value: z
              .string()
              .optional()
              .describe('The community: 65535:65282 (two numbers up to 65535) or large:1:2:3.'),
          }),
        )
        .optional()
        .describe('Aliases that this object defines.'),
    })
    .optional()
    .describe('Aliases for communities.'),
  status: acceptedStatus(),
});

export type Community = z.infer<typeof communityV1beta1>;

export const community = defineResource({
  kind: 'Community',
  plural: 'communities',
  shortNames: [],
  description: 'Names for BGP communities, to be used in BGPAdvertisement objects.',
  versions: [{ name: 'v1beta1', served: true, storage: true, schema: communityV1beta1, columns: [] }],
});
