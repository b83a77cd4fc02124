/** field-cases.md A12: nodes with fully qualified names and without any IPv4 address, iBGP over IPv6. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeObject } from '#lab/control/nodes.ts';
import { LightStage } from '#lab/demo/light.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import { Lab } from '#lab/lab.ts';
import { nodeAddresses, podAddresses, podRanges } from '#lab/net/plan.ts';
import { run } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { routerConfigFor } from '#lab/router/config.ts';
import { createService, endpointSlice, ingressOf } from '#lab/workload/service.ts';
import { eventually } from '#tests/support/eventually.ts';

const LONG = 60_000;
const root = join(import.meta.dirname, '..', '..', '..');
const NODES = [1, 2, 3];
const nameOf = (index: number): string => `n${index}.lab.example`;
const SERVICE = '2001:db8:aaad::80';
let lab: Lab;
let kubeconfig = '';
let meshKey = '';

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-f-six', level: 'light', nodes: NODES.length, report: quiet });
  const stage = new LightStage(lab);
  await stage.deploy[0]?.run(() => undefined);
  for (const index of NODES) await makeIPv6Only(index);
  const identity = {
    name: 'speaker-ipv6',
    user: `system:serviceaccount:${NAMESPACE}:speaker`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`],
  };
  kubeconfig = await lab.pki.issueKubeconfig(identity, '[fd90::1]:6443');
  meshKey = join(lab.folder, 'memberlist');
  mkdirSync(meshKey, { recursive: true, mode: 0o700 });
  writeFileSync(join(meshKey, 'secretkey'), 'a-key-of-this-test', { mode: 0o600 });
  await lab.router.load('no router bgp 64513\n');
  const neighbors = NODES.map((index) => nodeAddresses(index).ipv6);
  const router = { asn: 64500, routerId: '10.90.0.254', nodeAsn: 64500, neighbors, bfd: false };
  await lab.router.load(routerConfigFor(router));
  await stage.startController();
  for (const index of NODES) {
    const frr = lab.frr(`node${index}`);
    await frr.start();
    chmodSync(frr.configFolder, 0o755);
    startSpeaker(index);
  }
  for (const right of [
    'create clusterrole metrics-reader --verb=get --non-resource-url=/metrics',
    `create clusterrolebinding metrics-reader --clusterrole=metrics-reader --serviceaccount=${NAMESPACE}:speaker`,
  ])
    await lab.kubectl(right.split(' '));
});
afterAll(() => lab?.down());

/** Takes all IPv4 but 127.0.0.1 away from a node, and registers it under its full name. */
async function makeIPv6Only(index: number): Promise<void> {
  const place = `node${index}` as const;
  for (const device of ['eth0', 'lo'])
    await run(['ip', '-n', lab.netns(place), '-4', 'addr', 'flush', 'dev', device, 'scope', 'global']);
  const shown = JSON.parse(await run(['ip', '-n', lab.netns(place), '-4', '-j', 'addr'])) as {
    addr_info?: { local: string }[];
  }[];
  expect(shown.flatMap(({ addr_info = [] }) => addr_info.map(({ local }) => local))).toEqual(['127.0.0.1']);
  await lab.kubectl(['delete', 'node', place]);
  const ipv6 = nodeAddresses(index).ipv6;
  const name = nameOf(index);
  const node = nodeObject(index) as { metadata: object; status: object };
  await lab.api.create('/api/v1/nodes', {
    ...node,
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: { podCIDR: podRanges(index).ipv6, podCIDRs: [podRanges(index).ipv6] },
    status: {
      ...node.status,
      addresses: [
        { type: 'InternalIP', address: ipv6 },
        { type: 'Hostname', address: name },
      ],
    },
  });
  await lab.api.patch(`/api/v1/nodes/${name}`, { spec: { taints: null } });
}

function startSpeaker(index: number): void {
  const frr = lab.frr(`node${index}`);
  lab.spawn(`node${index}`, {
    name: `speaker-${nameOf(index)}`,
    argv: [
      process.execPath,
      join(root, 'speaker/main.ts'),
      `--kubeconfig=${kubeconfig}`,
      `--namespace=${NAMESPACE}`,
      `--node-name=${nameOf(index)}`,
      '--port=9120',
      '--frr-metrics-port=0',
      `--ml-bindaddr=${nodeAddresses(index).ipv6}`,
      '--ml-peers=nodes',
      `--ml-secret-key-path=${meshKey}`,
      `--vtysh=${frr.vtyshCommand.join(',')}`,
      `--frr-config-dir=${frr.configFolder}`,
      `--frr-run-dir=${frr.runFolder}`,
    ],
  });
}

async function apply(kind: string, name: string, spec: object): Promise<void> {
  const apiVersion = `metallb.io/${kind === 'BGPPeer' ? 'v1beta2' : 'v1beta1'}`;
  const object = { apiVersion, kind, metadata: { name, namespace: NAMESPACE }, spec };
  await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
}

interface Neighbor {
  readonly bgpState: string;
  readonly remoteRouterId: string;
  readonly connectionsDropped: number;
  readonly connectionsEstablished: number;
  readonly lastResetDueTo?: string;
}

async function neighbors(): Promise<readonly Neighbor[]> {
  const all = await lab.router.json<Record<string, Neighbor>>('show bgp neighbors json');
  return NODES.flatMap((index) => all[nodeAddresses(index).ipv6] ?? []);
}
const routerIds = async (): Promise<string[]> =>
  (await neighbors()).slice(0, 2).map((one) => one.remoteRouterId);

/** Objects of a kind of metallb.io, by the node in their labels. */
async function byNode(kind: string): Promise<Map<string, string>> {
  const argv = ['-n', NAMESPACE, 'get', `${kind}.metallb.io`, '-o', 'json'];
  const { items } = JSON.parse(await lab.kubectl(argv)) as {
    items: { metadata: { name: string; labels: Record<string, string> } }[];
  };
  return new Map(
    items.map(({ metadata: { name, labels } }) => [
      labels['metallb.io/node'] ?? labels['metallb.io/node-name'] ?? '',
      name,
    ]),
  );
}

describe('A12: IPv6-only nodes, fully qualified node names, iBGP', () => {
  it('A12 E1, E3, E4: two sessions, the route by both, and seventeen addresses', async () => {
    const values = [nameOf(1), nameOf(2)];
    await apply('BGPPeer', 'leaf-n1', {
      myASN: 64500,
      peerASN: 64500,
      peerAddress: 'fd90::254',
      connectTime: '1s',
      nodeSelectors: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values }] }],
    });
    await apply('IPAddressPool', 'ctlplane', { addresses: ['2001:db8:aaad::80-2001:db8:aaad::90'] });
    await apply('BGPAdvertisement', 'all', { ipAddressPools: ['ctlplane'] });
    await createService(lab.api, {
      name: 'api',
      nodes: [],
      annotations: { 'metallb.universe.tf/address-pool': 'ctlplane' },
      spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] },
    });
    const slice = endpointSlice({ name: 'api', nodes: NODES }, 'IPv6') as { endpoints: object[] };
    await lab.api.patch('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/api-ipv6', {
      endpoints: NODES.map((index) => ({
        ...slice.endpoints[index - 1],
        addresses: [podAddresses(index).ipv6],
        nodeName: nameOf(index),
      })),
    });
    await eventually(async () => expect(await ingressOf(lab.api, 'api')).toEqual([SERVICE]), LONG);
    await eventually(async () => {
      expect((await neighbors()).map(({ bgpState }) => bgpState === 'Established')).toEqual([
        true,
        true,
        false,
      ]);
      const { paths = [] } = await lab.router.json<{ paths?: { peer: { peerId: string } }[] }>(
        `show bgp ipv6 unicast ${SERVICE}/128 json`,
      );
      expect(paths.map(({ peer }) => peer.peerId).sort()).toEqual(
        [1, 2].map((index) => nodeAddresses(index).ipv6),
      );
    }, LONG);
    expect(await lab.frr('node3').vtysh('show running-config')).not.toContain('router bgp');
    const pool = await lab.api.get<{ status: object }>(
      `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/ipaddresspools/ctlplane`,
    );
    expect(pool.status).toMatchObject({ assignedIPv6: 1, availableIPv6: 16 });
  });

  it('A12 E2: a router id on each node, different ones, and the same after two restarts of the speaker', async () => {
    const ids = await routerIds();
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^(?!0\.0\.0\.0$)\d+\.\d+\.\d+\.\d+$/);
    const before = await neighbors();
    for (let restart = 1; restart <= 2; restart += 1) {
      for (const index of [1, 2]) await lab.daemons.find(`speaker-${nameOf(index)}`)?.stop('SIGTERM');
      for (const index of [1, 2]) startSpeaker(index);
      for (const index of [1, 2])
        await waitFor(
          `the speaker of ${nameOf(index)} to be ready`,
          async () => (await lab.at(`node${index}`).curl('http://127.0.0.1:17472/readyz')).ok,
          { deadlineMs: LONG, explain: () => lab.daemons.find(`speaker-${nameOf(index)}`)?.logTail() ?? '' },
        );
      expect(await routerIds()).toEqual(ids);
    }
    const counts = (all: readonly Neighbor[]) =>
      all.map((one) => [one.connectionsDropped, one.connectionsEstablished, one.lastResetDueTo]);
    expect(counts(await neighbors())).toEqual(counts(before));
  });

  it('A12 E5: dots in the names of nodes are in all objects, labels and metrics as they are', async () => {
    const all = NODES.map(nameOf);
    const two = all.slice(0, 2);
    await eventually(async () => {
      const states = await byNode('configurationstates');
      for (const name of all) expect(states.get(name)).toBe(`speaker-${name}`);
      expect([...(await byNode('servicebgpstatuses')).keys()].sort()).toEqual(two);
      expect([...(await byNode('bgpsessionstates')).keys()].sort()).toEqual(two);
    }, LONG);
    for (const name of all) {
      const { status } = await lab.api.get<{ status: { result: string } }>(
        `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/configurationstates/speaker-${name}`,
      );
      expect(status.result).toBe('Valid');
    }
    const token = (await lab.kubectl(['-n', NAMESPACE, 'create', 'token', 'speaker'])).trim();
    const header = ['-H', `authorization: Bearer ${token}`];
    const { stdout } = await lab.exec('node1', [
      'curl',
      '-ks',
      '--fail',
      ...header,
      'https://127.0.0.1:9120/metrics',
    ]);
    expect(stdout).toContain(`node="${nameOf(1)}"`);
  });
});
