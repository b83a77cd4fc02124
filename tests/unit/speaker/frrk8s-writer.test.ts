/** The writer of FRRConfigurations on a fake API server. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kinds } from '#runtime/kube/kinds.ts';
import { projectNode } from '#core/model/projections.ts';
import type { NodeView } from '#core/model/views.ts';
import { configurationLabels, frrConfigurationType as type } from '#core/frrk8s/object.ts';
import type { FrrConfigurationSpec } from '#core/frrk8s/configuration.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { KubeObject, Store } from '#runtime/kube/types.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { systemClock } from '#runtime/queue/clock.ts';
import { frrK8sMetrics } from '#speaker/frrk8s/metrics.ts';
import { FrrK8sWriter } from '#speaker/frrk8s/writer.ts';
import { watchFrrConfigurations } from '#speaker/loops/stores.ts';
import { peer } from '#tests/support/bgp-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeApiServer } from '#tests/support/fake-apiserver/server.ts';
import { announcing, prefixOf } from '#tests/support/frr-driver.ts';
import { VirtualClock } from '#tests/support/virtual-clock.ts';

const namespace = 'frr-k8s-system';
const name = 'metallb-n1';
const key = `${namespace}/${name}`;

let fake: FakeApiServer;
let writer: FrrK8sWriter;
let abort: AbortController;
let nodes: Store<NodeView>;

const nodeObject = (node: string) => ({
  metadata: { name: node },
  status: { addresses: [{ type: 'InternalIP', address: '10.0.0.42' }] },
});

function start(clock = systemClock): FrrK8sWriter {
  const transport = createTransport(plainCredentials(fake.url), { logger: silent });
  const watch = <T>(options: Parameters<typeof watchStore<T>>[1]) =>
    watchStore(transport, options, { logger: silent, signal: abort.signal });
  nodes = watch({ type: kinds.Node, project: projectNode });
  return new FrrK8sWriter({
    ...watchFrrConfigurations(watch, { namespace, nodeName: 'n1' }),
    nodes,
    client: createKubeClient(transport),
    nodeName: 'n1',
    namespace,
    installation: 'metallb-system',
    passwords: 'clear',
    clock,
    logger: silent,
    metrics: createMetrics(),
  });
}

beforeEach(async () => {
  abort = new AbortController();
  fake = await FakeApiServer.start();
  fake.put(kinds.Node, nodeObject('n1'));
  writer = start();
});
afterEach(async () => {
  await writer.close();
  abort.abort();
  await fake.close();
});

const writes = (): number =>
  fake.seen.filter(({ method, url }) => method !== 'GET' && url.includes('frrconfigurations')).length;
const stored = (): KubeObject | undefined => fake.find(type, key);
const spec = (): FrrConfigurationSpec => stored()?.['spec'] as FrrConfigurationSpec;
const prefixes = (): readonly string[] => spec().bgp.routers[0]?.prefixes ?? [];
const addresses = (): unknown => spec().bgp.routers[0]?.neighbors.map(({ address }) => address);

/** Hands over a model; a model before the Node is known is worked out later, as the speaker does. */
async function desire(...args: Parameters<typeof announcing>): Promise<void> {
  await eventually(() => {
    writer.setDesired(announcing(...args));
    expect(writer.state.desired).toBeGreaterThan(0);
  });
}
const applied = () => eventually(() => expect(writer.state.applied).toBe(writer.state.desired));

describe('the FRRConfiguration of a node', () => {
  it('#110 is named after the node, says what the model says, and is not written again', async () => {
    await desire([prefixOf(1)]);
    await applied();
    expect(prefixes()).toEqual([prefixOf(1)]);
    expect(stored()?.metadata.labels).toEqual(configurationLabels('n1', 'metallb-system'));
    writer.setDesired(announcing([prefixOf(1)]));
    await eventually(() =>
      expect(fake.seen.some(({ watch, url }) => watch && url.includes(name))).toBe(true),
    );
    writer.setDesired(announcing([prefixOf(1), prefixOf(2)]));
    await applied();
    expect(prefixes()).toEqual([prefixOf(1), prefixOf(2)]);
    expect([writes(), writer.state.desired]).toEqual([2, 2]);
  });

  it('many changes at once are few writes, and the last one counts', async () => {
    await desire([prefixOf(0)]);
    for (let n = 1; n <= 50; n += 1) writer.setDesired(announcing([prefixOf(n)]));
    await applied();
    expect(prefixes()).toEqual([prefixOf(50)]);
    expect(writes()).toBeLessThanOrEqual(3);
  });

  it('a speaker that is started again finds it as it should be and writes nothing', async () => {
    await desire([prefixOf(1)]);
    await applied();
    const before = [writes(), stored()?.metadata.resourceVersion];
    await writer.close();
    writer = start();
    await desire([prefixOf(1)]);
    await applied();
    expect([writes(), stored()?.metadata.resourceVersion]).toEqual(before);
  });

  it('W31: what was written before a restart is not touched before the first model', async () => {
    fake.put(type, { metadata: { name, namespace }, spec: { bgp: {} } });
    await eventually(() =>
      expect(fake.seen.filter(({ url }) => url.includes('frrconfigurations')).length).toBeGreaterThan(1),
    );
    expect(writes()).toBe(0);
    await desire([prefixOf(1)]);
    await applied();
    expect(prefixes()).toEqual([prefixOf(1)]);
  });

  it('what others put on it besides the spec stays; the spec is put back, later and later', async () => {
    await desire([prefixOf(1)]);
    await applied();
    const object = stored();
    const metadata = { ...object?.metadata, name, annotations: { note: 'mine' } };
    for (const count of [1, 2]) {
      fake.put(type, {
        ...object,
        metadata: { ...metadata, resourceVersion: undefined },
        spec: { raw: count },
      } as never);
      await eventually(() => expect(prefixes()).toEqual([prefixOf(1)]));
      expect(writer.state.repairs).toBe(count);
    }
    expect(stored()?.metadata.annotations).toEqual({ note: 'mine' });
    fake.remove(type, key);
    await eventually(() => expect(prefixes()).toEqual([prefixOf(1)]));
  });

  it('a write that meets another one is tried again', async () => {
    await desire([prefixOf(1)]);
    await applied();
    fake.fail({ kind: 'status', code: 409, reason: 'Conflict' }, ({ method }) => method === 'PUT', 2);
    writer.setDesired(announcing([prefixOf(2)]));
    await eventually(() => expect(prefixes()).toEqual([prefixOf(2)]));
  });

  it('#147 without sessions it is empty; a speaker that starts without peers deletes it', async () => {
    await desire([prefixOf(1)]);
    await applied();
    writer.setDesired(announcing([], { peers: [] }));
    await applied();
    expect(spec().bgp).toEqual({ routers: [], bfdProfiles: [] });
    await writer.close();
    writer = start();
    await desire([], { peers: [] });
    await eventually(() => expect(stored()).toBeUndefined());
    expect(writer.state).toMatchObject({ lastError: undefined });
    await writer.close();
    const before = writes();
    writer = start();
    await desire([], { peers: [] });
    await applied();
    expect(writes()).toBe(before);
  });
});

describe('a refusal', () => {
  const peers = ['10.77.0.2', '10.77.0.3', '10.77.0.4'].map((text, i) => peer(`p${i}`, text));
  const forbid = (address: string): void => {
    fake.deny = (object) =>
      JSON.stringify(object['spec']).includes(address)
        ? `multiple ports specified for ${address}`
        : undefined;
  };

  it('W34: one peer that contradicts somebody else’s object is left out and named; the others go on', async () => {
    forbid('10.77.0.3');
    await desire([prefixOf(1)], { peers });
    await applied();
    expect(addresses()).toEqual(['10.77.0.2', '10.77.0.4']);
    expect(writer.state.refused).toEqual([
      { peer: 'p1', message: expect.stringContaining('multiple ports specified for 10.77.0.3') },
    ]);
    const before = writes();
    writer.setDesired(announcing([prefixOf(1), prefixOf(2)], { peers }));
    await applied();
    expect(prefixes()).toHaveLength(2);
    // A change of routes is one write: nobody is asked again.
    expect(writes()).toBe(before + 1);
  });

  it('ends when the other object changes, or the peer', async () => {
    forbid('10.77.0.3');
    await desire([prefixOf(1)], { peers });
    await applied();
    writer.setDesired(announcing([prefixOf(1)], { peers: [...peers, peer('p9', '10.77.0.9')] }));
    await applied();
    expect(addresses()).toEqual(['10.77.0.2', '10.77.0.4', '10.77.0.9']);
    fake.deny = () => undefined;
    fake.put(type, {
      metadata: { name: 'users', namespace },
      spec: { bgp: { routers: [{ asn: 1, id: '1.1.1.1' }] } },
    });
    await eventually(() => expect(addresses()).toHaveLength(4));
    await eventually(() => expect(writer.state.refused).toEqual([]));
  });

  it('a peer that is left out and then gone is told of no longer, though the object is the same', async () => {
    const inside = peer('inside', '10.0.0.9', { remoteAs: { kind: 'asn', asn: 64512 }, localAsn: 65099 });
    await desire([prefixOf(1)], { peers: [...peers, inside] });
    await applied();
    expect(writer.state.refused).toMatchObject([{ peer: 'inside' }]);
    writer.setDesired(announcing([prefixOf(1)], { peers }));
    await eventually(() => expect(writer.state.refused).toEqual([]));
    expect([writes(), writer.state.desired]).toEqual([1, 1]);
  });

  it('of the object as a whole is told; what is stored stays', async () => {
    await desire([prefixOf(1)], { peers });
    await applied();
    fake.deny = () => 'no';
    writer.setDesired(announcing([prefixOf(2)], { peers }));
    await eventually(() => expect(writer.state.lastError).toContain('denied the request: no'));
    expect(prefixes()).toEqual([prefixOf(1)]);
    expect(writer.state.applied).toBeLessThan(writer.state.desired);
  });
});

describe('a Node that is gone', () => {
  it('takes its FRRConfiguration along after a while, if it is ours and the Node does not come back', async () => {
    await writer.close();
    const clock = new VirtualClock();
    writer = start(clock);
    for (const node of ['n2', 'n3', 'n4']) {
      fake.put(kinds.Node, nodeObject(node));
      const labels = configurationLabels(node, node === 'n3' ? 'another' : 'metallb-system');
      fake.put(type, { metadata: { name: `metallb-${node}`, namespace, labels }, spec: {} });
    }
    const left = () => fake.objects(type).map(({ metadata }) => metadata.name);
    await eventually(() => expect(nodes.has('n4')).toBe(true));
    for (const node of ['n2', 'n3', 'n4']) fake.remove(kinds.Node, node);
    fake.put(kinds.Node, nodeObject('n4'));
    await eventually(() => expect(clock.pending).toBeGreaterThan(0));
    expect(left()).toHaveLength(3);
    await eventually(async () => {
      await clock.advance(360_000);
      expect(left()).toEqual(['metallb-n3', 'metallb-n4']);
    });
  });
});

describe('metrics', () => {
  it('tell what is wanted, what is written, and who is refused', async () => {
    const metrics = createMetrics();
    frrK8sMetrics(metrics, writer);
    await desire([prefixOf(1)]);
    await applied();
    const text = await metrics.expose();
    expect(text).toMatch(/^metallb_frrk8s_desired_generation 1$/m);
    expect(text).toMatch(/^metallb_frrk8s_written_generation 1$/m);
    expect(text).toMatch(/^metallb_frrk8s_write_failing 0$/m);
    expect(text).toMatch(/^metallb_frrk8s_refused_neighbors 0$/m);
    expect(text).toMatch(/^metallb_frrk8s_repairs_total 0$/m);
  });
});
