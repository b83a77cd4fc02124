/** MetalLB: an installation, for the operator (api.md §4.10). */
import * as z from 'zod';
import { defineResource, objectMeta } from '#core/api/define.ts';
import { cel, condition, int32 } from '#core/api/fields.ts';
import { affinity, resourceRequirements, toleration } from '#core/api/pod-fields.ts';

const LOAD_BALANCER_CLASS = /^([a-z0-9A-Z]([\w.-]*[a-z0-9A-Z])?\/)?[a-z0-9A-Z]([\w.-]*[a-z0-9A-Z])?$/;

/** A number above zero, or such a percentage. */
const SHARE = '^([1-9][0-9]*|[1-9][0-9]?%|100%)$';

/** MLB-7. */
const BACKENDS = cel({
  rule: "self in ['', 'native', 'frr', 'frr-k8s', 'frr-k8s-external']",
  message: 'unknown BGP backend: use native, frr, frr-k8s or frr-k8s-external, or leave it out',
});

/** MLB-9; what CEL cannot read and we can is left to the operator. */
const BLOCKED = cel({
  rule: "isCIDR(self.trim()) || self.contains('/0') || self.lowerAscii().contains('ffff:')",
  message: 'not a prefix: write one such as 192.168.0.0/16 or 2001:db8::/32',
});

const nodeSelector = (program: string) =>
  z
    .record(z.string(), z.string())
    .optional()
    .describe(`Labels of the nodes on which the ${program} runs. Without it: all Linux nodes.`);

const tolerations = (program: string) =>
  z.array(toleration()).optional().describe(`Taints of nodes that the ${program} tolerates.`);

const workloadConfig = (program: string) => ({
  priorityClassName: z.string().optional().describe('Priority class of the pods.'),
  runtimeClassName: z.string().optional().describe('Runtime class of the pods.'),
  affinity: affinity().optional().describe('Affinity of the pods; takes the place of ours.'),
  annotations: z.record(z.string(), z.string()).optional().describe('Annotations of the pods.'),
  labels: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      'Labels of the pods, beside ours: those cannot be changed, since selectors and tools use them.',
    ),
  resources: resourceRequirements()
    .optional()
    .describe(`Resources of the container ${program}; takes the place of ours.`),
});

const controllerConfig = z.object({
  ...workloadConfig('controller'),
  replicas: int32()
    .min(1)
    .optional()
    .describe(
      'How many controllers run. One works, the others take over when it is gone. Unset: one, or what somebody scales the Deployment to.',
    ),
});

/** How a DaemonSet is updated, as far as speakers can be: there is never room for two on a node. */
export const updateStrategy = z.object({
  type: z
    .enum(['RollingUpdate', 'OnDelete'])
    .optional()
    .describe('OnDelete: a pod is replaced when somebody deletes it. Unset: RollingUpdate.'),
  rollingUpdate: z
    .object({
      maxUnavailable: z
        .union([z.int(), z.string()])
        .meta({ pattern: SHARE, 'x-kubernetes-int-or-string': true })
        .optional()
        .describe('How many nodes may be without their speaker at a time, such as 1 or 10%. Unset: 1.'),
    })
    .optional()
    .describe('For type RollingUpdate.'),
});

/** Seconds; beyond it a node's maintenance would wait for nothing. */
export const MAX_GRACEFUL_SHUTDOWN = 600;

const speakerConfig = z.object({
  ...workloadConfig('speaker'),
  frrResources: resourceRequirements().optional().describe('Resources of the container frr.'),
  updateStrategy: updateStrategy
    .optional()
    .describe('How a change reaches the speakers. Unset: node by node.'),
  excludedInterfaces: z
    .array(z.string())
    .optional()
    .describe(
      'Regular expressions of interfaces that never answer ARP and NDP; take the place of ours, an empty list excludes none. A change restarts the speakers.',
    ),
  ignoreExcludeLB: z
    .boolean()
    .optional()
    .describe(
      'Announce also from nodes with the label node.kubernetes.io/exclude-from-external-load-balancers.',
    ),
  gracefulShutdownSeconds: int32()
    .min(0)
    .max(MAX_GRACEFUL_SHUTDOWN)
    .optional()
    .describe(
      'Before a speaker ends, and while its Node carries the label metallb.io/drain, its BGP routes get the community graceful-shutdown for so many seconds; then those that other nodes announce too are withdrawn. Unset or 0: off.',
    ),
});

const imagePullSecrets = z
  .array(z.object({ name: z.string().min(1).describe('Name of the Secret.') }))
  .optional()
  .describe("Secrets in this namespace that images are pulled with. Unset: those of the operator's own pod.");

const frrk8sConfig = z.object({
  alwaysBlock: z
    .array(z.string().max(100).meta(BLOCKED))
    .max(1000)
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
      speakerConfig: speakerConfig.optional().describe('Further settings of the speaker pods.'),
      controllerNodeSelector: nodeSelector('controller'),
      controllerTolerations: tolerations('controller'),
      controllerConfig: controllerConfig.optional().describe('Further settings of the controller pods.'),
      imagePullSecrets,
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
