/** The parts of the runtime that lean on what only a real API server does. */
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthorizer } from '#runtime/http/authorizer.ts';
import { startMetricsServer } from '#runtime/http/server.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { loadCredentials, type Credentials } from '#runtime/kube/credentials.ts';
import { createEventRecorder, eventType } from '#runtime/kube/events.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { KubeClient, ResourceType } from '#runtime/kube/types.ts';
import { leaseType, startElector } from '#runtime/lease/elector.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { systemClock } from '#runtime/queue/clock.ts';
import { ControlPlane } from '#tests/support/control-plane.ts';
import { eventually } from '#tests/support/eventually.ts';

const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: false };
const clusterRoles: ResourceType = { ...rbac, plural: 'clusterroles', kind: 'ClusterRole' };
const bindings: ResourceType = { ...rbac, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' };
const definitions: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

let plane: ControlPlane;
let credentials: Credentials;
let client: KubeClient;

beforeAll(async () => {
  plane = await ControlPlane.start();
  credentials = await loadCredentials({ kubeconfig: plane.kubeconfig });
  client = createKubeClient(createTransport(credentials, { logger: silent }));
});
afterAll(async () => {
  await credentials?.[Symbol.asyncDispose]();
  await plane?.[Symbol.asyncDispose]();
});

function scrape(port: number, token?: string): Promise<number | undefined> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: '/metrics', headers, rejectUnauthorized: false };
    request(options, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('metrics server with real reviews', () => {
  it('lets in whom RBAC lets read /metrics', async () => {
    const authorize = createAuthorizer(client, systemClock);
    const options = { port: 0, host: '127.0.0.1', metrics: createMetrics(), logger: silent };
    await using server = await startMetricsServer({ ...options, secure: { authorize, certDir: '' } });
    expect(await scrape(server.port)).toBe(401);
    expect(await scrape(server.port, 'nobody-has-this')).toBe(401);
    expect(await scrape(server.port, 'admin-token')).toBe(200);
    expect(await scrape(server.port, 'other-token')).toBe(403);
  });

  it('lets in a user who was given the right for just this URL', async () => {
    const rules = [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }];
    await client.create(clusterRoles, { metadata: { name: 'metrics-reader' }, rules });
    await client.create(bindings, {
      metadata: { name: 'other-reads-metrics' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'metrics-reader' },
      subjects: [{ kind: 'User', name: 'other', apiGroup: 'rbac.authorization.k8s.io' }],
    });
    const user = { authorization: 'Bearer other-token', method: 'GET', path: '/metrics' };
    await eventually(async () => expect(await createAuthorizer(client, systemClock)(user)).toBe(200));
  });
});

describe('elector with real leases', () => {
  const compete = (identity: string, signal: AbortSignal) =>
    startElector({
      client,
      namespace: 'default',
      name: 'election',
      identity,
      logger: silent,
      signal,
      onLost: (reason) => expect.unreachable(reason),
      timing: { leaseMs: 3000, renewDeadlineMs: 2000, retryMs: 200 },
    });

  it('has one leader of four, hands over on release, and again after silence', async () => {
    const abort = new AbortController();
    const silence = new AbortController();
    const candidates = ['a', 'b', 'c', 'd'].map((name) => compete(name, abort.signal));
    await Promise.race(candidates.map(({ leading }) => leading));
    expect(candidates.filter(({ isLeading }) => isLeading)).toHaveLength(1);
    await Promise.all(candidates.map((candidate) => candidate.stop()));
    const mortal = compete('mortal', silence.signal);
    await mortal.leading;
    silence.abort();
    const heir = compete('heir', abort.signal);
    await heir.leading;
    const lease = await client.get({ type: leaseType, namespace: 'default', name: 'election' });
    expect(lease['spec']).toMatchObject({ holderIdentity: 'heir', leaseDurationSeconds: 3 });
    expect((lease['spec'] as { renewTime: string }).renewTime).toMatch(/\.\d{6}Z$/);
    await heir.stop();
    abort.abort();
  });
});

describe('events on a real API server', () => {
  it('are accepted, and a repeat is counted up', async () => {
    const recorder = createEventRecorder({ client, component: 'metallb-controller', logger: silent });
    const { metadata } = await client.get({
      type: { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false },
      name: 'default',
    });
    const involved = { apiVersion: 'v1', kind: 'Namespace', name: 'default', uid: metadata.uid };
    const text = { type: 'Warning', reason: 'not enough clusterips', message: 'two needed' } as const;
    recorder.record(involved, text);
    recorder.record(involved, text);
    await recorder.drain(10_000);
    const events = await client.list(eventType, {
      namespace: 'default',
      fieldSelector: `involvedObject.uid=${metadata.uid}`,
    });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ ...text, count: 2, source: { component: 'metallb-controller' } });
  });
});

describe('int64 through a real API server', () => {
  it('keeps an int64 beyond the safe range exact, both ways', async () => {
    const integer = { type: 'integer', format: 'int64' };
    const schema = { openAPIV3Schema: { type: 'object', properties: { size: integer } } };
    await client.create(definitions, {
      metadata: { name: 'pools.test.example.com' },
      spec: {
        group: 'test.example.com',
        scope: 'Cluster',
        names: { plural: 'pools', singular: 'pool', kind: 'Pool' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    });
    const pools: ResourceType = {
      group: 'test.example.com',
      version: 'v1',
      plural: 'pools',
      kind: 'Pool',
      namespaced: false,
    };
    const size = 9_223_372_036_854_775_807n;
    await eventually(() => client.create(pools, { metadata: { name: 'p' }, size }), 20_000);
    expect((await client.get({ type: pools, name: 'p' }))['size']).toBe(size);
    const patched = await client.patch({ type: pools, name: 'p' }, { size: size - 1n });
    expect(patched['size']).toBe(size - 1n);
  });
});
