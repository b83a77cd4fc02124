/** field-cases.md B09, B10, C12: what must not blink when Services, pools and installations come and go. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '#tests/support/eventually.ts';
import { FieldLab } from '#tests/support/field-lab.ts';

let field: FieldLab;
beforeAll(async () => {
  field = await FieldLab.start('mlb-t-fieldc');
});
afterAll(() => field?.[Symbol.asyncDispose]());

async function announced(pool: string, addresses: readonly string[]): Promise<void> {
  await field.pool(pool, addresses);
  await field.apply('L2Advertisement', 'l2');
  await field.apply('BGPAdvertisement', 'bgp');
}

describe('B09: deleting one of two sharers must not blink', () => {
  afterAll(() => field.reset());
  const seven = '198.51.100.7';
  const sharer = (port: number) => ({
    annotations: { 'metallb.io/allow-shared-ip': 'k' },
    spec: { loadBalancerIP: seven, ports: [{ name: 'x', port, targetPort: 8080, protocol: 'TCP' }] },
  });
  const counter = (count: number) =>
    eventually(async () => expect(await field.poolStatus('p')).toMatchObject({ assignedIPv4: count }));

  it('B09 E1, B09 E2, B09 E4: no UPDATE, no ARP request unanswered, the counter stays', async () => {
    await announced('p', ['198.51.100.0/28']);
    await field.service('a', sharer(80));
    await field.service('b', sharer(443));
    for (const name of ['a', 'b']) await field.expectIps(name, [seven]);
    await field.expectPaths(seven, 3);
    await field.responder(seven);
    await counter(1);
    const before = await field.settledUpdates();
    const stop = field.probe(seven);
    await field.delete('a');
    await field.service('a', sharer(80));
    await field.expectIps('a', [seven]);
    await field.delete('b');
    await counter(1);
    await field.patch('a', { metadata: { annotations: { 'metallb.io/allow-shared-ip': null } } });
    await field.service('last', { spec: { loadBalancerIP: seven } });
    await field.expectEvent('last', 'AllocationFailed', /default\/a/);
    await field.expectIps('a', [seven]);
    const [asked, unanswered] = await stop();
    expect(asked).toBeGreaterThan(2);
    expect(unanswered).toBe(0);
    expect(await field.updates()).toBe(before);
    await counter(1);
  });

  it('B09 E3: when the last user goes it is withdrawn within 2 s', async () => {
    await field.delete('last');
    await field.patch('a', { spec: { type: 'ClusterIP', allocateLoadBalancerNodePorts: null } });
    await field.expectPaths(seven, 0, 2000);
    await counter(0);
    await field.patch('a', { spec: { type: 'LoadBalancer' } });
    await field.expectPaths(seven, 3);
  });
});

describe('B10: editing ranges around addresses in use', () => {
  afterAll(() => field.reset());
  const range = (first: number, last: number) => `192.0.2.${first}-192.0.2.${last}`;
  const rest = ['s1', 's2', 's3', 'pin'];
  /** The controller has taken over the pool: it holds so many addresses. */
  const capacity = (count: number) =>
    eventually(async () => {
      const { assignedIPv4, availableIPv4 } = (await field.poolStatus('p')) as Record<string, number>;
      expect((assignedIPv4 ?? 0) + (availableIPv4 ?? 0)).toBe(count);
    });

  it('B10 E1, B10 E2, B10 E3, B10 E4: split, swapped, grown, written otherwise: nothing changes, nothing is told', async () => {
    await announced('p', [range(109, 150)]);
    for (const [index, name] of ['s1', 's2', 's3'].entries()) {
      await field.service(name);
      await field.expectIps(name, [`192.0.2.${109 + index}`]);
    }
    await field.service('pin', { spec: { loadBalancerIP: '192.0.2.149' } });
    await field.expectIps('pin', ['192.0.2.149']);
    for (const ip of ['192.0.2.109', '192.0.2.149']) await field.expectPaths(ip, 3);
    await capacity(42);
    await field.responder('192.0.2.149');
    const stop = field.probe('192.0.2.149');
    const [versions, updates] = [await field.versions(...rest), await field.settledUpdates()];
    const told = (await Promise.all(rest.map((name) => field.events(name)))).flat().length;
    await field.pool('p', [range(109, 139), range(149, 150)]);
    await capacity(33);
    await field.pool('p', [range(149, 150), range(109, 139)]);
    await field.pool('p', [range(107, 139), range(149, 150)]);
    await capacity(35);
    await field.pool('p', [
      '192.0.2.107/32',
      '192.0.2.108/30',
      '192.0.2.112/28',
      '192.0.2.128/29',
      '192.0.2.136/30',
      range(149, 150),
    ]);
    await field.service('new');
    await field.expectIps('new', ['192.0.2.107']);
    await field.expectPaths('192.0.2.107', 3);
    expect(await field.versions(...rest)).toEqual(versions);
    expect((await Promise.all(rest.map((name) => field.events(name)))).flat()).toHaveLength(told);
    // One UPDATE of each node for the new Service, none for the others.
    expect((await field.updates()) - updates).toBe(3);
    expect((await stop())[1]).toBe(0);
  });

  it('B10 E5: shrunk past one address: only that Service moves', async () => {
    const others = ['s1', 's2', 'pin', 'new'];
    const versions = await field.versions(...others);
    await field.pool('p', [range(107, 110), range(149, 150)]);
    await field.expectIps('s3', ['192.0.2.108']);
    expect(await field.versions(...others)).toEqual(versions);
    await field.expectEvent('s3', 'ClearAssignment', /192\.0\.2\.111/);
    await field.expectPaths('192.0.2.111', 0);
    await field.expectPaths('192.0.2.108', 3);
  });

  it('B10 E6: another name, the new one first: the overlap is told, addresses stay, the annotation follows', async () => {
    const all = [...rest, 'new'];
    const before = await Promise.all(all.map((name) => field.ips(name)));
    await field.pool('q', [range(107, 110), range(149, 150)]);
    await field.expectEvent('q', 'ConfigurationError', /overlaps with already defined CIDR/);
    await field.lab.kubectl(['-n', 'metallb-system', 'delete', 'ipaddresspool', 'p']);
    for (const name of all) await eventually(async () => expect(await field.poolOf(name)).toBe('q'), 20_000);
    expect(await Promise.all(all.map((name) => field.ips(name)))).toEqual(before);
    for (const [ip = ''] of before) await field.expectPaths(ip, 3);
  });
});

describe('C12: after removal', () => {
  it('C12 E1, C12 E2: routes and answers end within 5 s, statuses stay, and nothing holds a Service', async () => {
    await announced('p', ['192.0.2.0/28']);
    for (const name of ['x', 's', 't']) await field.service(name);
    await field.expectIps('x', ['192.0.2.0']);
    await eventually(async () => expect((await field.ips('t')).length).toBe(1), 20_000);
    const [ips, more] = [await field.ips('s'), await field.ips('t')];
    await field.delete('x');
    for (const ip of [...ips, ...more]) await field.expectPaths(ip, 3);
    await field.responder(ips[0] ?? '');
    await field.lab.daemons.find('controller')?.stop('SIGTERM');
    await Promise.all(
      field.stage.nodes.map(async (index) => field.lab.daemons.find(`speaker-node${index}`)?.stop('SIGTERM')),
    );
    await Promise.all(field.stage.nodes.map((index) => field.lab.frr(`node${index}`).stop('SIGTERM')));
    for (const ip of [...ips, ...more]) await field.expectPaths(ip, 0, 5000);
    await field.silent(ips[0] ?? '', 5000);
    expect(await field.ips('s')).toEqual(ips);
    const { metadata } = await field.read('t');
    expect(metadata).not.toHaveProperty('finalizers');
    await field.delete('t');
    await expect(field.read('t')).rejects.toThrow(/404|not found/i);
  });

  it('C12 E3: a new installation finds what is recorded, writes nothing there, and gives the free address first', async () => {
    const before = await field.versions('s');
    const ips = await field.ips('s');
    await field.stage.startController();
    await field.service('fresh');
    await field.expectIps('fresh', ['192.0.2.0']);
    expect(await field.ips('s')).toEqual(ips);
    expect(await field.versions('s')).toEqual(before);
  });

  it('C12 E4, C12 E5: deleting the pools first, as documented, clears what is ours and nothing else', async () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/removal.md'), 'utf8');
    expect(text).toContain('By default nothing is taken from the Services');
    const command = /^kubectl (.* delete ipaddresspools.*)$/m.exec(text)?.[1] ?? '';
    const ingress = [{ ip: '192.0.2.200' }];
    await field.service('foreign', { spec: { loadBalancerClass: 'other.example/lb' } });
    await field.lab.api.patch('/api/v1/namespaces/default/services/foreign/status', {
      status: { loadBalancer: { ingress } },
    });
    const before = await field.versions('foreign');
    await field.lab.kubectl(command.split(' '));
    for (const name of ['s', 'fresh']) {
      await field.expectIps(name, []);
      expect(await field.poolOf(name)).toBeUndefined();
    }
    expect(await field.ips('foreign')).toEqual(['192.0.2.200']);
    expect(await field.versions('foreign')).toEqual(before);
  });
});
