/** The writer of FRRConfigurations on a real API server, with the kind of frr-k8s and with less of it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { FrrConfigurationSpec } from '#core/frrk8s/configuration.ts';
import { configurationName, frrConfigurationType as type } from '#core/frrk8s/object.ts';
import { projectNode } from '#core/model/projections.ts';
import { ensureFrrK8s } from '#lab/frrk8s/ensure.ts';
import { quiet } from '#lab/report.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { loadCredentials, type Credentials } from '#runtime/kube/credentials.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { KubeClient, KubeObject, WatchOptions } from '#runtime/kube/types.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { systemClock } from '#runtime/queue/clock.ts';
import { FrrK8sWriter } from '#speaker/frrk8s/writer.ts';
import { watchFrrConfigurations } from '#speaker/loops/stores.ts';
import { address, peer } from '#tests/support/bgp-factories.ts';
import { ControlPlane } from '#tests/support/control-plane.ts';
import { eventually } from '#tests/support/eventually.ts';
import { announcing, prefixOf } from '#tests/support/frr-driver.ts';

const namespace = 'default';
const LONG = 30_000;

let plane: ControlPlane;
let credentials: Credentials;
let client: KubeClient;
let kind: KubeObject;
const stop = new AbortController();
const writers = new Map<string, FrrK8sWriter>();

beforeAll(async () => {
  const programs = await ensureFrrK8s(quiet);
  kind = parse(
    await readFile(join(programs, 'crds/frrk8s.metallb.io_frrconfigurations.yaml'), 'utf8'),
  ) as KubeObject;
  plane = await ControlPlane.start();
  credentials = await loadCredentials({ kubeconfig: plane.kubeconfig });
  client = createKubeClient(createTransport(credentials, { logger: silent }));
});
afterAll(async () => {
  await Promise.all([...writers.values()].map((writer) => writer.close()));
  stop.abort();
  await credentials?.[Symbol.asyncDispose]();
  await plane?.[Symbol.asyncDispose]();
});

/** A writer for a Node of its own. */
async function start(node: string): Promise<FrrK8sWriter> {
  const status = { addresses: [{ type: 'InternalIP', address: '10.0.0.42' }] };
  await client.create(kinds.Node, { metadata: { name: node } });
  await client.patch({ type: kinds.Node, name: node }, { status }, { subresource: 'status' });
  const transport = createTransport(credentials, { logger: silent });
  const watch = <T>(options: WatchOptions<T>) =>
    watchStore(transport, options, { logger: silent, signal: stop.signal });
  const nodes = watch({ type: kinds.Node, project: projectNode });
  await nodes.synced;
  const writer = new FrrK8sWriter({
    ...watchFrrConfigurations(watch, { namespace, nodeName: node }),
    nodes,
    client: createKubeClient(transport),
    nodeName: node,
    namespace,
    installation: 'metallb-system',
    passwords: 'clear',
    clock: systemClock,
    logger: silent,
    metrics: createMetrics(),
  });
  writers.set(node, writer);
  return writer;
}

const ref = (node: string) => ({ type, namespace, name: configurationName(node) });
const stored = async (node: string): Promise<FrrConfigurationSpec> =>
  (await client.get(ref(node)))['spec'] as FrrConfigurationSpec;
const settled = (writer: FrrK8sWriter) =>
  eventually(
    () => expect(writer.state).toMatchObject({ applied: writer.state.desired, lastError: undefined }),
    LONG,
  );

const everything = peer('full', '10.0.0.1', {
  remoteAs: { kind: 'asn', asn: 4_200_000_000 },
  localAsn: 65_099,
  sourceAddress: address('10.0.0.42'),
  port: 1179,
  timers: { hold: 90, keepalive: 30 },
  connectTime: 10,
  bfdProfile: 'fast',
  gracefulRestart: true,
  ebgpMultiHop: true,
  dualStackAddressFamily: true,
  disableMP: true,
  password: 'secret',
});

async function installKind(crd: KubeObject): Promise<void> {
  await client.create(kinds.CustomResourceDefinition, crd);
}

/** The kind without some fields of a neighbour, as an older frr-k8s has it. */
function olderKind(...fields: readonly string[]): KubeObject {
  const drop = new Set(fields);
  const text = JSON.stringify(kind, (key, value: unknown) => (drop.has(key) ? undefined : value));
  return JSON.parse(text) as KubeObject;
}

describe('without the kind', () => {
  it('nothing is written and the reason is told; it is used as soon as it is there', async () => {
    const writer = await start('n1');
    writer.setDesired(announcing([prefixOf(1)]));
    await eventually(
      () => expect(writer.state.lastError).toMatch(/frrconfigurations.* cannot be read/),
      LONG,
    );
    const bare = await start('n2');
    bare.setDesired(announcing([], { peers: [] }));
    // Who needs no object misses nothing.
    await eventually(() => expect(bare.state).toMatchObject({ applied: 1, lastError: undefined }), LONG);
    await installKind(olderKind('localASN', 'sourceaddress'));
    await settled(writer);
    expect((await stored('n1')).bgp.routers[0]?.prefixes).toEqual([prefixOf(1)]);
  });
});

describe('a kind that lacks fields', () => {
  it('is told of the peer they belong to; what it has is written, once', async () => {
    const writer = await start('n3');
    const peers = [everything, peer('plain', '10.0.0.2')];
    writer.setDesired(announcing([prefixOf(1)], { peers }));
    await settled(writer);
    expect(writer.state.partial).toEqual([
      { peer: 'full', message: expect.stringContaining('has no localASN, sourceaddress;') },
    ]);
    const { metadata } = await client.get(ref('n3'));
    writer.setDesired(announcing([prefixOf(1), prefixOf(2)], { peers }));
    await settled(writer);
    writer.setDesired(announcing([prefixOf(1)], { peers }));
    await settled(writer);
    // Two writes, and not one more for the fields that do not stay.
    expect((await client.get(ref('n3'))).metadata.generation).toBe((metadata.generation ?? 0) + 2);
    expect(writer.state.repairs).toBe(0);
  });
});

describe('the kind as frr-k8s has it', () => {
  it('takes every field; the object says what was sent', async () => {
    const crd = { type: kinds.CustomResourceDefinition, name: kind.metadata.name };
    await client.patch(crd, { spec: kind['spec'] });
    const writer = await start('n4');
    const bfdProfiles = [
      {
        name: 'fast',
        receiveInterval: 100,
        transmitInterval: 100,
        detectMultiplier: 3,
        echoInterval: 50,
        echoMode: true,
        passiveMode: true,
        minimumTtl: 250,
      },
    ];
    const attributes = {
      localPref: 4_294_967_295,
      communities: [{ kind: 'large', value: '1:2:3' }],
    } as const;
    await eventually(async () => {
      writer.setDesired(
        announcing(
          [prefixOf(Math.floor(Math.random() * 60_000))],
          { peers: [everything], bfdProfiles },
          attributes,
        ),
      );
      await settled(writer);
      expect(writer.state).toMatchObject({ partial: [], refused: [] });
    }, LONG);
    const { bgp } = await stored('n4');
    expect(bgp.routers[0]?.neighbors[0]).toMatchObject({
      asn: 4_200_000_000,
      localASN: 65_099,
      sourceaddress: '10.0.0.42',
      holdTime: '90s',
      password: 'secret',
      toAdvertise: {
        withLocalPref: [{ localPref: 2_147_483_647 }],
        withCommunity: [{ community: 'large:1:2:3' }],
      },
    });
    expect(bgp.bfdProfiles).toEqual(bfdProfiles);
  });

  it('#128 #129 whatever users write into objects of their own, with fields we do not know, leaves ours alone', async () => {
    const writer = writers.get('n4');
    const before = (await client.get(ref('n4'))).metadata.resourceVersion;
    const spec = {
      raw: { rawConfig: 'x' },
      bgp: { routers: [{ asn: 64512, evpn: { advertiseVNIs: 'All' } }] },
    };
    await client.create(type, { metadata: { namespace, name: 'users' }, spec });
    await client.patch({ type, namespace, name: 'users' }, { metadata: { labels: { a: 'b' } } });
    await client.delete({ type, namespace, name: 'users' });
    writer?.setDesired(announcing([prefixOf(9)], { peers: [everything] }));
    if (writer !== undefined) await settled(writer);
    const now = await client.get(ref('n4'));
    expect(now.metadata.resourceVersion).not.toBe(before);
    expect(writer?.state.repairs).toBe(0);
  });

  it('two writers of one object do not lose a change, and the object comes back when it is deleted', async () => {
    const writer = await start('n5');
    writer.setDesired(announcing([prefixOf(1)]));
    await settled(writer);
    // Somebody labels it all the while.
    const labels = async (): Promise<void> => {
      for (let i = 0; i < 40; i += 1)
        await client.patch(ref('n5'), { metadata: { annotations: { i: String(i) } } });
    };
    const done = labels();
    for (let n = 2; n < 22; n += 1) {
      writer.setDesired(announcing([prefixOf(n)]));
      await eventually(
        async () => expect((await stored('n5')).bgp.routers[0]?.prefixes).toEqual([prefixOf(n)]),
        LONG,
      );
    }
    await done;
    await settled(writer);
    expect((await client.get(ref('n5'))).metadata.annotations).toEqual({ i: '39' });
    await client.delete(ref('n5'));
    await eventually(
      async () => expect((await stored('n5')).bgp.routers[0]?.prefixes).toEqual([prefixOf(21)]),
      LONG,
    );
  });

  it('an admission policy that forbids one peer leaves out that one', async () => {
    const rule = {
      expression: "!object.spec.bgp.routers.exists(r, r.neighbors.exists(n, n.address == '10.0.0.3'))",
      message: '10.0.0.3 is not ours',
    };
    const group = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false };
    const policies = { ...group, kind: 'ValidatingAdmissionPolicy', plural: 'validatingadmissionpolicies' };
    const bindings = {
      ...group,
      kind: 'ValidatingAdmissionPolicyBinding',
      plural: 'validatingadmissionpolicybindings',
    };
    const { plural, group: apiGroup, version } = type;
    const resourceRules = [
      {
        apiGroups: [apiGroup],
        apiVersions: [version],
        operations: ['CREATE', 'UPDATE'],
        resources: [plural],
      },
    ];
    await client.create(policies, {
      metadata: { name: 'p' },
      spec: { matchConstraints: { resourceRules }, validations: [rule] },
    });
    await client.create(bindings, {
      metadata: { name: 'p' },
      spec: { policyName: 'p', validationActions: ['Deny'] },
    });
    const peers = ['10.0.0.2', '10.0.0.3', '10.0.0.4'].map((text, i) => peer(`p${i}`, text));
    const writer = await start('n6');
    await eventually(async () => {
      writer.setDesired(announcing([prefixOf(Math.floor(Math.random() * 60_000))], { peers }));
      await settled(writer);
      expect(writer.state.refused).toEqual([
        { peer: 'p1', message: expect.stringContaining('10.0.0.3 is not ours') },
      ]);
    }, LONG);
    const [router] = (await stored('n6')).bgp.routers;
    expect(router?.neighbors.map((neighbor) => neighbor.address)).toEqual(['10.0.0.2', '10.0.0.4']);
  });
});
