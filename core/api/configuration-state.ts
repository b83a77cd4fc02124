/** ConfigurationState: whether a component could use the configuration (api.md §4.9). */
import * as z from 'zod';
import { defineResource, objectMeta } from '#core/api/define.ts';
import { condition } from '#core/api/fields.ts';

export const configurationStateV1beta1 = z.object({
  metadata: objectMeta,
  status: z
    .object({
      result: z
        .enum(['Valid', 'Invalid', 'Unknown'])
        .optional()
        .describe('Verdict of the component on the configuration as a whole.'),
      errorSummary: z
        .string()
        .optional()
        .describe('The first problem the component found; empty when there is none.'),
      conditions: z
        .array(condition())
        .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
        .optional()
        .describe(
          'What the verdict rests on: one condition for each part of the component that reads configuration.',
        ),
    })
    .optional()
    .describe('The verdict; written by the component.'),
});

export type ConfigurationState = z.infer<typeof configurationStateV1beta1>;

export const configurationState = defineResource({
  kind: 'ConfigurationState',
  plural: 'configurationstates',
  shortNames: [],
  description: 'Says whether the controller, or the speaker of a node, could use the present configuration.',
  versions: [
    {
      name: 'v1beta1',
      served: true,
      storage: true,
      schema: configurationStateV1beta1,
      columns: [
        { name: 'Result', type: 'string', jsonPath: '.status.result' },
        { name: 'ErrorSummary', type: 'string', jsonPath: '.status.errorSummary' },
        { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
    },
  ],
});
