/**
 * What each field of a MetalLB object does to what the operator makes (operator-packaging.md §1.2, §2.9): one table
 * for the unit test on rendering and for the test on a real API server, held against the schema field by field.
 */
import type { MetalLBSpec } from '#core/config/metallb.ts';
import { metallb } from '#core/api/metallb.ts';
import { fieldsOf } from '#tools/crds/docs.ts';
import { rootSchema } from '#tools/crds/crd.ts';

export type Fields = Readonly<Record<string, unknown>>;

export interface FieldCase {
  /** Fields of the schema that it is about, without `spec.`. */
  readonly fields: readonly string[];
  readonly spec: MetalLBSpec;
  /** `Kind/name` of an object that the operator makes. */
  readonly object: string;
  /** What of the object shows the effect. */
  readonly seen: (object: Fields) => unknown;
  /** What is seen with the spec, and without it. */
  readonly becomes: unknown;
  readonly otherwise: unknown;
}

/** The value at a path of names and positions; undefined where it ends. */
function at(object: unknown, ...path: readonly (number | string)[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? (value as Fields)[key] : undefined),
    object,
  );
}

const pod =
  (...path: readonly (number | string)[]) =>
  (object: Fields) =>
    at(object, 'spec', 'template', 'spec', ...path);

const template =
  (...path: readonly (number | string)[]) =>
  (object: Fields) =>
    at(object, 'spec', 'template', 'metadata', ...path);

const container =
  (name: string, ...path: readonly string[]) =>
  (object: Fields) => {
    const all = (pod('containers')(object) ?? []) as readonly Fields[];
    const found = all.find((one) => one['name'] === name);
    const value = at(found, ...path);
    // The API server fills in an empty object.
    return typeof value === 'object' && value !== null && Object.keys(value).length === 0 ? undefined : value;
  };

/** The argument of a container that begins with a flag. */
const flag = (name: string, text: string) => (object: Fields) =>
  ((container(name, 'args')(object) ?? []) as readonly string[]).find((arg) => arg.startsWith(text));

const controller = 'Deployment/controller';
const speaker = 'DaemonSet/speaker';
const workloads = [
  ['controller', controller, 'controllerConfig'],
  ['speaker', speaker, 'speakerConfig'],
] as const;

const affinity = {
  nodeAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 10, preference: { matchExpressions: [{ key: 'rack', operator: 'Exists' }] } },
    ],
  },
};
const resources = { limits: { cpu: '100m', memory: '64Mi' }, requests: { cpu: '10m' } };
const tolerations = [{ key: 'edge', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 }];
const external = { bgpBackend: 'frr-k8s-external', frrk8sConfig: { namespace: 'frr-k8s-system' } };

/** The fields that controller and speaker have alike. */
const both: readonly FieldCase[] = workloads.flatMap(([name, object, config]) => [
  {
    fields: [`${config}.priorityClassName`],
    spec: { [config]: { priorityClassName: 'system-cluster-critical' } },
    object,
    seen: pod('priorityClassName'),
    becomes: 'system-cluster-critical',
    otherwise: undefined,
  },
  {
    fields: [`${config}.runtimeClassName`],
    spec: { [config]: { runtimeClassName: 'kata' } },
    object,
    seen: pod('runtimeClassName'),
    becomes: 'kata',
    otherwise: undefined,
  },
  {
    fields: [`${config}.affinity`],
    spec: { [config]: { affinity } },
    object,
    seen: pod('affinity'),
    becomes: affinity,
    otherwise: undefined,
  },
  {
    fields: [`${config}.annotations`],
    spec: { [config]: { annotations: { team: 'net' } } },
    object,
    seen: template('annotations', 'team'),
    becomes: 'net',
    otherwise: undefined,
  },
  {
    fields: [`${config}.labels`],
    spec: { [config]: { labels: { 'example.com/team': 'net' } } },
    object,
    seen: template('labels', 'example.com/team'),
    becomes: 'net',
    otherwise: undefined,
  },
  {
    fields: [`${config}.resources`],
    spec: { [config]: { resources } },
    object,
    seen: container(name, 'resources'),
    becomes: resources,
    otherwise: undefined,
  },
  {
    fields: ['logLevel'],
    spec: { logLevel: 'debug' },
    object,
    seen: flag(name, '--log-level='),
    becomes: '--log-level=debug',
    otherwise: '--log-level=info',
  },
  {
    fields: ['loadBalancerClass'],
    spec: { loadBalancerClass: 'metallb.io/x' },
    object,
    seen: flag(name, '--lb-class='),
    becomes: '--lb-class=metallb.io/x',
    otherwise: undefined,
  },
  {
    fields: ['imagePullSecrets.name'],
    spec: { imagePullSecrets: [{ name: 'pull' }] },
    object,
    seen: pod('imagePullSecrets'),
    becomes: [{ name: 'pull' }],
    otherwise: undefined,
  },
]);

const builtIn = [
  { effect: 'NoSchedule', key: 'node-role.kubernetes.io/master', operator: 'Exists' },
  { effect: 'NoSchedule', key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' },
];

const placement: readonly FieldCase[] = [
  {
    fields: ['nodeSelector'],
    spec: { nodeSelector: { rack: 'a' } },
    object: speaker,
    seen: pod('nodeSelector'),
    becomes: { 'kubernetes.io/os': 'linux', rack: 'a' },
    otherwise: { 'kubernetes.io/os': 'linux' },
  },
  {
    fields: ['nodeSelector'],
    spec: { nodeSelector: { rack: 'a' } },
    object: controller,
    seen: pod('nodeSelector'),
    becomes: { 'kubernetes.io/os': 'linux' },
    otherwise: { 'kubernetes.io/os': 'linux' },
  },
  {
    fields: ['controllerNodeSelector'],
    spec: { controllerNodeSelector: { rack: 'a' } },
    object: controller,
    seen: pod('nodeSelector'),
    becomes: { 'kubernetes.io/os': 'linux', rack: 'a' },
    otherwise: { 'kubernetes.io/os': 'linux' },
  },
  {
    fields: ['speakerTolerations'],
    spec: { speakerTolerations: [...builtIn.slice(1), ...tolerations] },
    object: speaker,
    seen: pod('tolerations'),
    becomes: [...builtIn, ...tolerations],
    otherwise: builtIn,
  },
  {
    fields: ['controllerTolerations'],
    spec: { controllerTolerations: tolerations },
    object: controller,
    seen: pod('tolerations'),
    becomes: tolerations,
    otherwise: undefined,
  },
];

const ofSpeaker: readonly FieldCase[] = [
  {
    fields: ['speakerConfig.frrResources'],
    spec: { speakerConfig: { frrResources: resources } },
    object: speaker,
    seen: container('frr', 'resources'),
    becomes: resources,
    otherwise: undefined,
  },
  {
    fields: ['speakerConfig.updateStrategy.rollingUpdate.maxUnavailable'],
    spec: { speakerConfig: { updateStrategy: { rollingUpdate: { maxUnavailable: '50%' } } } },
    object: speaker,
    seen: (object) => at(object, 'spec', 'updateStrategy', 'rollingUpdate', 'maxUnavailable'),
    becomes: '50%',
    otherwise: 1,
  },
  {
    fields: ['speakerConfig.updateStrategy.type'],
    spec: { speakerConfig: { updateStrategy: { type: 'OnDelete' } } },
    object: speaker,
    seen: (object) => at(object, 'spec', 'updateStrategy', 'type'),
    becomes: 'OnDelete',
    otherwise: 'RollingUpdate',
  },
  {
    fields: ['speakerConfig.excludedInterfaces'],
    spec: { speakerConfig: { excludedInterfaces: ['^wg\\d+$'] } },
    object: 'ConfigMap/metallb-excludel2',
    seen: (object) => String(at(object, 'data', 'excludel2.yaml')).includes('^docker'),
    becomes: false,
    otherwise: true,
  },
  {
    fields: ['speakerConfig.excludedInterfaces'],
    spec: { speakerConfig: { excludedInterfaces: [] } },
    object: speaker,
    seen: template('annotations', 'metallb.io/excluded-interfaces'),
    becomes: '[]',
    otherwise: undefined,
  },
  {
    fields: ['speakerConfig.ignoreExcludeLB'],
    spec: { speakerConfig: { ignoreExcludeLB: true } },
    object: speaker,
    seen: flag('speaker', '--ignore-exclude-lb'),
    becomes: '--ignore-exclude-lb',
    otherwise: undefined,
  },
  {
    fields: ['speakerConfig.gracefulShutdownSeconds'],
    spec: { speakerConfig: { gracefulShutdownSeconds: 20 } },
    object: speaker,
    seen: flag('speaker', '--graceful-shutdown-seconds=20'),
    becomes: '--graceful-shutdown-seconds=20',
    otherwise: undefined,
  },
  {
    fields: ['speakerConfig.gracefulShutdownSeconds'],
    spec: { speakerConfig: { gracefulShutdownSeconds: 20 } },
    object: speaker,
    seen: pod('terminationGracePeriodSeconds'),
    becomes: 29,
    otherwise: 5,
  },
  {
    fields: ['speakerConfig.gracefulShutdownSeconds'],
    spec: { speakerConfig: { gracefulShutdownSeconds: 20 } },
    object: speaker,
    seen: (object) => at(container('frr', 'lifecycle')(object), 'preStop', 'exec', 'command'),
    becomes: ['sleep', '26'],
    otherwise: ['sleep', '2'],
  },
];

const backend: readonly FieldCase[] = [
  {
    fields: ['bgpBackend'],
    spec: { bgpBackend: 'native' },
    object: controller,
    seen: (object) =>
      ((container('controller', 'env')(object) ?? []) as readonly Fields[]).find(
        (variable) => variable['name'] === 'METALLB_BGP_TYPE',
      )?.['value'],
    becomes: undefined,
    otherwise: 'frr',
  },
  {
    fields: ['frrk8sConfig.namespace'],
    spec: external,
    object: speaker,
    seen: flag('speaker', '--frrk8s-namespace='),
    becomes: '--frrk8s-namespace=frr-k8s-system',
    otherwise: undefined,
  },
  {
    fields: ['frrk8sConfig.secretPassthrough'],
    spec: { ...external, frrk8sConfig: { ...external.frrk8sConfig, secretPassthrough: true } },
    object: speaker,
    seen: flag('speaker', '--frrk8s-secret-passthrough'),
    becomes: '--frrk8s-secret-passthrough',
    otherwise: undefined,
  },
  {
    fields: ['frrk8sConfig.secretPassthrough'],
    spec: { ...external, frrk8sConfig: { ...external.frrk8sConfig, secretPassthrough: true } },
    object: controller,
    seen: flag('controller', '--frrk8s-secret-passthrough'),
    becomes: '--frrk8s-secret-passthrough',
    otherwise: undefined,
  },
];

const replicas: readonly FieldCase[] = [
  {
    fields: ['controllerConfig.replicas'],
    spec: { controllerConfig: { replicas: 2 } },
    object: controller,
    seen: (object) => at(object, 'spec', 'replicas') ?? 1,
    becomes: 2,
    otherwise: 1,
  },
  {
    fields: ['controllerConfig.replicas'],
    spec: { controllerConfig: { replicas: 2 } },
    object: controller,
    seen: pod('topologySpreadConstraints', 0, 'topologyKey'),
    becomes: 'kubernetes.io/hostname',
    otherwise: undefined,
  },
];

export const fieldCases: readonly FieldCase[] = [
  ...both,
  ...placement,
  ...ofSpeaker,
  ...backend,
  ...replicas,
];

/** Fields that lead to nothing, and why. */
export const withoutEffect: Readonly<Record<string, string>> = {
  image: 'deprecated; without effect in the original too',
  'frrk8sConfig.alwaysBlock':
    'checked; FRR takes no route from neighbours whatever it says, unless lines in bgpextras permit some',
};

/** Shapes of Kubernetes that are passed on whole. */
const whole = /^(.*\.)?(affinity|resources|frrResources|speakerTolerations|controllerTolerations)\./;

/** The fields of the schema that carry a value, as the table names them. */
export function metallbFields(): string[] {
  const [version] = metallb.versions;
  if (version === undefined) throw new Error('MetalLB has no version');
  const all = fieldsOf(rootSchema(metallb, version))
    .map(({ path, schema }) => ({ path: path.replaceAll('[]', ''), schema }))
    .filter(({ path }) => path.startsWith('spec.'))
    .map(({ path, schema }) => ({ path: path.slice('spec.'.length), schema }))
    .filter(({ path }) => !whole.test(path));
  const isGroup = (path: string): boolean => all.some((other) => other.path.startsWith(`${path}.`));
  return all.map(({ path }) => path).filter((path) => !isGroup(path));
}
