/** From the original's workloads to the MetalLB object that asks for the same. */
import { usualExclusions } from '#core/l2/interfaces.ts';
import type { MetalLBSpec, Toleration, WorkloadConfig } from '#core/config/metallb.ts';
import type { MigrationFacts, OldContainer, OldPod, OldWorkload } from '#core/migrate/facts.ts';

/** Every speaker has them, in the original as in ours. */
const builtIn: ReadonlySet<string> = new Set(
  ['node-role.kubernetes.io/master', 'node-role.kubernetes.io/control-plane'].map((key) =>
    JSON.stringify([key, 'Exists', 'NoSchedule']),
  ),
);

/** Annotations that tools write and nobody asked for. */
const NOT_ASKED = /^(prometheus\.io|checksum|kubectl\.kubernetes\.io|deprecated\.daemonset)\//;

/** The spec of the MetalLB object that stands there, or what the workloads say. */
export function specOf(facts: MigrationFacts): MetalLBSpec {
  if (facts.metallb !== undefined) return facts.metallb;
  const controller = facts.workloads.find(({ component }) => component === 'controller');
  const speaker = facts.workloads.find(({ component }) => component === 'speaker');
  const main = mainOf(speaker ?? controller);
  return compact({
    logLevel: flag(main, 'log-level'),
    loadBalancerClass: flag(main, 'lb-class'),
    nodeSelector: beyondLinux(speaker?.pod),
    controllerNodeSelector: beyondLinux(controller?.pod),
    speakerTolerations: speaker?.pod.tolerations.filter((toleration) => !builtIn.has(keyOf(toleration))),
    controllerTolerations: controller?.pod.tolerations,
    controllerConfig: configOf(controller),
    speakerConfig: compact({
      ...configOf(speaker),
      ignoreExcludeLB:
        main?.args.some((arg) => /^--ignore-exclude-lb(=true)?$/.test(arg)) === true || undefined,
      excludedInterfaces: unusual(facts.excludedInterfaces),
    }),
    imagePullSecrets: speaker?.pod.imagePullSecrets,
    ...backendOf(facts, speaker),
  });
}

function mainOf(workload: OldWorkload | undefined): OldContainer | undefined {
  return (
    workload?.pod.containers.find(({ name }) => name === workload.component) ?? workload?.pod.containers[0]
  );
}

function flag(container: OldContainer | undefined, name: string): string | undefined {
  const found = container?.args.find((arg) => arg.startsWith(`--${name}=`));
  return found?.slice(name.length + 3);
}

function beyondLinux(pod: OldPod | undefined): Record<string, string> {
  const entries = Object.entries(pod?.nodeSelector ?? {});
  return Object.fromEntries(
    entries.filter(([key, value]) => !(key === 'kubernetes.io/os' && value === 'linux')),
  );
}

function keyOf({ key, operator, effect }: Toleration): string {
  return JSON.stringify([key, operator, effect]);
}

function configOf(workload: OldWorkload | undefined): WorkloadConfig {
  if (workload === undefined) return {};
  const { priorityClassName, runtimeClassName, affinity, annotations } = workload.pod;
  const asked = Object.entries(annotations).filter(([name]) => !NOT_ASKED.test(name));
  return compact({
    priorityClassName,
    runtimeClassName,
    affinity,
    annotations: Object.fromEntries(asked),
    resources: mainOf(workload)?.resources,
  });
}

function unusual(excluded: readonly string[] | undefined): readonly string[] | undefined {
  const isUsual =
    excluded?.length === usualExclusions.length && excluded.every((name) => usualExclusions.includes(name));
  return isUsual ? undefined : excluded;
}

/** Who speaks BGP: METALLB_BGP_TYPE of the speaker, and whether frr-k8s is part of the installation. */
function backendOf(facts: MigrationFacts, speaker: OldWorkload | undefined): MetalLBSpec {
  const main = mainOf(speaker);
  const type = main?.env['METALLB_BGP_TYPE'] ?? 'native';
  if (type !== 'frr-k8s') return { bgpBackend: type === 'frr' ? 'frr' : 'native' };
  if (facts.workloads.some(({ component }) => component === 'frr-k8s')) return { bgpBackend: 'frr-k8s' };
  const namespace = flag(main, 'frrk8s-namespace') ?? main?.env['FRRK8S_NAMESPACE'];
  const secretPassthrough =
    main?.args.some((arg) => /^--frrk8s-secret-passthrough(=true)?$/.test(arg)) === true || undefined;
  return { bgpBackend: 'frr-k8s-external', frrk8sConfig: compact({ namespace, secretPassthrough }) };
}

/** Without what says nothing: undefined, empty texts, lists and objects. An empty list of exclusions says something. */
function compact<T extends object>(fields: T): Partial<T> {
  const says = (name: string, value: unknown): boolean => {
    if (value === undefined || value === '') return false;
    if (name === 'excludedInterfaces') return true;
    return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
  };
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => says(name, value)),
  ) as Partial<T>;
}
