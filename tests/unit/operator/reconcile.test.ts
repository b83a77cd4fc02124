/** The whole loop over the real client and stores, against the fake API server: what is written, and what is not. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configurationLabels, frrConfigurationType } from '#core/frrk8s/object.ts';
import { Cluster } from '#operator/loops/cluster.ts';
import { MetalLBOperator } from '#operator/loops/metallb-operator.ts';
import { metallbResources } from '#core/api/resources.ts';
import { coreKinds } from '#operator/render/kinds.ts';
import type { RenderOptions } from '#operator/render/manifest.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import { createEventRecorder, eventType } from '#runtime/kube/events.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { ResourceType } from '#runtime/kube/types.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeApiServer } from '#tests/support/fake-apiserver/server.ts';
import { options } from './fixtures.ts';

const namespace = options.namespace;
const key = `${namespace}/metallb`;

let fake: FakeApiServer;
let scope: AsyncDisposableStack;

beforeEach(async () => {
  scope = new AsyncDisposableStack();
  fake = await FakeApiServer.start();
  scope.defer(() => fake.close());
});

afterEach(() => scope.disposeAsync());

function typeOf(kind: string): ResourceType {
  const found = coreKinds.find((type) => type.kind === kind);
  if (found === undefined) throw new Error(kind);
  return found;
}

async function start(changes: Partial<RenderOptions> = {}): Promise<void> {
  const abort = new AbortController();
  const credentials = scope.use(plainCredentials(fake.url));
  const transport = createTransport(credentials, { logger: silent });
  const client = createKubeClient(transport);
  const metrics = createMetrics({ processMetrics: false });
  const events = createEventRecorder({ client, component: 'metallb-operator', logger: silent });
  const cluster = new Cluster({
    namespace,
    managedBy: options.managedBy,
    optional: [],
    watch: (watch) => watchStore(transport, watch, { logger: silent, signal: abort.signal }),
  });
  const queue = createQueue({
    name: 'metallb',
    handler: (one, signal) => operator.reconcile(one, signal),
    logger: silent,
  });
  const operator = new MetalLBOperator({
    client,
    cluster,
    events,
    options: { ...options, ...changes },
    clusterOwner: { apiVersion: 'v1', kind: 'Namespace', name: 'metallb-system', uid: 'namespace-uid' },
    logger: silent,
    metrics,
    enqueue: (one) => queue.add(one),
    now: () => '2026-01-01T00:00:00Z',
  });
  scope.defer(() => abort.abort());
  scope.defer(() => events.drain(100));
  scope.defer(() => queue.drain(100));
  await cluster.synced();
  await operator.start();
}

function putMetalLB(name = 'metallb', spec: object = {}): void {
  fake.put(metallbResources.MetalLB, {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'MetalLB',
    metadata: { name, namespace, uid: `uid-${name}` },
    spec,
  });
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

function raised(name = 'metallb'): Condition | undefined {
  const status = fake.find(metallbResources.MetalLB, `${namespace}/${name}`)?.['status'] as
    { conditions?: readonly Condition[] } | undefined;
  return status?.conditions?.find((condition) => condition.status === 'True');
}

function writes(from = 0): string[] {
  return fake.seen
    .slice(from)
    .filter(({ method, url }) => method !== 'GET' && !url.includes('/events'))
    .map(({ method, url }) => `${method} ${new URL(url, fake.url).pathname}`);
}

/** The workloads report that all is running. */
function makeReady(): void {
  const ready = (kind: string, name: string, status: object): void => {
    const object = fake.find(typeOf(kind), `${namespace}/${name}`);
    if (object === undefined) throw new Error(name);
    const observedGeneration = object.metadata.generation ?? 0;
    fake.put(typeOf(kind), { ...object, status: { observedGeneration, ...status } });
  };
  const daemons = { desiredNumberScheduled: 2, currentNumberScheduled: 2, numberReady: 2 };
  ready('DaemonSet', 'speaker', { ...daemons, updatedNumberScheduled: 2 });
  ready('Deployment', 'controller', { readyReplicas: 1, updatedReplicas: 1 });
}

describe('reconcile', () => {
  it('applies everything once, then waits, then is available and silent', async () => {
    putMetalLB();
    await start();
    await eventually(() => expect(raised()).toMatchObject({ type: 'Progressing' }));
    const applied = writes().filter((write) => write.startsWith('PATCH') && !write.endsWith('/status'));
    expect(applied.length).toBe(new Set(applied).size);
    expect(applied).toContain(`PATCH /apis/apps/v1/namespaces/${namespace}/daemonsets/speaker`);
    makeReady();
    await eventually(() => expect(raised()).toMatchObject({ type: 'Available' }));
    const before = fake.seen.length;
    const pods = { app: 'metallb', component: 'speaker' };
    fake.put(kinds.Pod, { metadata: { name: 'speaker-a', namespace, labels: pods } });
    fake.remove(kinds.Pod, `${namespace}/speaker-a`);
    fake.put(kinds.Namespace, { metadata: { name: 'unrelated' } });
    // Proof that the changes above were handled: a later one was.
    fake.remove(typeOf('ConfigMap'), `${namespace}/metallb-excludel2`);
    await eventually(() =>
      expect(fake.find(typeOf('ConfigMap'), `${namespace}/metallb-excludel2`)).toBeDefined(),
    );
    expect(writes(before)).toEqual([`PATCH /api/v1/namespaces/${namespace}/configmaps/metallb-excludel2`]);
  });

  it('says it by events as well, once for each change', async () => {
    putMetalLB('incorrectname');
    await start();
    await eventually(() => expect(fake.objects(eventType)).toHaveLength(1));
    expect(fake.objects(eventType)[0]).toMatchObject({
      type: 'Warning',
      reason: 'IncorrectMetalLBResourceName',
      involvedObject: { kind: 'MetalLB', name: 'incorrectname' },
    });
  });

  it('an object that is refused makes it Degraded with name and reason; the rest is applied, and it goes on', async () => {
    fake.fail(
      { kind: 'status', code: 403, reason: 'Forbidden' },
      ({ method, url }) => method === 'PATCH' && url.includes('/daemonsets/'),
      2,
    );
    putMetalLB();
    await start();
    await eventually(() => expect(raised()).toMatchObject({ type: 'Degraded', reason: 'ApplyFailed' }));
    expect(raised()?.message).toContain('DaemonSet/speaker');
    expect(fake.find(typeOf('Deployment'), `${namespace}/controller`)).toBeDefined();
    await eventually(() => expect(raised()).toMatchObject({ type: 'Progressing' }));
  });

  it('deletes what is no longer wanted, and never what is not ours', async () => {
    const labels = { 'app.kubernetes.io/managed-by': options.managedBy };
    const ours = [{ apiVersion: 'metallb.io/v1beta1', kind: 'MetalLB', name: 'metallb', uid: 'uid-metallb' }];
    const put = (name: string, owners: object[]): void => {
      const metadata = { name, namespace, labels, ownerReferences: owners };
      fake.put(typeOf('Service'), { metadata });
    };
    put('speaker-monitor-service', ours);
    put('foreign', []);
    putMetalLB();
    await start();
    await eventually(() => {
      expect(fake.find(typeOf('Service'), `${namespace}/speaker-monitor-service`)).toBeUndefined();
    });
    expect(fake.find(typeOf('Service'), `${namespace}/foreign`)).toBeDefined();
  });

  it('removes what a deleted object left behind, also when it starts only afterwards', async () => {
    putMetalLB();
    await start();
    const clusterRole = `${namespace}:speaker`;
    await eventually(() => expect(fake.find(typeOf('ClusterRole'), clusterRole)).toBeDefined());
    await eventually(() => expect(raised()).toMatchObject({ type: 'Progressing' }));
    await scope.disposeAsync();
    scope = new AsyncDisposableStack();
    await fake.listen();
    scope.defer(() => fake.close());
    fake.remove(metallbResources.MetalLB, key);
    await start();
    await eventually(() => expect(fake.find(typeOf('ClusterRole'), clusterRole)).toBeUndefined());
  });

  it('makes nothing for an object that is being deleted', async () => {
    fake.put(metallbResources.MetalLB, {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'MetalLB',
      metadata: { name: 'metallb', namespace, uid: 'u', deletionTimestamp: '2026-01-01T00:00:00Z' },
    });
    putMetalLB('incorrectname');
    await start();
    await eventually(() => expect(raised('incorrectname')).toMatchObject({ type: 'Degraded' }));
    expect(writes().filter((write) => !write.includes('/metallbs/'))).toEqual([]);
  });

  it('leaves kinds out that the cluster does not know, and says so (weak spot 12)', async () => {
    putMetalLB();
    await start({ monitors: 'service' });
    await eventually(() => expect(raised()).toMatchObject({ type: 'Progressing' }));
    makeReady();
    await eventually(() => expect(raised()?.message).toContain('does not know these kinds: ServiceMonitor.'));
    expect(fake.find(typeOf('Service'), `${namespace}/speaker-monitor-service`)).toBeDefined();
  });
});

describe('FRRConfigurations of an external frr-k8s', () => {
  const external = { bgpBackend: 'frr-k8s-external', frrk8sConfig: { namespace: 'frr-k8s-system' } };
  const put = (name: string, installation?: string): void => {
    const labels = installation === undefined ? {} : configurationLabels(name, installation);
    fake.put(frrConfigurationType, { metadata: { name, namespace: 'frr-k8s-system', labels }, spec: {} });
  };
  const left = (): string[] => fake.objects(frrConfigurationType).map(({ metadata }) => metadata.name);
  const three = (): void => {
    put('ours', namespace);
    put('theirs', 'another-metallb');
    put('users');
  };
  const speaker = { metadata: { name: 's', namespace, labels: { app: 'metallb', component: 'speaker' } } };

  it('stay with that backend, and go when all speakers run with another one', async () => {
    three();
    putMetalLB('metallb', external);
    await start();
    await eventually(() => expect(raised()).toMatchObject({ type: 'Progressing' }));
    makeReady();
    await eventually(() => expect(raised()).toMatchObject({ type: 'Available' }));
    putMetalLB();
    await eventually(() => expect(raised()).toMatchObject({ type: 'Progressing' }));
    expect(left()).toHaveLength(3);
    makeReady();
    await eventually(() => expect(left()).toEqual(['theirs', 'users']));
  });

  it('go with the MetalLB object, when no speaker runs any more', async () => {
    three();
    putMetalLB('metallb', external);
    fake.put(kinds.Pod, speaker);
    await start();
    await eventually(() => expect(raised()).toMatchObject({ type: 'Progressing' }));
    fake.remove(metallbResources.MetalLB, key);
    await eventually(() => expect(fake.find(typeOf('DaemonSet'), `${namespace}/speaker`)).toBeUndefined());
    expect(left()).toHaveLength(3);
    fake.remove(kinds.Pod, `${namespace}/s`);
    await eventually(() => expect(left()).toEqual(['theirs', 'users']));
  });

  it('are looked for once, not at each change', async () => {
    putMetalLB();
    await start();
    await eventually(() => expect(raised()).toMatchObject({ type: 'Progressing' }));
    makeReady();
    const looks = (): number => fake.seen.filter(({ url }) => url.includes('/frrconfigurations')).length;
    await eventually(() => expect(looks()).toBe(1));
    fake.remove(typeOf('ConfigMap'), `${namespace}/metallb-excludel2`);
    await eventually(() =>
      expect(fake.find(typeOf('ConfigMap'), `${namespace}/metallb-excludel2`)).toBeDefined(),
    );
    expect(looks()).toBe(1);
  });
});
