/** Reads what the checks of a cluster look at. What may not be read is told, and the rest goes on. */
import { metallbResources } from '#core/api/resources.ts';
import { messageOf } from '#core/errors.ts';
import type { Gathered, Read } from '#core/doctor/check.ts';
import type { ClusterFacts, ProxyFact, ServiceRef, WorkloadFact } from '#core/doctor/cluster-facts.ts';
import * as views from '#cli/doctor/views.ts';
import { SLICE_SERVICE_NAME } from '#core/api/labels.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { KubeError, type KubeClient, type KubeObject, type ResourceType } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';

/** Namespace of kube-proxy. */
const SYSTEM = 'kube-system';

/** Throws KubeError when the API server cannot be reached at all. */
export async function gatherCluster(client: KubeClient, namespace: string): Promise<Gathered<ClusterFacts>> {
  const version = await reading('version', async () => {
    const answer = (await client.request('GET', '/version')) as { gitVersion?: string };
    return answer.gitVersion ?? '';
  });
  const list = (type: ResourceType, space?: string) =>
    client.list(type, space === undefined ? {} : { namespace: space });
  const all = <T>(type: ResourceType, view: (object: KubeObject) => T, space?: string): Promise<Read<T[]>> =>
    reading(type.plural, async () => ((await unless(404, list(type, space))) ?? []).map(view));

  const workloads = await reading('deployments, daemonsets', async () => [
    ...(await list(kinds.Deployment)).map((object) => views.workloadFact('Deployment', object)),
    ...(await list(kinds.DaemonSet)).map((object) => views.workloadFact('DaemonSet', object)),
  ]);
  return {
    version,
    workloads,
    namespace: await reading('namespaces', () => readNamespace(client, namespace)),
    proxy: await readProxy(client, workloads),
    nodes: await all(kinds.Node, views.nodeFact),
    pods: await all(kinds.Pod, views.podFact),
    ...(await readWebhooks(client)),
    probe: await reading('create (dry run) of ipaddresspools', () => probe(client, namespace)),
    pools: await all(metallbResources.IPAddressPool, views.poolFact, namespace),
    peers: await all(metallbResources.BGPPeer, views.peerFact, namespace),
    l2Advertisements: counted(await all(metallbResources.L2Advertisement, () => 1, namespace)),
    services: await all(kinds.Service, views.serviceFact),
    states: await all(metallbResources.ConfigurationState, views.stateFact, namespace),
  };
}

/** The answer, or why there is none. A server that does not answer is no answer to anything: thrown on. */
async function reading<T>(what: string, read: () => Promise<T>): Promise<Read<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (error instanceof KubeError && error.status === 0) throw error;
    return { unread: `${what} cannot be read: ${messageOf(error)}` };
  }
}

function counted(list: Read<readonly unknown[]>): Read<number> {
  return 'value' in list ? { value: list.value.length } : list;
}

async function readNamespace(client: KubeClient, name: string): Promise<ClusterFacts['namespace']> {
  const found = await unless(404, client.get({ type: kinds.Namespace, name }));
  return found === undefined ? undefined : { name, labels: found.metadata.labels ?? {} };
}

async function readProxy(
  client: KubeClient,
  workloads: Read<readonly WorkloadFact[]>,
): Promise<Read<ProxyFact>> {
  const ref = { type: kinds.ConfigMap, namespace: SYSTEM, name: 'kube-proxy' };
  const map = await reading(`ConfigMap ${SYSTEM}/kube-proxy`, async () => {
    const found = await unless(404, client.get(ref));
    return found === undefined ? undefined : views.proxyOfConfigMap(found);
  });
  if ('unread' in map) return map;
  if (map.value !== undefined) return { value: map.value };
  const system = 'value' in workloads ? workloads.value.filter(({ namespace }) => namespace === SYSTEM) : [];
  const daemon = system.find(({ name }) => name === 'kube-proxy');
  if (daemon !== undefined) return { value: views.proxyOfWorkload(daemon) };
  const instead = system.find(({ name }) => name === 'cilium');
  if (instead !== undefined)
    return { value: { object: `DaemonSet ${SYSTEM}/cilium`, mode: 'cilium', strictArp: false } };
  return {
    unread: `no kube-proxy is seen in ${SYSTEM} (some distributions run it inside another program): metallb doctor --host on a node sees what it does there`,
  };
}

async function readWebhooks(client: KubeClient): Promise<Pick<Gathered<ClusterFacts>, 'webhooks' | 'crds'>> {
  const configurations = await reading('validatingwebhookconfigurations', () =>
    client.list(kinds.ValidatingWebhookConfiguration),
  );
  const crds = await reading('customresourcedefinitions', () => client.list(kinds.CustomResourceDefinition));
  const objects = [configurations, crds].flatMap((read) => ('value' in read ? read.value : []));
  const endpoints = await reading('services, endpointslices', () =>
    readEndpoints(client, views.namedServices(objects)),
  );
  const viewed = <T>(
    read: Read<KubeObject[]>,
    view: (object: KubeObject, of: views.Endpoints) => T,
  ): Read<T[]> => {
    if ('unread' in read) return read;
    if ('unread' in endpoints) return endpoints;
    return { value: read.value.map((object) => view(object, endpoints.value)) };
  };
  const webhooks = viewed(configurations, views.webhookFacts);
  return {
    webhooks: 'value' in webhooks ? { value: webhooks.value.flat() } : webhooks,
    crds: viewed(crds, views.crdFact),
  };
}

async function readEndpoints(client: KubeClient, services: readonly ServiceRef[]): Promise<views.Endpoints> {
  const known = new Map<string, number>();
  for (const { namespace, name } of services) {
    const found = await unless(404, client.get({ type: kinds.Service, namespace, name }));
    if (found === undefined) continue;
    const labelSelector = `${SLICE_SERVICE_NAME}=${name}`;
    const slices = await client.list(kinds.EndpointSlice, { namespace, labelSelector });
    known.set(
      `${namespace}/${name}`,
      slices.reduce((sum, slice) => sum + readyIn(slice), 0),
    );
  }
  return ({ namespace, name }) => known.get(`${namespace}/${name}`);
}

function readyIn(slice: KubeObject): number {
  const endpoints = (slice['endpoints'] ?? []) as { conditions?: { ready?: boolean } }[];
  return endpoints.filter(({ conditions }) => conditions?.ready !== false).length;
}

/** Asks the API server whether it would take a pool; only a webhook that it cannot reach counts as a failure. */
async function probe(client: KubeClient, namespace: string): Promise<string> {
  const spec = { addresses: ['192.0.2.1/32'], autoAssign: false };
  const pool = { metadata: { name: 'metallb-doctor', namespace }, spec };
  try {
    await client.create(metallbResources.IPAddressPool, pool, { dryRun: true });
    return '';
  } catch (error) {
    if (!(error instanceof KubeError) || error.status === 0) throw error;
    const isAnswer = error.status === 404 || /admission webhook .* denied/.test(error.message);
    if (isAnswer) return '';
    if (/failed calling webhook/.test(error.message)) return error.message;
    // A namesake, or a schema that is not ours: no webhook is to blame.
    if (error.status === 409 || error.status === 422) return '';
    throw error;
  }
}
