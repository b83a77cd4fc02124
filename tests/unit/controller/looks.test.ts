/**
 * controller.md §8 I: which Services are decided on, and when. The original answers much of what happens with a pass
 * over all Services; here each event looks at those that it concerns (docs/compatibility.md).
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { NAMESPACE } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeController, ofServices } from '#tests/support/fake-controller.ts';

let lab: FakeController;
beforeEach(async () => {
  lab = await FakeController.create();
});
afterEach(() => lab[Symbol.asyncDispose]());

/** Everything before it was worked off when this Service has its address, and has been seen with it. */
async function barrier(name: string): Promise<void> {
  lab.service(name);
  await eventually(() => {
    expect(lab.ips(name)).toHaveLength(1);
    expect(lab.looksSince(0)[`default/${name}`]).toBe(2);
  });
}

/** Services that the watch has delivered. */
const storedServices = async (): Promise<number> =>
  Number(/store_objects\{kind="Service"\} (\d+)/.exec(await lab.metrics.expose())?.[1]);

const without = (counts: Record<string, number>, ...names: string[]): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([key]) => !names.includes(key.slice('default/'.length))));

describe('before the first pass', () => {
  it('131, Q2: an event is not processed on its own; a deletion then is not lost', async () => {
    lab.pool('p', '192.0.2.0/31');
    lab.service('a', { ips: ['192.0.2.0'], pool: 'p' });
    await lab.controller.synced();
    lab.service('b');
    await eventually(async () => expect(await storedServices()).toBe(2));
    lab.deleteService('a');
    await eventually(async () => expect(await storedServices()).toBe(1));
    expect(lab.looks).toEqual([]);
    expect(lab.requests(({ method }) => method !== 'GET')).toEqual([]);
    await lab.start();
    await lab.expectIps('b', ['192.0.2.0']);
    await barrier('c');
    expect(lab.looksSince(0)).toEqual({ 'default/b': 2, 'default/c': 2 });
  });

  it('140: without a configuration nothing is decided, and nothing is tried again', async () => {
    lab.service('a', { ips: ['192.0.2.0'], pool: 'p' });
    lab.fake.fail({ kind: 'status', code: 403 }, ({ url }) => url.includes('/ipaddresspools'), 1000);
    void lab.start().catch(() => undefined);
    await eventually(() => expect(lab.controller.notReady()).toBe('not synced yet: pools'));
    expect(lab.looks).toEqual([]);
    expect(lab.requests(ofServices)).toEqual([]);
  });
});

describe('after it', () => {
  it('132, 137: a Service that is served is decided on for its own events only', async () => {
    lab.pool('p', '192.0.2.0/28');
    for (const name of ['a', 'b']) lab.service(name);
    await lab.start();
    await barrier('c');
    expect(lab.looksSince(0)).toEqual({ 'default/a': 2, 'default/b': 2, 'default/c': 2 });
    const from = lab.looks.length;
    lab.service('a', { spec: { loadBalancerIP: '192.0.2.9' }, ips: ['192.0.2.0'], pool: 'p' });
    await lab.expectIps('a', ['192.0.2.9']);
    await barrier('d');
    expect(Object.keys(lab.looksSince(from)).sort()).toEqual(['default/a', 'default/d']);
  });

  it('133: a write that failed is tried again, for that Service alone', async () => {
    lab.pool('p', '192.0.2.0/28');
    await lab.start();
    lab.service('b');
    await lab.expectIps('b', ['192.0.2.0']);
    const from = lab.looks.length;
    lab.fake.fail({ kind: 'status', code: 500 }, ({ url }) => url.includes('/services/a/'), 3);
    lab.service('a');
    await lab.expectIps('a', ['192.0.2.1']);
    expect(lab.looksSince(from)['default/a']).toBeGreaterThan(3);
    expect(Object.keys(without(lab.looksSince(from), 'a', 'b'))).toEqual([]);
  });

  it('134: an allocation that failed is not tried again until something can help it', async () => {
    lab.pool('p', '192.0.2.0/31');
    lab.pool('q', '198.51.100.0/28');
    const elsewhere = { spec: { loadBalancerIP: '198.51.100.9' } };
    await lab.start();
    for (const name of ['a', 'b'])
      lab.service(name, { spec: { loadBalancerIP: `192.0.2.${name === 'a' ? 0 : 1}` } });
    lab.service('waits', { spec: { loadBalancerIP: '192.0.2.0' } });
    await eventually(() => expect(lab.events.map(({ reason }) => reason)).toContain('AllocationFailed'));
    lab.service('x', elsewhere);
    await lab.expectIps('x', ['198.51.100.9']);
    lab.deleteService('x');
    lab.deleteService('b');
    await barrier('c');
    expect(lab.looksSince(0)['default/waits']).toBe(1);
    lab.deleteService('a');
    await lab.expectIps('waits', ['192.0.2.0']);
  });

  it('135: a release looks at the waiter it serves, not at all Services', async () => {
    lab.pool('p', '192.0.2.0/29');
    const names = Array.from({ length: 8 }, (_, index) => `s${index}`);
    for (const name of names) lab.service(name, { spec: { ports: [{ port: 80 }] } });
    await lab.start();
    lab.service('waits');
    await eventually(() => expect(lab.looks).toContain('default/waits'));
    await eventually(() =>
      expect(Object.values(without(lab.looksSince(0), 'waits'))).toEqual(names.map(() => 2)),
    );
    const from = lab.looks.length;
    lab.deleteService('s3');
    await lab.expectIps('waits', ['192.0.2.3']);
    await eventually(() => expect(lab.looksSince(from)).toEqual({ 'default/waits': 2 }));
  });

  it('136: in the first pass a failure repeats that Service, not the pass; a failed allocation repeats nothing', async () => {
    lab.pool('p', '192.0.2.0/30');
    lab.fake.fail({ kind: 'status', code: 500 }, ({ url }) => url.includes('/services/bad/'), 4);
    for (const name of ['bad', 'a', 'b', 'c']) lab.service(name);
    lab.service('never', { spec: { loadBalancerIP: '203.0.113.1' } });
    await lab.start();
    await eventually(() => expect(lab.ips('bad')).toHaveLength(1));
    await eventually(() =>
      expect(without(lab.looksSince(0), 'bad')).toEqual({
        'default/a': 2,
        'default/b': 2,
        'default/c': 2,
        'default/never': 1,
      }),
    );
    expect(lab.looksSince(0)['default/bad']).toBeGreaterThan(4);
  });
});

describe('the configuration', () => {
  it('127, 128, 139, Q18: what leaves the pools as they are looks at nobody; what changes them looks at all once', async () => {
    lab.pool('p', '192.0.2.0/28');
    const namespace = (labels: object): unknown =>
      lab.fake.put(kinds.Namespace, { metadata: { name: 'default', labels: { ...labels } } });
    namespace({ team: 'a' });
    for (const name of ['a', 'b']) lab.service(name);
    await lab.start();
    await barrier('c');
    const from = lab.looks.length;
    namespace({ team: 'a' });
    namespace({ team: 'b' });
    const metadata = { name: 'p', namespace: NAMESPACE, annotations: { note: 'x' } };
    lab.fake.put(metallbResources.IPAddressPool, { metadata, spec: { addresses: ['192.0.2.0/28'] } });
    const aliases = { communities: [{ name: 'x', value: '1:1' }] };
    lab.fake.put(metallbResources.Community, {
      metadata: { name: 'c', namespace: NAMESPACE },
      spec: aliases,
    });
    const updates = async (): Promise<number> =>
      Number(/^metallb_k8s_client_updates_total (\d+)/m.exec(await lab.metrics.expose())?.[1]);
    const before = await updates();
    await eventually(async () => expect(await updates()).toBeGreaterThan(before));
    await barrier('d');
    expect(lab.looksSince(from)).toEqual({ 'default/d': 2 });
    const changed = lab.looks.length;
    lab.pool('p', '192.0.2.0/27');
    await eventually(() =>
      expect(lab.looksSince(changed)).toEqual({
        'default/a': 1,
        'default/b': 1,
        'default/c': 1,
        'default/d': 1,
      }),
    );
  });
});
