/** MetalLB: an installation, for the operator (api.md §4.10). */
import * as z from 'zod';
import { defineResource, objectMeta } from '#core/api/define.ts';
import { cel, condition } from '#core/api/fields.ts';
import { affinity, resourceRequirements, toleration } from '#core/api/pod-fields.ts';

const LOAD_BALANCER_CLASS = /^([a-z0-9A-Z]([\w.-]*[a-z0-9A-Z])?\/)?[a-z0-9A-Z]([\w.-]*[a-z0-9A-Z])?$/;

/** MLB-7. */
const BACKENDS = cel({
  rule: "self in ['', 'native', 'frr', 'frr-k8s', 'frr-k8s-external']",
  message: 'unknown BGP backend: use native, frr, frr-k8s or frr-k8s-external, or leave it out',
});

const nodeSelector = (program: string) =>
  z
    .record(z.string(), z.string())
    .optional()
    .describe(`Labels of the nodes on which the ${program} runs. Without it: all Linux nodes.`);

const tolerations = (program: string) =>
  z.array(toleration()).optional().describe(`Taints of nodes that the ${program} tolerates.`);

const workloadConfig = (program: string) =>
  z
    .object({
      priorityClassName: z.string().optional().describe('Priority class of the pods.'),
      runtimeClassName: z.string().optional().describe('Runtime class of the pods.'),
      affinity: affinity().optional().describe('Affinity of the pods; takes the place of ours.'),
      annotations: z.record(z.string(), z.string()).optional().describe('Annotations of the pods.'),
      resources: resourceRequirements()
        .optional()
        .describe(`Resources of the container ${program}; takes the place of ours.`),
    })
    .optional()
    .describe(`Further settings of the ${program} pods.`);

const frrk8sConfig = z.object({
  alwaysBlock: z
    .array(z.string())
    .optional()
    .describe(
      'Prefixes that are never accepted from neighbours, such as the addresses of the cluster itself.',
    ),
  namespace: z.string().optional().describe('Namespace of the frr-k8s that somebody else runs.'),
  secretPassthrough: z
    .boolean()
    .optional()
    .describe('Hands references to password Secrets to that frr-k8s instead of the passwords.'),
});

export const metallbV1beta1 = z.object({
  metadata: objectMeta,
  spec: z
    .object({
      image: z.string().optional().describe('Deprecated, without effect.'),
      logLevel: z
        .enum(['all', 'debug', 'info', 'warn', 'error', 'none'])
        .optional()
        .describe('How much controller and speaker write to their logs. Unset: info.'),
      loadBalancerClass: z
        .string()
        .regex(LOAD_BALANCER_CLASS)
        .optional()
        .describe(
          'Handles only Services whose spec.loadBalancerClass is this. Unset: only Services without a class.',
        ),
      nodeSelector: nodeSelector('speaker'),
      speakerTolerations: tolerations('speaker'),
      speakerConfig: workloadConfig('speaker'),
      controllerNodeSelector: nodeSelector('controller'),
      controllerTolerations: tolerations('controller'),
      controllerConfig: workloadConfig('controller'),
      bgpBackend: z
        .string()
        .meta(BACKENDS)
        .optional()
        .describe(
          'What speaks BGP: native, frr or frr-k8s (all served by the FRR beside the speaker), or frr-k8s-external (a frr-k8s that somebody else runs). Unset: frr.',
        ),
      frrk8sConfig: frrk8sConfig
        .optional()
        .describe('Settings for the backends frr-k8s and frr-k8s-external.'),
    })
    .optional()
    .describe('How MetalLB is installed.'),
  status: z
    .object({
      conditions: z
        .array(condition())
        .optional()
        .describe('Available, Upgradeable, Progressing and Degraded, in this order.'),
    })
    .optional()
    .describe('State of the installation; written by the operator.'),
});

export type MetalLB = z.infer<typeof metallbV1beta1>;

const conditionColumn = (type: string, description: string) => ({
  name: type,
  type: 'string' as const,
  jsonPath: `.status.conditions[?(@.type=='${type}')].status`,
  description,
});

export const metallb = defineResource({
  kind: 'MetalLB',
  plural: 'metallbs',
  shortNames: ['mlb'],
  description:
    'An installation of MetalLB. The operator acts on the object named metallb in its own namespace and on no other.',
  versions: [
    {
      name: 'v1beta1',
      served: true,
      storage: true,
      schema: metallbV1beta1,
      columns: [
        conditionColumn('Available', 'Whether controller and speakers run as wanted'),
        conditionColumn('Degraded', 'Whether something keeps the installation from running as wanted'),
        conditionColumn('Progressing', 'Whether a change is being rolled out'),
        { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
    },
  ],
});
