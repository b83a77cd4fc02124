/** DaemonSet `speaker`: the speaker and, unless somebody else runs FRR, the FRR beside it (architecture, decision 9). */
import type { Toleration, UpdateStrategy } from '#core/config/metallb.ts';
import {
  backendEnv,
  commonArgs,
  confined,
  env,
  fieldEnv,
  flag,
  image,
  passthroughArg,
  probes,
  serviceCertificates,
  templateLabels,
  tlsArgs,
  workloadFields,
} from '#operator/render/containers.ts';
import { drainSeconds, frrContainer, frrMounts, frrVolumes } from '#operator/render/frr.ts';
import { certificateFolders, frrVtyGroup, programs } from '#operator/render/image.ts';
import {
  namespaced,
  optional,
  selectorLabels,
  type Manifest,
  type RenderInput,
} from '#operator/render/manifest.ts';

/** SCC and annotation that OpenShift admits the speaker by. */
export const speakerScc = 'metallb-speaker';

/** Before the user's, in this order (operator-packaging.md 10.3, item 27). */
const builtInTolerations: readonly Toleration[] = [
  { effect: 'NoSchedule', key: 'node-role.kubernetes.io/master', operator: 'Exists' },
  { effect: 'NoSchedule', key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' },
];

/** True when the speaker drives an FRR of its own, beside it in the pod. */
export function hasFrr(input: RenderInput): boolean {
  return input.backend !== 'frr-k8s-external';
}

/**
 * Five seconds between SIGTERM and SIGKILL are enough to hand everything over, and keep the host's ports from
 * being taken by the successor while we still hold them, which no grace at all would allow.
 */
const HAND_OVER_SECONDS = 5;

export function speakerDaemonSet(input: RenderInput): Manifest {
  const { spec, options } = input;
  const config = spec.speakerConfig;
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: namespaced('speaker', options, 'speaker'),
    spec: {
      selector: { matchLabels: selectorLabels('speaker') },
      template: {
        metadata: {
          labels: templateLabels('speaker', config),
          ...optional('annotations', podAnnotations(input)),
        },
        spec: {
          ...workloadFields(config, input),
          containers: [speakerContainer(input), ...(hasFrr(input) ? [frrContainer(input)] : [])],
          dnsPolicy: 'Default',
          hostNetwork: true,
          nodeSelector: { 'kubernetes.io/os': 'linux', ...spec.nodeSelector },
          securityContext: { seccompProfile: { type: 'RuntimeDefault' }, supplementalGroups: [frrVtyGroup] },
          serviceAccountName: 'speaker',
          terminationGracePeriodSeconds: HAND_OVER_SECONDS + drainSeconds(input),
          tolerations: tolerations(spec.speakerTolerations ?? []),
          volumes: volumes(input),
        },
      },
      updateStrategy: updateStrategy(config?.updateStrategy ?? {}),
    },
  };
}

/** The user's own follow, but for those we have already (field case C09). */
function tolerations(users: readonly Toleration[]): Toleration[] {
  const own = builtInTolerations.map((toleration) => textOf(toleration));
  return [...builtInTolerations, ...users.filter((toleration) => !own.includes(textOf(toleration)))];
}

function textOf({ key, operator, value, effect, tolerationSeconds }: Toleration): string {
  return JSON.stringify([key, operator, value ?? '', effect, tolerationSeconds]);
}

/** Node by node, unless the user knows better: a speaker is ready only when its sessions are up again. */
function updateStrategy({ type = 'RollingUpdate', rollingUpdate }: UpdateStrategy): object {
  if (type === 'OnDelete') return { type };
  return { rollingUpdate: { maxUnavailable: rollingUpdate?.maxUnavailable ?? 1 }, type };
}

/**
 * Our own annotations last: on OpenShift the pod is admitted by this SCC whatever the CR says. The list of interfaces
 * is read at start only, so its pods name it: another list means other pods.
 */
function podAnnotations(input: RenderInput): Readonly<Record<string, string>> {
  const { annotations = {}, excludedInterfaces } = input.spec.speakerConfig ?? {};
  return {
    ...annotations,
    ...(excludedInterfaces === undefined
      ? {}
      : { 'metallb.io/excluded-interfaces': JSON.stringify(excludedInterfaces) }),
    ...(input.options.platform === 'openshift' ? { 'openshift.io/required-scc': speakerScc } : {}),
  };
}

function speakerContainer(input: RenderInput): object {
  const { spec, options } = input;
  return {
    args: [
      ...commonArgs(input),
      ...(spec.speakerConfig?.ignoreExcludeLB === true ? ['--ignore-exclude-lb'] : []),
      ...drainArgs(input),
      ...externalArgs(input),
      ...tlsArgs(options),
    ],
    command: [programs.speaker],
    env: speakerEnv(input),
    ...image(options.images.speaker, options),
    ...probes({ port: options.ports.health, host: '127.0.0.1' }),
    name: 'speaker',
    ports: [
      { containerPort: options.ports.metrics, name: 'metricshttps', protocol: 'TCP' },
      ...(hasFrr(input)
        ? [{ containerPort: options.ports.frrMetrics, name: 'frrmetricshttps', protocol: 'TCP' }]
        : []),
      { containerPort: options.ports.memberlist, name: 'memberlist-tcp', protocol: 'TCP' },
      { containerPort: options.ports.memberlist, name: 'memberlist-udp', protocol: 'UDP' },
    ],
    ...optional('resources', spec.speakerConfig?.resources),
    securityContext: { ...confined(speakerCapabilities), runAsUser: 0 },
    volumeMounts: mounts(input),
  };
}

/** Raw sockets for ARP and NDP; a real-time priority for the thread that answers them, where the node allows it. */
export const speakerCapabilities: readonly string[] = ['NET_RAW', 'SYS_NICE'];

function drainArgs({ spec }: RenderInput): string[] {
  const seconds = spec.speakerConfig?.gracefulShutdownSeconds ?? 0;
  return seconds === 0 ? [] : [`--graceful-shutdown-seconds=${seconds}`];
}

function externalArgs(input: RenderInput): string[] {
  if (hasFrr(input)) return [];
  const config = input.spec.frrk8sConfig;
  return [
    ...flag('--frrk8s-namespace', config?.namespace ?? input.options.externalNamespace),
    ...passthroughArg(input),
  ];
}

function speakerEnv(input: RenderInput): object[] {
  return [
    fieldEnv('METALLB_NODE_NAME', 'spec.nodeName'),
    fieldEnv('METALLB_POD_NAME', 'metadata.name'),
    fieldEnv('METALLB_NAMESPACE', 'metadata.namespace'),
    fieldEnv('METALLB_HOST', 'status.hostIP'),
    fieldEnv('METALLB_ML_BIND_ADDR', 'status.podIP'),
    env('METALLB_DAEMONSET', 'speaker'),
    env('METALLB_ML_LABELS', 'app=metallb,component=speaker'),
    env('METALLB_ML_BIND_PORT', String(input.options.ports.memberlist)),
    env('METALLB_ML_SECRET_KEY_PATH', '/etc/ml_secret_key'),
    env('FRR_METRICS_PORT', hasFrr(input) ? String(input.options.ports.frrMetrics) : '0'),
    ...backendEnv(input),
  ];
}

function mounts(input: RenderInput): object[] {
  return [
    { mountPath: '/etc/ml_secret_key', name: 'memberlist', readOnly: true },
    { mountPath: '/etc/metallb', name: 'metallb-excludel2', readOnly: true },
    ...(hasFrr(input) ? frrMounts('speaker') : []),
    ...(serviceCertificates(input.options)
      ? [{ mountPath: certificateFolders.metrics, name: 'metrics-certs', readOnly: true }]
      : []),
  ];
}

function volumes(input: RenderInput): object[] {
  const { options } = input;
  return [
    { name: 'memberlist', secret: { defaultMode: 0o440, secretName: options.memberlistSecret } },
    { configMap: { defaultMode: 0o440, name: 'metallb-excludel2' }, name: 'metallb-excludel2' },
    ...(hasFrr(input) ? frrVolumes() : []),
    ...(serviceCertificates(options)
      ? [{ name: 'metrics-certs', secret: { secretName: 'speaker-certs-secret' } }]
      : []),
  ];
}
