/** The controller's loops against a fake API server: how many writes, and what a failing write does to others. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Controller } from '#controller/controller.ts';
import { metallbResources } from '#core/api/resources.ts';
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import type { EventText } from '#runtime/kube/events.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { KubeObject } from '#runtime/kube/types.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { ipsOf } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeApiServer, type Seen } from '#tests/support/fake-apiserver/server.ts';

let fake: FakeApiServer;
let controller: Controller;
let metrics: Metrics;
let abort: AbortController;
let events: (EventText & { name: string })[];

const NAMESPACE = 'metallb-system';
const { IPAddressPool, ConfigurationState } = metallbResources;

beforeEach(async () => {
  fake = await FakeApiServer.start();
});
afterEach(async () => {
  abort.abort();
  await controller.drain(1000);
  await fake.close();
});

function pool(name: string, ...addresses: string[]): void {
  fake.put(IPAddressPool, { metadata: { name, namespace: NAMESPACE }, spec: { addresses } });
}

function service(name: string, change: { spec?: object; ips?: string[]; pool?: string } = {}): void {
  fake.put(kinds.Service, {
    metadata: {
      name,
      namespace: 'default',
      annotations: { 'example.com/theirs': 'x', ...(change.pool && { [ALLOCATED_FROM_POOL]: change.pool }) },
    },
    spec: { type: 'LoadBalancer', clusterIPs: ['10.96.0.9'], ports: [{ port: 80 }], ...change.spec },
    status: {
      conditions: [{ type: 'Foreign' }],
      loadBalancer: change.ips ? { ingress: change.ips.map((ip) => ({ ip, ipMode: 'VIP' })) } : {},
    },
  });
}

function build(): Controller {
  const transport = createTransport(plainCredentials(fake.url), { logger: silent });
  metrics = createMetrics();
  abort = new AbortController();
  events = [];
  controller = new Controller({
    transport,
    client: createKubeClient(transport),
    events: { record: ({ name }, event) => events.push({ ...event, name }), drain: () => Promise.resolve() },
    metrics,
    logger: silent,
    signal: abort.signal,
    namespace: NAMESPACE,
    lbClass: '',
    owner: () => Promise.resolve(undefined),
  });
  return controller;
}

async function start(): Promise<void> {
  const made = build();
  await made.synced();
  made.activate([]);
  await eventually(() => expect(made.notReady()).toBeUndefined());
}

const found = (name: string): KubeObject => {
  const object = fake.find(kinds.Service, `default/${name}`);
  if (object === undefined) throw new Error(`no Service ${name}`);
  return object;
};
const ips = (name: string): string[] => ipsOf(found(name));
const expectIps = (name: string, expected: string[]) => eventually(() => expect(ips(name)).toEqual(expected));
const ofServices = ({ url }: Seen): boolean => url.includes('/services/');
const requests = (matches: (seen: Seen) => boolean): string[] =>
  fake.seen.filter((seen) => !seen.watch && matches(seen)).map(({ method }) => method);

describe('writes', () => {
  it('one PUT per Service and no read before it; other annotations and conditions stay', async () => {
    pool('p', '192.0.2.0/28');
    await start();
    service('a');
    service('b');
    await expectIps('a', ['192.0.2.0']);
    await expectIps('b', ['192.0.2.1']);
    expect(requests(ofServices)).toEqual(['PUT', 'PUT']);
    expect(found('a').metadata.annotations).toEqual({
      'example.com/theirs': 'x',
      [ALLOCATED_FROM_POOL]: 'p',
    });
    expect((found('a')['status'] as { conditions: unknown }).conditions).toEqual([{ type: 'Foreign' }]);
  });

  it('14, 15: a start over what is right writes nothing but what is ours to make', async () => {
    pool('p', '192.0.2.0/28');
    service('a', { ips: ['192.0.2.3'], pool: 'p' });
    await start();
    await eventually(() => expect(fake.find(IPAddressPool, `${NAMESPACE}/p`)?.['status']).toBeDefined());
    await eventually(() =>
      expect(fake.find(ConfigurationState, `${NAMESPACE}/controller`)?.['status']).toBeDefined(),
    );
    const before = fake.seen.length;
    service('plain', { spec: { type: 'ClusterIP' } });
    service('probe');
    await expectIps('probe', ['192.0.2.0']);
    expect(requests(ofServices)).toEqual(['PUT']);
    expect(fake.seen.slice(before).filter(({ url }) => url.includes('/a/'))).toEqual([]);
  });

  it('112: a burst is a few pool writes, and the last one is right', async () => {
    pool('p', '192.0.2.0/24');
    await start();
    for (let index = 0; index < 60; index += 1) service(`s${index}`);
    const status = (): unknown => fake.find(IPAddressPool, `${NAMESPACE}/p`)?.['status'];
    await eventually(() => expect(status()).toMatchObject({ assignedIPv4: 60, availableIPv4: 196 }));
    const puts = requests(({ url, method }) => url.includes('/ipaddresspools/') && method === 'PUT');
    expect(puts.length).toBeLessThan(10);
  });

  it('138: a conflict is tried again, with the same address', async () => {
    pool('p', '192.0.2.0/28');
    await start();
    fake.fail({ kind: 'status', code: 409, reason: 'Conflict' }, ({ method }) => method === 'PUT', 2);
    service('a');
    await expectIps('a', ['192.0.2.0']);
    expect(requests(ofServices)).toEqual(['PUT', 'GET', 'PUT', 'GET', 'PUT']);
    expect(events.map(({ reason }) => reason)).toEqual(['IPAllocated']);
  });

  it('Q3: a Service whose write fails for good delays neither the others nor the first pass', async () => {
    pool('p', '192.0.2.0/28');
    fake.fail({ kind: 'status', code: 403 }, ({ url }) => url.includes('/services/bad/'), 1000);
    service('bad');
    await start();
    service('good');
    await eventually(() => expect(ips('good')).toHaveLength(1));
    expect(ips('bad')).toEqual([]);
  });

  it('a refused write is tried again: rights may be given later', async () => {
    pool('p', '192.0.2.0/28');
    fake.fail({ kind: 'status', code: 403 }, ({ url }) => url.includes('/services/a/'), 3);
    service('a');
    await start();
    await expectIps('a', ['192.0.2.0']);
  });

  it('the write rests on the version it replaces: a change in between is decided on', async () => {
    pool('p', '192.0.2.0/28');
    await start();
    fake.fail({ kind: 'status', code: 409, reason: 'Conflict' }, ({ method }) => method === 'PUT');
    service('a');
    await eventually(() => expect(requests(ofServices)).toContain('PUT'));
    service('a', { spec: { loadBalancerIP: '192.0.2.7' } });
    await expectIps('a', ['192.0.2.7']);
    service('b');
    await expectIps('b', ['192.0.2.0']);
  });

  it('decides on what it wrote even while the watch is silent', async () => {
    pool('p', '192.0.2.0/31');
    service('a', { spec: { loadBalancerIP: '192.0.2.0' } });
    await start();
    await expectIps('a', ['192.0.2.0']);
    service('a', { spec: { loadBalancerIP: '192.0.2.1' }, ips: ['192.0.2.0'], pool: 'p' });
    await expectIps('a', ['192.0.2.1']);
    service('b');
    await expectIps('b', ['192.0.2.0']);
    expect(events.map(({ name, reason }) => `${name} ${reason}`)).toEqual([
      'a IPAllocated',
      'a IPAllocated',
      'b IPAllocated',
    ]);
  });
});

describe('life', () => {
  it('a standby keeps its stores and writes nothing', async () => {
    pool('p', '192.0.2.0/28');
    service('a');
    const made = build();
    await made.synced();
    expect(made.notReady()).toBeUndefined();
    expect(fake.seen.every(({ method }) => method === 'GET')).toBe(true);
    made.activate([]);
    expect(made.notReady()).toBe('no configuration in force yet');
    await expectIps('a', ['192.0.2.0']);
  });

  it('what was read at the take-over counts before the store has shown it', async () => {
    pool('p', '192.0.2.0/31');
    service('a');
    service('b');
    const made = build();
    await made.synced();
    fake.breakWatches('silence');
    service('a', { ips: ['192.0.2.0'], pool: 'p' });
    made.activate([found('a')]);
    await eventually(() => expect(ips('b')).toEqual(['192.0.2.1']));
    expect(ips('a')).toEqual(['192.0.2.0']);
  });

  it('a Service that only the take-over has shown keeps its address, until it turns out to be gone', async () => {
    pool('p', '192.0.2.0/32');
    service('b');
    const made = build();
    await made.synced();
    fake.breakWatches('silence');
    service('a', { ips: ['192.0.2.0'], pool: 'p' });
    service('gone', { spec: { loadBalancerIP: '192.0.2.0' } });
    const gone = found('gone');
    fake.remove(kinds.Service, 'default/gone');
    made.activate([found('a'), gone]);
    await eventually(() => expect(made.notReady()).toBeUndefined());
    expect(ips('a')).toEqual(['192.0.2.0']);
    expect(ips('b')).toEqual([]);
    expect(await metrics.expose()).toContain('metallb_allocator_services_waiting{reason="exhausted"} 1');
    expect(await metrics.expose()).not.toContain('reason="sharing"');
  });

  it('5: deletion serves the oldest waiter, and a burst of deletions all of them', async () => {
    pool('p', '192.0.2.0/29');
    await start();
    for (let index = 0; index < 20; index += 1) service(`s${index}`);
    const served = (): string[] =>
      fake
        .objects(kinds.Service)
        .filter((object) => ipsOf(object).length > 0)
        .map(({ metadata }) => metadata.name);
    await eventually(() => expect(served()).toHaveLength(8));
    for (const name of served()) fake.remove(kinds.Service, `default/${name}`);
    await eventually(() => expect(served()).toHaveLength(8));
  });

  it('metrics of the original names, waiting Services by reason, allocation time', async () => {
    pool('p', '192.0.2.0/31');
    await start();
    for (const name of ['a', 'b', 'c']) service(name);
    await eventually(async () => {
      const text = await metrics.expose();
      expect(text).toContain('metallb_allocator_addresses_total{pool="p"} 2');
      expect(text).toContain('metallb_allocator_addresses_in_use_total{pool="p"} 2');
      expect(text).toContain('metallb_allocator_ipv6_addresses_total{pool="p"} 0');
      expect(text).toContain('metallb_allocator_services_allocated_total{pool="p"} 2');
      expect(text).toContain('metallb_allocator_services_waiting{reason="exhausted"} 1');
      expect(text).toContain('metallb_allocator_allocation_duration_seconds_count 2');
      expect(text).toMatch(/^metallb_k8s_client_config_loaded_bool 1/m);
      expect(text).toMatch(/^metallb_k8s_client_config_stale_bool 0/m);
      expect(text).toMatch(/metallb_k8s_client_updates_total [1-9]/);
    });
    fake.remove(IPAddressPool, `${NAMESPACE}/p`);
    await eventually(async () => expect(await metrics.expose()).not.toContain('{pool="p"}'));
  });

  it('126, Q15: stale while an object is bad, and not after it is mended to what it was', async () => {
    pool('p', '192.0.2.0/28');
    await start();
    const stale = async (): Promise<string | undefined> =>
      /^metallb_k8s_client_config_stale_bool (\d)/m.exec(await metrics.expose())?.[1];
    pool('p', 'nonsense');
    await eventually(async () => expect(await stale()).toBe('1'));
    service('a');
    await expectIps('a', ['192.0.2.0']);
    pool('p', '192.0.2.0/28');
    await eventually(async () => expect(await stale()).toBe('0'));
    expect(ips('a')).toEqual(['192.0.2.0']);
    expect(events.filter(({ reason }) => reason === 'ConfigurationError')).toHaveLength(1);
  });

  it('A01: a prefix with host bits is told once, and counts as no problem', async () => {
    pool('p', '192.0.2.200/28');
    await start();
    service('a');
    await expectIps('a', ['192.0.2.192']);
    pool('q', '198.51.100.0/28');
    await eventually(async () => expect(await metrics.expose()).toContain('addresses_total{pool="q"} 16'));
    const told = events.filter(({ reason }) => reason === 'ConfigurationWarning');
    expect(told).toHaveLength(1);
    expect(told[0]?.message).toContain(
      '192.0.2.200/28 is not the start of its block: the pool holds all of 192.0.2.192/28',
    );
    expect(await metrics.expose()).toMatch(/^metallb_k8s_client_config_stale_bool 0/m);
  });
});
