/** Deployment `controller` (operator-packaging.md §2.10; contract.md, Workloads). */
import {
  backendEnv,
  passthroughArg,
  commonArgs,
  confined,
  env,
  fieldEnv,
  image,
  probes,
  serviceCertificates,
  templateLabels,
  tlsArgs,
  workloadFields,
} from '#operator/render/containers.ts';
import { certificateFolders, nobody, programs } from '#operator/render/image.ts';
import {
  namespaced,
  optional,
  selectorLabels,
  type Manifest,
  type RenderInput,
} from '#operator/render/manifest.ts';

/**
 * Without `controllerConfig.replicas` the number is left to the user: whoever scales the Deployment keeps it. Only the
 * holder of a Lease acts, so that the old and the new pod of a rollout never both give out addresses; ten seconds of
 * grace are there to set it free (one is used).
 */
export function controllerDeployment(input: RenderInput): Manifest {
  const { spec, options } = input;
  const config = spec.controllerConfig;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: namespaced('controller', options, 'controller'),
    spec: {
      ...optional('replicas', config?.replicas),
      revisionHistoryLimit: 3,
      selector: { matchLabels: selectorLabels('controller') },
      strategy: { type: 'RollingUpdate' },
      template: {
        metadata: {
          labels: templateLabels('controller', config),
          ...optional('annotations', config?.annotations),
        },
        spec: {
          ...workloadFields(config, input),
          containers: [controllerContainer(input)],
          dnsPolicy: 'Default',
          nodeSelector: { 'kubernetes.io/os': 'linux', ...spec.controllerNodeSelector },
          securityContext: podSecurity(input),
          serviceAccountName: 'controller',
          terminationGracePeriodSeconds: 10,
          ...optional('tolerations', spec.controllerTolerations),
          ...optional('topologySpreadConstraints', spread(input)),
          ...optional('volumes', certificateVolumes(input)),
        },
      },
    },
  };
}

function isReplicated({ spec }: RenderInput): boolean {
  return (spec.controllerConfig?.replicas ?? 1) > 1;
}

/** Several controllers go to several nodes where there are some: one node's end must not be the end of both. */
function spread(input: RenderInput): object[] {
  if (!isReplicated(input)) return [];
  return [
    {
      labelSelector: { matchLabels: selectorLabels('controller') },
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'ScheduleAnyway',
    },
  ];
}

/** A drain takes one controller at a time. With a single one there is none: it would only keep its node from being drained. */
export function controllerDisruptionBudget(input: RenderInput): Manifest[] {
  if (!isReplicated(input)) return [];
  return [
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: namespaced('controller', input.options, 'controller'),
      spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels('controller') } },
    },
  ];
}

function controllerContainer(input: RenderInput): object {
  const { spec, options } = input;
  const mounts = serviceCertificates(options)
    ? [{ mountPath: certificateFolders.metrics, name: 'metrics-certs', readOnly: true }]
    : [];
  return {
    args: [
      ...commonArgs(input),
      '--leader-elect',
      '--webhook-mode=disabled',
      ...passthroughArg(input),
      ...tlsArgs(options),
    ],
    command: [programs.controller],
    env: [
      fieldEnv('METALLB_POD_NAME', 'metadata.name'),
      fieldEnv('METALLB_NAMESPACE', 'metadata.namespace'),
      env('METALLB_ML_SECRET_NAME', options.memberlistSecret),
      env('METALLB_DEPLOYMENT', 'controller'),
      ...backendEnv(input),
    ],
    ...image(options.images.controller, options),
    ...probes({ port: options.ports.health }),
    name: 'controller',
    ports: [{ containerPort: options.ports.metrics, name: 'metricshttps', protocol: 'TCP' }],
    ...optional('resources', spec.controllerConfig?.resources),
    securityContext: confined(),
    ...optional('volumeMounts', mounts),
  };
}

/** OpenShift assigns users and groups itself (operator-packaging.md 10.3, item 49). */
function podSecurity(input: RenderInput): object {
  if (input.options.platform === 'openshift') return { runAsNonRoot: true };
  return {
    fsGroup: nobody,
    runAsNonRoot: true,
    runAsUser: nobody,
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

function certificateVolumes(input: RenderInput): object[] {
  if (!serviceCertificates(input.options)) return [];
  return [{ name: 'metrics-certs', secret: { secretName: 'controller-certs-secret' } }];
}
