/** Parts of a pod that the MetalLB object passes on to its workloads: core/v1 types, without further constraints (api.md §3.6). */
import * as z from 'zod';
import { atomicList, cel, int32, int64, labelSelector } from '#core/api/fields.ts';

/** MLB-1, MLB-2. */
const SECONDS_NEED_NO_EXECUTE = cel({
  rule: "!has(self.tolerationSeconds) || self.tolerationSeconds <= 0 || (has(self.effect) && self.effect == 'NoExecute')",
  message: 'effect must be NoExecute when tolerationSeconds is set',
});

export const toleration = () =>
  z
    .object({
      key: z
        .string()
        .optional()
        .describe('Taint key that is tolerated; empty with operator Exists: every key.'),
      operator: z
        .string()
        .optional()
        .describe('Exists, or Equal (the default), which compares the value too.'),
      value: z.string().optional().describe('Taint value that is tolerated, with operator Equal.'),
      effect: z
        .string()
        .optional()
        .describe(
          'Taint effect that is tolerated: NoSchedule, PreferNoSchedule or NoExecute; empty: every effect.',
        ),
      tolerationSeconds: int64()
        .optional()
        .describe('How long a taint of effect NoExecute is tolerated; unset: for ever.'),
    })
    .meta({ ...SECONDS_NEED_NO_EXECUTE, description: 'A taint of nodes that the pods tolerate.' });

const QUANTITY =
  '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$';

const quantities = (description: string) =>
  z
    .record(
      z.string(),
      z
        .union([z.int(), z.string()])
        .meta({ pattern: QUANTITY, 'x-kubernetes-int-or-string': true })
        .describe('An amount, such as 100m or 128Mi.'),
    )
    .optional()
    .describe(description);

export const resourceRequirements = () =>
  z.object({
    claims: z
      .array(
        z.object({
          name: z.string().describe('Entry of the pod that describes the claim.'),
          request: z.string().optional().describe('One request of that claim; empty: all of them.'),
        }),
      )
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .optional()
      .describe('Resource claims that the container uses.'),
    limits: quantities('The most the container may use of each resource.'),
    requests: quantities('What is set aside for the container of each resource.'),
  });

/** MLB-3 to MLB-6. */
const weight = () => int32().min(1).max(100).describe('From 1 to 100.');

const nodeRequirement = (subject: string) =>
  z.object({
    key: z.string().describe(`The ${subject} that the condition looks at.`),
    operator: z.string().describe('How it is compared: In, NotIn, Exists, DoesNotExist, Gt or Lt.'),
    values: atomicList(z.string())
      .optional()
      .describe('Values to compare with: none for Exists and DoesNotExist, one number for Gt and Lt.'),
  });

const nodeSelectorTerm = () =>
  z
    .object({
      matchExpressions: atomicList(nodeRequirement('label'))
        .optional()
        .describe('Conditions on labels of the node.'),
      matchFields: atomicList(nodeRequirement('field'))
        .optional()
        .describe('Conditions on fields of the node.'),
    })
    .meta({ 'x-kubernetes-map-type': 'atomic' });

const nodeAffinity = () =>
  z.object({
    preferredDuringSchedulingIgnoredDuringExecution: atomicList(
      z.object({ preference: nodeSelectorTerm().describe('Nodes that get the weight.'), weight: weight() }),
    )
      .optional()
      .describe('Nodes that are preferred: those with the highest sum of weights win.'),
    requiredDuringSchedulingIgnoredDuringExecution: z
      .object({ nodeSelectorTerms: atomicList(nodeSelectorTerm()).describe('One matching term is enough.') })
      .meta({ 'x-kubernetes-map-type': 'atomic' })
      .optional()
      .describe('Nodes on which the pods may run.'),
  });

const podAffinityTerm = () =>
  z.object({
    labelSelector: labelSelector().optional().describe('The other pods, by label.'),
    matchLabelKeys: atomicList(z.string())
      .optional()
      .describe('Labels whose values must be the same on both pods.'),
    mismatchLabelKeys: atomicList(z.string())
      .optional()
      .describe('Labels whose values must differ between the pods.'),
    namespaceSelector: labelSelector().optional().describe('Namespaces of the other pods, by label.'),
    namespaces: atomicList(z.string()).optional().describe('Namespaces of the other pods, by name.'),
    topologyKey: z.string().describe('Node label whose value says which nodes count as one place.'),
  });

const podAffinity = (near: string) =>
  z.object({
    preferredDuringSchedulingIgnoredDuringExecution: atomicList(
      z.object({
        podAffinityTerm: podAffinityTerm().describe('The other pods, and what counts as one place.'),
        weight: weight(),
      }),
    )
      .optional()
      .describe(`Pods that one would rather be ${near}.`),
    requiredDuringSchedulingIgnoredDuringExecution: atomicList(podAffinityTerm())
      .optional()
      .describe(`Pods that one must be ${near}.`),
  });

export const affinity = () =>
  z.object({
    nodeAffinity: nodeAffinity().optional().describe('Which nodes the pods go to.'),
    podAffinity: podAffinity('near').optional().describe('Which pods the pods go near to.'),
    podAntiAffinity: podAffinity('away from').optional().describe('Which pods the pods keep away from.'),
  });
