/** Reads what a migration is planned from. */
import { parse } from 'yaml';
import { metallbResources } from '#core/api/resources.ts';
import { validate } from '#core/config/validate.ts';
import { componentOf, isOurs } from '#core/doctor/cluster-facts.ts';
import { simulate } from '#core/ipam/simulate.ts';
import { labelsText } from '#core/model/selector.ts';
import type { MigrationFacts, OldContainer, OldPod, OldWorkload } from '#core/migrate/facts.ts';
import { podFact, webhookFacts, workloadFact } from '#cli/doctor/views.ts';
import { addressPool, frrConfiguration } from '#cli/migrate/kinds.ts';
import { simulationOf } from '#cli/simulate/input.ts';
import { clusterObjects } from '#cli/validate/cluster.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeClient, KubeObject, ResourceType } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';

export interface Source {
  readonly client: KubeClient;
  readonly namespace: string;
}

/** Everything but the workloads, which are kept for the backup. Throws KubeError. */
export async function gatherMigration(source: Source): Promise<MigrationFacts> {
  const { client, namespace } = source;
  const all = [
    ...(await client.list(kinds.Deployment)).map((object) => ['Deployment', object] as const),
    ...(await client.list(kinds.DaemonSet)).map((object) => ['DaemonSet', object] as const),
  ].flatMap(([kind, object]) => {
    const view = workloadFact(kind, object);
    const component = componentOf(view);
    return component === undefined ? [] : [{ kind, object, view, component }];
  });
  const here = all.filter(({ view }) => view.namespace === namespace);
  const old = here.filter(({ view }) => !isOurs(view));
  const workloads = old.map(({ kind, object, component }) => oldWorkload(kind, object, component));
  const pools = simulationOf({
    files: [],
    cluster: await clusterObjects(client, namespace, 'allocations'),
    namespace,
    lbClass: classOf(workloads),
    singleStack: false,
  });
  return {
    namespace,
    workloads,
    elsewhere: [
      ...new Set(all.map(({ view }) => view.namespace).filter((name) => name !== namespace)),
    ].sort(),
    isOursThere: here.some(({ view, component }) => isOurs(view) && component !== 'webhook-server'),
    metallb: await readMetalLB(source),
    problems: await readProblems(source),
    fates: simulate(pools.input),
    webhooks: await readWebhooks(source),
    helmSecrets: await readHelmSecrets(source),
    addressPools: await names(client, addressPool),
    userFrrConfigurations: await readFrrConfigurations(source),
    excludedInterfaces: await readExclusions(source),
    nodes: await readNodes(source, workloads),
  };
}

function classOf(workloads: readonly OldWorkload[]): string {
  const args = workloads.flatMap(({ pod }) => pod.containers.flatMap((container) => container.args));
  return args.find((arg) => arg.startsWith('--lb-class='))?.slice('--lb-class='.length) ?? '';
}

function oldWorkload(
  kind: OldWorkload['kind'],
  object: KubeObject,
  component: OldWorkload['component'],
): OldWorkload {
  const { selector, template } = object['spec'] as {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly template?: { readonly metadata?: Partial<OldPod>; readonly spec?: Partial<OldPod> };
  };
  return {
    kind,
    name: object.metadata.name,
    component,
    labels: object.metadata.labels ?? {},
    matchLabels: selector?.matchLabels ?? {},
    pod: oldPod({ ...template?.metadata, ...template?.spec }),
  };
}

/** Pods without a field get what stands for nothing. */
const noPod: OldPod = {
  labels: {},
  annotations: {},
  nodeSelector: {},
  tolerations: [],
  affinity: {},
  priorityClassName: '',
  runtimeClassName: '',
  imagePullSecrets: [],
  containers: [],
};

function oldPod(pod: Partial<OldPod>): OldPod {
  const fields = Object.keys(noPod).flatMap((name) => {
    const value = pod[name as keyof OldPod];
    return value === undefined ? [] : [[name, value] as const];
  });
  const known: OldPod = { ...noPod, ...Object.fromEntries(fields) };
  return { ...known, containers: known.containers.map((container) => oldContainer(container)) };
}

function oldContainer(
  container: Partial<Omit<OldContainer, 'env'>> & { readonly env?: unknown },
): OldContainer {
  const env = (container.env ?? []) as readonly { readonly name: string; readonly value?: string }[];
  return {
    name: container.name ?? '',
    image: container.image ?? '',
    args: container.args ?? [],
    env: Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))),
    resources: container.resources ?? {},
  };
}

async function readMetalLB({ client, namespace }: Source): Promise<MigrationFacts['metallb']> {
  const ref = { type: metallbResources.MetalLB, namespace, name: 'metallb' };
  const found = await unless(404, client.get(ref));
  return found === undefined ? undefined : ((found['spec'] ?? {}) as Record<string, unknown>);
}

async function readProblems({ client, namespace }: Source): Promise<string[]> {
  const objects = await clusterObjects(client, namespace, 'configuration');
  const verdicts = validate(objects, { namespace, complete: true });
  return verdicts
    .filter(({ severity }) => severity === 'error')
    .map(
      ({ problem: { code, object, field, message, remedy } }) =>
        `${code} ${object.kind} ${object.name} ${field}: ${message}. ${remedy}`,
    );
}

async function readWebhooks({ client, namespace }: Source): Promise<string[]> {
  const configurations = await client.list(kinds.ValidatingWebhookConfiguration);
  const isHere = (configuration: KubeObject): boolean =>
    webhookFacts(configuration, () => 0).some(({ service }) => service.namespace === namespace);
  return configurations.filter(isHere).map(({ metadata }) => metadata.name);
}

async function readHelmSecrets({ client, namespace }: Source): Promise<string[]> {
  const secrets = await client.list(kinds.Secret, { namespace, labelSelector: 'owner=helm' });
  return secrets.map(({ metadata }) => metadata.name).filter((name) => /metallb/.test(name));
}

async function names(client: KubeClient, type: ResourceType): Promise<string[]> {
  const found = (await unless(404, client.list(type))) ?? [];
  return found.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

/** The original's speakers write `metallb-<node>`. */
async function readFrrConfigurations(source: Source): Promise<string[]> {
  const all = await names(source.client, frrConfiguration);
  return all.filter((name) => !/\/metallb-/.test(name));
}

async function readExclusions({ client, namespace }: Source): Promise<readonly string[] | undefined> {
  const ref = { type: kinds.ConfigMap, namespace, name: 'metallb-excludel2' };
  const map = await unless(404, client.get(ref));
  const text = (map?.['data'] as Readonly<Record<string, string>> | undefined)?.['excludel2.yaml'];
  if (text === undefined) return undefined;
  return (
    (parse(text) as { announcedInterfacesToExclude?: string[] } | null)?.announcedInterfacesToExclude ?? []
  );
}

async function readNodes(
  { client, namespace }: Source,
  workloads: readonly OldWorkload[],
): Promise<string[]> {
  const speaker = workloads.find(({ component }) => component === 'speaker');
  if (speaker === undefined) return [];
  const pods = await client.list(kinds.Pod, { namespace, labelSelector: labelsText(speaker.matchLabels) });
  const nodes = pods.map((pod) => podFact(pod).node);
  return [...new Set(nodes.filter((node) => node !== ''))].sort();
}
