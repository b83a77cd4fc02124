/** The controller's loops against a fake API server: how many writes, and what a failing write does to others. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { projectService } from '#core/model/projections.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { ipsOf, NAMESPACE } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeController, ofServices } from '#tests/support/fake-controller.ts';

const { IPAddressPool, ConfigurationState } = metallbResources;

let lab: FakeController;
beforeEach(async () => {
  lab = await FakeController.create();
});
afterEach(() => lab[Symbol.asyncDispose]());

describe('writes', () => {
  it('one PUT per Service and no read before it; other annotations and conditions stay', async () => {
    lab.pool('p', '192.0.2.0/28');
    await lab.start();
    lab.service('a');
    lab.service('b');
    await lab.expectIps('a', ['192.0.2.0']);
    await lab.expectIps('b', ['192.0.2.1']);
    expect(lab.requests(ofServices)).toEqual(['PUT', 'PUT']);
    expect(lab.found('a').metadata.annotations).toEqual({
      'example.com/theirs': 'x',
      [ALLOCATED_FROM_POOL]: 'p',
    });
    expect((lab.found('a')['status'] as { conditions: unknown }).conditions).toEqual([{ type: 'Foreign' }]);
  });

  it('14, 15: a start over what is right writes nothing but what is ours to make', async () => {
    lab.pool('p', '192.0.2.0/28');
    lab.service('a', { ips: ['192.0.2.3'], pool: 'p' });
    await lab.start();
    await eventually(() => expect(lab.fake.find(IPAddressPool, `${NAMESPACE}/p`)?.['status']).toBeDefined());
    await eventually(() =>
      expect(lab.fake.find(ConfigurationState, `${NAMESPACE}/controller`)?.['status']).toBeDefined(),
    );
    const before = lab.fake.seen.length;
    lab.service('plain', { spec: { type: 'ClusterIP' } });
    lab.service('probe');
    await lab.expectIps('probe', ['192.0.2.0']);
    expect(lab.requests(ofServices)).toEqual(['PUT']);
    expect(lab.fake.seen.slice(before).filter(({ url }) => url.includes('/a/'))).toEqual([]);
  });

  it('112: a burst is a few pool writes, and the last one is right', async () => {
    lab.pool('p', '192.0.2.0/24');
    await lab.start();
    for (let index = 0; index < 60; index += 1) lab.service(`s${index}`);
    const status = (): unknown => lab.fake.find(IPAddressPool, `${NAMESPACE}/p`)?.['status'];
    await eventually(() => expect(status()).toMatchObject({ assignedIPv4: 60, availableIPv4: 196 }));
    const puts = lab.requests(({ url, method }) => url.includes('/ipaddresspools/') && method === 'PUT');
    expect(puts.length).toBeLessThan(10);
  });

  it('138: a conflict is tried again, with the same address', async () => {
    lab.pool('p', '192.0.2.0/28');
    await lab.start();
    lab.fake.fail({ kind: 'status', code: 409, reason: 'Conflict' }, ({ method }) => method === 'PUT', 2);
    lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    expect(lab.requests(ofServices)).toEqual(['PUT', 'GET', 'PUT', 'GET', 'PUT']);
    expect(lab.events.map(({ reason }) => reason)).toEqual(['IPAllocated']);
  });

  it('Q3: a Service whose write fails for good delays neither the others nor the first pass', async () => {
    lab.pool('p', '192.0.2.0/28');
    lab.fake.fail({ kind: 'status', code: 403 }, ({ url }) => url.includes('/services/bad/'), 1000);
    lab.service('bad');
    await lab.start();
    lab.service('good');
    await eventually(() => expect(lab.ips('good')).toHaveLength(1));
    expect(lab.ips('bad')).toEqual([]);
  });

  it('a refused write is tried again: rights may be given later', async () => {
    lab.pool('p', '192.0.2.0/28');
    lab.fake.fail({ kind: 'status', code: 403 }, ({ url }) => url.includes('/services/a/'), 3);
    lab.service('a');
    await lab.start();
    await lab.expectIps('a', ['192.0.2.0']);
  });

  it('the write rests on the version it replaces: a change in between is decided on', async () => {
    lab.pool('p', '192.0.2.0/28');
    await lab.start();
    lab.fake.fail({ kind: 'status', code: 409, reason: 'Conflict' }, ({ method }) => method === 'PUT');
    lab.service('a');
    await eventually(() => expect(lab.requests(ofServices)).toContain('PUT'));
    lab.service('a', { spec: { loadBalancerIP: '192.0.2.7' } });
    await lab.expectIps('a', ['192.0.2.7']);
    lab.service('b');
    await lab.expectIps('b', ['192.0.2.0']);
  });

  it('Q6: what a Service gives up goes to others when that is written, and not before', async () => {
    lab.pool('p', '192.0.2.0/32');
    await lab.start();
    lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    lab.service('b');
    await eventually(() => expect(lab.events.map(({ name }) => name)).toContain('b'));
    lab.fake.fail({ kind: 'status', code: 500 }, ({ url }) => url.includes('/services/a/'), 4);
    const seen: string[][] = [];
    lab.service('a', { spec: { type: 'ClusterIP' }, ips: ['192.0.2.0'], pool: 'p' });
    await eventually(() => {
      seen.push([...lab.ips('a'), ...lab.ips('b')]);
      expect(lab.ips('b')).toEqual(['192.0.2.0']);
    });
    expect(lab.ips('a')).toEqual([]);
    expect(seen.filter((ips) => ips.length > 1)).toEqual([]);
    expect(lab.requests(({ url }) => url.includes('/services/a/')).length).toBeGreaterThan(4);
  });

  it('decides on what it wrote even while the watch is silent', async () => {
    lab.pool('p', '192.0.2.0/31');
    lab.service('a', { spec: { loadBalancerIP: '192.0.2.0' } });
    await lab.start();
    await lab.expectIps('a', ['192.0.2.0']);
    lab.service('a', { spec: { loadBalancerIP: '192.0.2.1' }, ips: ['192.0.2.0'], pool: 'p' });
    await lab.expectIps('a', ['192.0.2.1']);
    lab.service('b');
    await lab.expectIps('b', ['192.0.2.0']);
    expect(lab.events.map(({ name, reason }) => `${name} ${reason}`)).toEqual([
      'a IPAllocated',
      'a IPAllocated',
      'b IPAllocated',
    ]);
  });
});

describe('life', () => {
  it('a standby keeps its stores and writes nothing', async () => {
    lab.pool('p', '192.0.2.0/28');
    lab.service('a');
    const made = lab.controller;
    await made.synced();
    expect(made.notReady()).toBeUndefined();
    expect(lab.fake.seen.every(({ method }) => method === 'GET')).toBe(true);
    made.activate([]);
    expect(made.notReady()).toBe('no configuration in force yet');
    await lab.expectIps('a', ['192.0.2.0']);
  });

  it('what was read at the take-over counts before the store has shown it', async () => {
    lab.pool('p', '192.0.2.0/31');
    lab.service('a');
    lab.service('b');
    const made = lab.controller;
    await made.synced();
    lab.fake.breakWatches('silence');
    lab.service('a', { ips: ['192.0.2.0'], pool: 'p' });
    made.activate([projectService(lab.found('a'))]);
    await eventually(() => expect(lab.ips('b')).toEqual(['192.0.2.1']));
    expect(lab.ips('a')).toEqual(['192.0.2.0']);
  });

  it('a Service that only the take-over has shown keeps its address, until it turns out to be gone', async () => {
    lab.pool('p', '192.0.2.0/32');
    lab.service('b');
    const made = lab.controller;
    await made.synced();
    lab.fake.breakWatches('silence');
    lab.service('a', { ips: ['192.0.2.0'], pool: 'p' });
    lab.service('gone', { spec: { loadBalancerIP: '192.0.2.0' } });
    const gone = lab.found('gone');
    lab.fake.remove(kinds.Service, 'default/gone');
    made.activate([lab.found('a'), gone].map(projectService));
    await eventually(() => expect(made.notReady()).toBeUndefined());
    expect(lab.ips('a')).toEqual(['192.0.2.0']);
    expect(lab.ips('b')).toEqual([]);
    expect(await lab.metrics.expose()).toContain('metallb_allocator_services_waiting{reason="exhausted"} 1');
    expect(await lab.metrics.expose()).not.toContain('reason="sharing"');
  });

  it('5: deletion serves the oldest waiter, and a burst of deletions all of them', async () => {
    lab.pool('p', '192.0.2.0/29');
    await lab.start();
    for (let index = 0; index < 20; index += 1) lab.service(`s${index}`);
    const served = (): string[] =>
      lab.fake
        .objects(kinds.Service)
        .filter((object) => ipsOf(object).length > 0)
        .map(({ metadata }) => metadata.name);
    await eventually(() => expect(served()).toHaveLength(8));
    for (const name of served()) lab.fake.remove(kinds.Service, `default/${name}`);
    await eventually(() => expect(served()).toHaveLength(8));
  });

  it('metrics of the original names, waiting Services by reason, allocation time', async () => {
    lab.pool('p', '192.0.2.0/31');
    await lab.start();
    for (const name of ['a', 'b', 'c']) lab.service(name);
    await eventually(async () => {
      const text = await lab.metrics.expose();
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
    lab.fake.remove(IPAddressPool, `${NAMESPACE}/p`);
    await eventually(async () => expect(await lab.metrics.expose()).not.toContain('{pool="p"}'));
  });

  it('the time of an allocation starts when the Service is seen, not when its turn comes', async () => {
    lab.pool('p', '192.0.2.0/28');
    await lab.start();
    // After an answer like this nobody has a turn for a while.
    lab.fake.fail({ kind: 'status', code: 503 }, ({ url }) => url.includes('/services/'));
    lab.service('first');
    await eventually(() => expect(lab.warnings).toContain('the API server does not answer, writes wait'));
    lab.service('a');
    await eventually(async () =>
      expect(await lab.metrics.expose()).toContain('store_objects{kind="Service"} 2'),
    );
    const seen = performance.now();
    let waited = 0;
    await eventually(() => {
      const served = lab.ips('a').length;
      if (lab.looksSince(0)['default/a'] === undefined) waited = performance.now() - seen;
      expect(served).toBe(1);
    });
    await eventually(async () => {
      const text = await lab.metrics.expose();
      expect(text).toContain('metallb_allocator_allocation_duration_seconds_count 2');
      const sum = Number(/allocation_duration_seconds_sum (.*)/.exec(text)?.[1]);
      // Both waited, one behind the other.
      expect(sum * 1000).toBeGreaterThan(2 * waited);
    });
  });

  it('126, Q15: stale while an object is bad, and not after it is mended to what it was', async () => {
    lab.pool('p', '192.0.2.0/28');
    await lab.start();
    const stale = async (): Promise<string | undefined> =>
      /^metallb_k8s_client_config_stale_bool (\d)/m.exec(await lab.metrics.expose())?.[1];
    lab.pool('p', 'nonsense');
    await eventually(async () => expect(await stale()).toBe('1'));
    lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    lab.pool('p', '192.0.2.0/28');
    await eventually(async () => expect(await stale()).toBe('0'));
    expect(lab.ips('a')).toEqual(['192.0.2.0']);
    expect(lab.events.filter(({ reason }) => reason === 'ConfigurationError')).toHaveLength(1);
  });

  it('A01: a prefix with host bits is told once, and counts as no problem', async () => {
    lab.pool('p', '192.0.2.200/28');
    await lab.start();
    lab.service('a');
    await lab.expectIps('a', ['192.0.2.192']);
    lab.pool('q', '198.51.100.0/28');
    await eventually(async () =>
      expect(await lab.metrics.expose()).toContain('addresses_total{pool="q"} 16'),
    );
    const told = lab.events.filter(({ reason }) => reason === 'ConfigurationWarning');
    expect(told).toHaveLength(1);
    expect(told[0]?.message).toContain(
      '192.0.2.200/28 is not the start of its block: the pool holds all of 192.0.2.192/28',
    );
    expect(await lab.metrics.expose()).toMatch(/^metallb_k8s_client_config_stale_bool 0/m);
  });
});
