/** bgpBackend frr-k8s-external with a real frr-k8s: real API server, speakers, daemons, webhook, FRR and router. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NeighborSpec } from '#core/frrk8s/configuration.ts';
import { configurationLabels } from '#core/frrk8s/object.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import { nodeAddresses, ROUTER } from '#lab/net/plan.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FRRK8S, FrrK8sLab, frrConfiguration } from '#tests/support/frrk8s-lab.ts';

const LONG = 60_000;
const SERVICE = '198.51.100.1/32';
const SECRET = 'Zk3-in-a-secret';
const BOTH = [1, 2].map((index) => nodeAddresses(index).ipv4);

let k8s: FrrK8sLab;

beforeAll(async () => {
  k8s = await FrrK8sLab.up('mlb-t-frrk8s', 2);
  await k8s.startAll();
}, 300_000);
afterAll(() => k8s?.[Symbol.asyncDispose]());

async function neighbors(index: number): Promise<readonly NeighborSpec[]> {
  return (await k8s.configuration(index)).spec.bgp.routers.flatMap((router) => router.neighbors);
}

const addresses = async (index: number) => (await neighbors(index)).map(({ address }) => address);

/** The router's view of its session with a node. */
async function session(
  address: string,
): Promise<{ bgpState: string; remoteAs: number; connectionsEstablished: number }> {
  const found = await k8s.lab.router.json<Record<string, never>>(`show bgp neighbors ${address} json`);
  return found[address] ?? { bgpState: 'none', remoteAs: 0, connectionsEstablished: 0 };
}
const established = (address: string, within = LONG) =>
  eventually(async () => expect((await session(address)).bgpState).toBe('Established'), within);

const events = (kind: string, name: string): Promise<string> =>
  k8s.lab.kubectl([
    '-n',
    NAMESPACE,
    'get',
    'events',
    '--field-selector',
    `involvedObject.kind=${kind},involvedObject.name=${name}`,
    '-o',
    'custom-columns=R:.reason,M:.message',
    '--no-headers',
  ]);

async function state(node: string): Promise<string> {
  const [found] = (await k8s.list('configurationstates', NAMESPACE)).filter(
    ({ metadata }) => metadata.name === `speaker-${node}`,
  );
  return found?.status['errorSummary'] ?? '';
}

const speakerLog = (index: number): string =>
  readFileSync(join(k8s.lab.folder, 'logs', `speaker-node${index}.log`), 'utf8');

describe('a speaker whose BGP is done by frr-k8s', () => {
  it('#110 one FRRConfiguration per node, named and labelled after it; the router has a path by each node', async () => {
    const names = (await k8s.list('frrconfigurations')).map(({ metadata }) => [
      metadata.name,
      metadata.labels,
    ]);
    expect(names).toEqual(
      [1, 2].map((i) => [`metallb-node${i}`, configurationLabels(`node${i}`, NAMESPACE)]),
    );
    expect(await k8s.paths(SERVICE)).toEqual(BOTH);
  });

  it('announces and withdraws in well under the original’s three seconds plus, and writes nothing in steady state', async () => {
    await k8s.stage.createService('second');
    await eventually(async () => expect(await k8s.paths('198.51.100.2/32')).toHaveLength(2), LONG);
    const versions = async () =>
      (await k8s.list('frrconfigurations')).map(({ metadata }) => metadata.resourceVersion);
    const before = await versions();
    await k8s.lab.api.delete('/api/v1/namespaces/default/services/second');
    await eventually(async () => expect(await k8s.paths('198.51.100.2/32')).toEqual([]), LONG);
    const after = await versions();
    expect(after).not.toEqual(before);
    // Things that change, and concern no router.
    await k8s.lab.kubectl(['label', 'node', 'node1', 'note=1', '--overwrite']);
    await k8s.lab.kubectl(['-n', NAMESPACE, 'create', 'configmap', 'unrelated']);
    await k8s.stage.createService('third', { ready: false });
    await eventually(async () => {
      const { status } = await k8s.lab.api.get<{ status: { loadBalancer: object } }>(
        '/api/v1/namespaces/default/services/third',
      );
      expect(status.loadBalancer).not.toEqual({});
    }, LONG);
    expect(await versions()).toEqual(after);
    await k8s.lab.api.delete('/api/v1/namespaces/default/services/third');
  });

  it('W29: sourceAddress and localASN reach FRR, and the router sees that AS', async () => {
    const six = nodeAddresses(1).ipv6;
    await k8s.lab.router.load(`router bgp 64513\n neighbor ${six} remote-as external\n`);
    await k8s.applyPeer('router-ipv6', {
      peerAddress: ROUTER.ipv6,
      localASN: 65_099,
      sourceAddress: six,
      nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'node1' } }],
    });
    await eventually(async () => expect((await session(six)).remoteAs).toBe(65_099), LONG);
    await established(six);
    expect(k8s.rendered(1)).toContain(`neighbor ${ROUTER.ipv6} update-source ${six}`);
    expect(await addresses(2)).toEqual([ROUTER.ipv4]);
  });

  it('#127 localASN in our own AS: that peer is left out and told, the others stay', async () => {
    await k8s.applyPeer('inside', { peerAddress: '10.90.0.98', peerASN: 64_512, localASN: 65_099 });
    await eventually(async () => expect(await events('BGPPeer', 'inside')).toMatch(/localASN/), LONG);
    expect(await addresses(1)).toEqual([ROUTER.ipv4, ROUTER.ipv6]);
    const direct = frrConfiguration('inside', {
      bgp: {
        routers: [{ asn: 64_512, neighbors: [{ address: '10.90.0.98', asn: 64_512, localASN: 65_099 }] }],
      },
    });
    expect((await k8s.tryApply(direct)).stderr).toContain('localASN is not supported for iBGP');
    await k8s.lab.kubectl(['-n', NAMESPACE, 'delete', 'bgppeer', 'inside']);
  });

  it('#124 follows the host name label of the Node', async () => {
    await k8s.lab.kubectl(['label', 'node', 'node2', 'kubernetes.io/hostname=host-two', '--overwrite']);
    await eventually(async () => {
      const { spec } = await k8s.configuration(2);
      expect(spec.nodeSelector).toEqual({ matchLabels: { 'kubernetes.io/hostname': 'host-two' } });
    }, LONG);
    await eventually(async () => expect(await k8s.paths(SERVICE)).toEqual(BOTH), LONG);
    await k8s.lab.kubectl(['label', 'node', 'node2', 'kubernetes.io/hostname=node2', '--overwrite']);
    await eventually(async () => expect(await k8s.paths(SERVICE)).toEqual(BOTH), LONG);
  });
});

describe('passwords', () => {
  it('#112 in clear in another namespace, and nowhere else that anybody prints', async () => {
    const metadata = { name: 'bgp', namespace: NAMESPACE };
    const stringData = { password: SECRET };
    await k8s.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/basic-auth',
      metadata,
      stringData,
    });
    await k8s.lab.router.load(
      BOTH.map((ip) => `router bgp 64513\n neighbor ${ip} password ${SECRET}\n`).join(''),
    );
    await k8s.applyPeer('router', { peerAddress: ROUTER.ipv4, passwordSecret: { name: 'bgp' } });
    for (const ip of BOTH) await established(ip);
    await eventually(async () => expect(await k8s.paths(SERVICE)).toEqual(BOTH), LONG);
    const [first] = await neighbors(1);
    expect(first?.password).toBe(SECRET);
    expect(first).not.toHaveProperty('passwordSecret');
    expect(speakerLog(1)).toContain('are readable in the FRRConfigurations');
    expect(speakerLog(1)).not.toContain(SECRET);
  });
});

describe('what keeps nothing else from working', () => {
  it('#118 W34: an object that contradicts one of our peers: that peer is left out, all others go on', async () => {
    const six = { address: ROUTER.ipv6, asn: 64_513, port: 1179 };
    const nodeSelector = { matchLabels: { 'kubernetes.io/hostname': 'node1' } };
    const contradiction = (name: string) =>
      frrConfiguration(name, { nodeSelector, bgp: { routers: [{ asn: 64_512, neighbors: [six] }] } });
    await k8s.withoutWebhook(contradiction('contradicts'));
    // The API server asks the webhook again when it has seen that it is back.
    await eventually(async () => {
      expect((await k8s.tryApply(contradiction('again'))).stderr).toContain('denied the request');
    }, LONG);
    await k8s.remove('again');
    await k8s.stage.createService('fourth');
    await eventually(async () => expect(await addresses(1)).toEqual([ROUTER.ipv4]), LONG);
    await eventually(async () => expect(await k8s.paths('198.51.100.2/32')).toEqual(BOTH), LONG);
    expect(await events('BGPPeer', 'router-ipv6')).toMatch(/left out: .*denied the request.*multiple ports/s);
    await k8s.remove('contradicts');
    await eventually(async () => expect(await addresses(1)).toEqual([ROUTER.ipv4, ROUTER.ipv6]), LONG);
    await k8s.lab.api.delete('/api/v1/namespaces/default/services/fourth');
  });

  it('#137 bgpextras are told on the ConfigMap (ours) and in ConfigurationState; new Services and peers are taken over', async () => {
    const metadata = { name: 'bgpextras', namespace: NAMESPACE };
    await k8s.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { extras: 'ip prefix-list x permit any' },
    });
    await eventually(
      async () => expect(await state('node1')).toMatch(/extra info not supported in frr-k8s mode/),
      LONG,
    );
    expect(await events('ConfigMap', 'bgpextras')).toMatch(/extra info not supported/);
    await k8s.applyPeer('another', { peerAddress: '10.90.0.97', bfdProfile: '' });
    await k8s.stage.createService('fifth');
    await eventually(async () => expect(await k8s.paths('198.51.100.2/32')).toEqual(BOTH), LONG);
    expect(await addresses(1)).toContain('10.90.0.97');
    await k8s.lab.kubectl(['-n', NAMESPACE, 'delete', 'configmap/bgpextras', 'bgppeer/another']);
    await k8s.lab.api.delete('/api/v1/namespaces/default/services/fifth');
    await eventually(async () => expect(await state('node1')).toBe(''), LONG);
  });

  it('an attribute without a field is told on its BGPAdvertisement, and the route is announced', async () => {
    await k8s.applyOurs('BGPAdvertisement', 'bgp', { ipAddressPools: ['bgp'], med: 50 });
    await eventually(
      async () => expect(await events('BGPAdvertisement', 'bgp')).toMatch(/med has no effect/),
      LONG,
    );
    expect(await k8s.paths(SERVICE)).toEqual(BOTH);
    await k8s.applyOurs('BGPAdvertisement', 'bgp', { ipAddressPools: ['bgp'] });
  });
});

describe('coming and going', () => {
  it('#130 a daemon that is started again: the session does not notice', async () => {
    const [ip = ''] = BOTH;
    const { connectionsEstablished } = await session(ip);
    await k8s.stopDaemon(1);
    await k8s.startDaemon(1);
    await k8s.stage.createService('sixth');
    await eventually(async () => expect(await k8s.paths('198.51.100.2/32')).toEqual(BOTH), LONG);
    expect((await session(ip)).connectionsEstablished).toBe(connectionsEstablished);
    await k8s.lab.api.delete('/api/v1/namespaces/default/services/sixth');
  });

  it('#147 without peers the object is empty; a speaker that starts so deletes it; #148 then FRR is empty', async () => {
    await k8s.lab.kubectl(['-n', NAMESPACE, 'delete', 'bgppeers', '--all']);
    await k8s.lab.kubectl(['-n', NAMESPACE, 'delete', 'bfdprofiles', '--all']);
    await eventually(async () => {
      expect((await k8s.configuration(1)).spec.bgp).toEqual({ bfdProfiles: [], routers: [] });
    }, LONG);
    await eventually(async () => expect(await k8s.paths(SERVICE)).toEqual([]), LONG);
    for (const index of [1, 2]) {
      await k8s.lab.daemons.find(`speaker-node${index}`)?.stop('SIGTERM');
      await k8s.stage.startSpeaker(index);
    }
    await eventually(async () => expect(await k8s.list('frrconfigurations')).toEqual([]), LONG);
    await eventually(async () => expect(await k8s.running(1)).not.toContain('router bgp'), LONG);
  });

  it('#111 #112 with passthrough the reference goes along, and the Secret is frr-k8s’ to find', async () => {
    const passing = k8s.stageWith(['--frrk8s-secret-passthrough']);
    await k8s.lab.daemons.find('speaker-node1')?.stop('SIGTERM');
    await passing.startSpeaker(1);
    await k8s.lab.kubectl(['-n', NAMESPACE, 'delete', 'secret', 'bgp']);
    // The router watches its sessions by BFD.
    await k8s.applyOurs('BFDProfile', 'fast', {});
    await k8s.applyPeer('router', { peerAddress: ROUTER.ipv4, passwordSecret: { name: 'bgp' } });
    await eventually(async () => {
      const [first] = await neighbors(1);
      expect(first).toMatchObject({ passwordSecret: { name: 'bgp' } });
      expect(first).not.toHaveProperty('password');
    }, LONG);
    const metadata = { name: 'bgp', namespace: FRRK8S };
    const stringData = { password: SECRET };
    await k8s.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/basic-auth',
      metadata,
      stringData,
    });
    await established(BOTH[0] ?? '');
  });
});
