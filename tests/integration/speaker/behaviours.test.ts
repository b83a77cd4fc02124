/** speaker-bgp.md §9.1 to §9.3 and §9.6, black box: nodes, labels and objects change, and a router, metrics and objects show it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EXCLUDE_FROM_LOAD_BALANCERS } from '#core/api/labels.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FieldLab } from '#tests/support/field-lab.ts';

const LONG = 30_000;
const ALL = [1, 2, 3];
const ONE = '198.51.100.0';
const TWO = '198.51.100.1';
let field: FieldLab;

beforeAll(async () => {
  field = await FieldLab.start('mlb-t-spkbeh', { speakers: { args: ['--port=9120'] } });
  for (const right of [
    'create clusterrole metrics-reader --verb=get --non-resource-url=/metrics',
    'create clusterrolebinding metrics-reader --clusterrole=metrics-reader --serviceaccount=metallb-system:speaker',
  ])
    await field.lab.kubectl(right.split(' '));
});
afterAll(() => field?.[Symbol.asyncDispose]());
afterEach(async () => {
  await field.remove('bgppeer', 'six', '--ignore-not-found');
  await field.reset();
});

/** A second session with the router, which watches it by BFD as well. */
const six = { myASN: 64512, peerASN: 64513, peerAddress: 'fd90::254', connectTime: '1s', bfdProfile: 'fast' };

/** A pool of BGP, and Services on its first addresses. */
async function announced(...services: readonly string[]): Promise<void> {
  await field.pool('p', ['198.51.100.0/28']);
  await field.apply('BGPAdvertisement', 'bgp', { ipAddressPools: ['p'] });
  for (const [index, name] of services.entries()) {
    await field.service(name, { spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] } });
    await field.expectAnnouncers(`198.51.100.${index}`, ALL);
  }
}

const label = (node: number, text: string) =>
  field.lab.kubectl(['label', 'node', `node${node}`, '--overwrite', text]);
const condition = (node: number, status: 'True' | 'False') =>
  field.lab.api.patch(`/api/v1/nodes/node${node}/status`, {
    status: { conditions: [{ type: 'NetworkUnavailable', status, reason: 'Test', message: 'of the test' }] },
  });
const hostname = (name: string) => ({ nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': name } }] });

describe('nodes', () => {
  it('#18 a node without network withdraws, the others go on; it comes back', async () => {
    await announced('a');
    await condition(2, 'True');
    await field.expectAnnouncers(ONE, [1, 3]);
    await condition(2, 'False');
    await field.expectAnnouncers(ONE, ALL);
  });

  it('#19 #20 a node that is excluded announces nothing, one that is cordoned everything', async () => {
    await announced('a');
    await field.lab.kubectl(['cordon', 'node3']);
    await label(1, `${EXCLUDE_FROM_LOAD_BALANCERS}=false`);
    await field.expectAnnouncers(ONE, [2, 3]);
    await field.service('b', { spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] } });
    await field.expectAnnouncers(TWO, [2, 3]);
    await label(1, `${EXCLUDE_FROM_LOAD_BALANCERS}-`);
    await field.lab.kubectl(['uncordon', 'node3']);
    await field.expectAnnouncers(ONE, ALL);
  });

  it('#27 #30 an advertisement for labelled nodes follows the labels, and no session notices', async () => {
    await announced('a');
    const before = await field.established();
    await field.apply('BGPAdvertisement', 'bgp', { nodeSelectors: [{ matchLabels: { edge: 'yes' } }] });
    await field.expectAnnouncers(ONE, []);
    await label(1, 'edge=yes');
    await field.expectAnnouncers(ONE, [1]);
    await label(3, 'edge=yes');
    await field.expectAnnouncers(ONE, [1, 3]);
    await label(1, 'edge-');
    await field.expectAnnouncers(ONE, [3]);
    await label(3, 'edge-');
    await field.expectAnnouncers(ONE, []);
    expect(await field.established()).toBe(before);
  });

  it('#57 node selectors of a peer: labels connect and disconnect', async () => {
    await field.apply('BGPPeer', 'six', { ...six, nodeSelectors: [{ matchLabels: { rack: 'a' } }] });
    const before = await field.established();
    await label(2, 'rack=a');
    await eventually(async () => expect(await field.established()).toBe(before + 1), LONG);
    await label(2, 'rack-');
    await eventually(async () => expect(await field.established()).toBe(before), LONG);
  });

  it('#140 a node that joins or leaves, or a label nobody asks for: everything stays as it is', async () => {
    await announced('a');
    await field.apply('BGPAdvertisement', 'bgp', {
      nodeSelectors: [{ matchLabels: { 'kubernetes.io/os': 'linux' } }],
    });
    await field.expectAnnouncers(ONE, ALL);
    const before = await field.settledUpdates();
    await field.lab.api.create('/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node9', labels: { 'kubernetes.io/os': 'linux' } },
    });
    await label(2, 'colour=blue');
    await field.lab.kubectl(['delete', 'node', 'node9']);
    // What comes after has been decided on: the first UPDATEs are about it.
    await field.service('b', { spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] } });
    await field.expectAnnouncers(TWO, ALL);
    expect(await field.settledUpdates()).toBe(before + ALL.length);
    await label(2, 'colour-');
  });
});

describe('pools and protocols', () => {
  it('#23 one pool for both protocols: the router has the route, and one node answers on the LAN', async () => {
    await announced('a');
    await field.apply('L2Advertisement', 'l2', { ipAddressPools: ['p'] });
    await field.responder(ONE);
    await field.expectAnnouncers(ONE, ALL);
  });

  it('#24 a pool in use is removed: its route goes, and no configuration is stale (ours)', async () => {
    await announced('a');
    await field.remove('ipaddresspool', 'p');
    await field.expectAnnouncers(ONE, []);
    await field.expectIps('a', []);
    for (const index of ALL)
      expect(await field.state(`speaker-node${index}`)).toMatchObject({ status: { result: 'Valid' } });
  });
});

describe('BGPPeer v1beta1', () => {
  it('#149 written without timers it has none (ours), and FRR uses its own', async () => {
    const { bfdProfile: _, connectTime: __, ...spec } = six;
    const metadata = { name: 'six', namespace: 'metallb-system' };
    const input = JSON.stringify({ apiVersion: 'metallb.io/v1beta1', kind: 'BGPPeer', metadata, spec });
    await field.lab.kubectl(['apply', '-f', '-'], { input });
    const frr = field.lab.frr('node1');
    await eventually(async () => {
      const [session] = Object.values(
        await frr.json<Record<string, object>>('show bgp neighbors fd90::254 json'),
      );
      expect(session).toMatchObject({ bgpTimerConfiguredHoldTimeMsecs: 180_000 });
    }, LONG);
    const get = [
      '-n',
      'metallb-system',
      'get',
      'bgppeers.v1beta2.metallb.io',
      'six',
      '-o',
      'jsonpath={.spec}',
    ];
    expect(JSON.parse(await field.lab.kubectl(get))).not.toHaveProperty('holdTime');
    expect(await frr.vtysh('show running-config')).not.toMatch(/fd90::254 timers/);
  });
});

describe('metrics and log', () => {
  async function metric(name: string, node = 1): Promise<string[]> {
    const token = (await field.lab.kubectl(['-n', 'metallb-system', 'create', 'token', 'speaker'])).trim();
    const header = ['-H', `authorization: Bearer ${token}`];
    const argv = ['curl', '-ks', '--fail', ...header, 'https://127.0.0.1:9120/metrics'];
    const { stdout } = await field.lab.exec(`node${node}`, argv);
    return stdout.split('\n').filter((line) => line.startsWith(name));
  }
  const gauge = (name: string, value: number): Promise<void> =>
    eventually(async () => expect(await metric(name)).toEqual([`${name} ${value}`]), LONG);

  it('#103 metallb_speaker_announced is 1 on each node that announces, and gone after', async () => {
    await announced('a');
    await field.apply('BGPAdvertisement', 'bgp', { ipAddressPools: ['p'], ...hostname('node2') });
    await field.expectAnnouncers(ONE, [2]);
    const announcing = (node: number) => metric('metallb_speaker_announced{', node);
    await eventually(async () => {
      const [line = ''] = await announcing(2);
      for (const part of ['service="default/a"', 'protocol="bgp"', 'node="node2"', `ip="${ONE}"`, '} 1'])
        expect(line).toContain(part);
      expect(await announcing(1)).toEqual([]);
    }, LONG);
    await field.delete('a');
    await eventually(async () => expect(await announcing(2)).toEqual([]), LONG);
  });

  it('#88 #135 stale while a profile is missing, and no longer when it is there or the old configuration is back (ours)', async () => {
    await announced('a');
    const stale = 'metallb_k8s_client_config_stale_bool';
    const peer = { myASN: 64512, peerASN: 64513, peerAddress: '10.90.0.253', bfdProfile: 'later' };
    const state = (result: string) =>
      eventually(
        async () => expect(await field.state('speaker-node1')).toMatchObject({ status: { result } }),
        LONG,
      );
    await gauge(stale, 0);
    await field.apply('BGPPeer', 'waits', peer);
    await gauge(stale, 1);
    await state('Invalid');
    await gauge('metallb_k8s_client_config_loaded_bool', 1);
    await field.expectAnnouncers(ONE, ALL);
    await field.apply('BFDProfile', 'later', {});
    await gauge(stale, 0);
    await state('Valid');
    await field.apply('BGPPeer', 'waits', { ...peer, bfdProfile: 'nowhere' });
    await gauge(stale, 1);
    await field.remove('bgppeer', 'waits');
    await gauge(stale, 0);
    await state('Valid');
    await field.remove('bfdprofile', 'later');
  });

  it('the condition Accepted (ours) is no change of what it stands on: nothing is decided, and no session notices', async () => {
    await announced('a');
    const name = 'bgpadvertisement/bgp';
    const kubectl = (...argv: readonly string[]) => field.lab.kubectl(['-n', 'metallb-system', ...argv]);
    const accepted = () => kubectl('wait', '--for=condition=Accepted', name, '--timeout=30s');
    await accepted();
    const updates = () => metric('metallb_k8s_client_updates_total');
    const before = await updates();
    expect(before).toHaveLength(1);
    for (const _ of [1, 2]) {
      await kubectl(
        'patch',
        name,
        '--subresource=status',
        '--type=merge',
        '-p',
        '{"status":{"conditions":[]}}',
      );
      await accepted();
    }
    expect(await updates()).toEqual(before);
    await field.apply('BGPAdvertisement', 'bgp', { ipAddressPools: ['p'], localPref: 7 });
    await eventually(async () => expect(await updates()).not.toEqual(before), LONG);
  });

  it('#95 after a change the log of the speaker has the words of an applied configuration', async () => {
    await announced('a');
    for (const index of ALL)
      expect(field.lab.daemons.find(`speaker-node${index}`)?.logText()).toMatch(
        /reload-validate.*success|success.*reload-validate/,
      );
  });
});

describe('ServiceBGPStatus', () => {
  interface Status {
    readonly metadata: {
      readonly name: string;
      readonly resourceVersion: string;
      readonly labels: Record<string, string>;
    };
    readonly status?: { readonly peers?: readonly string[] };
  }
  /** The objects of a Service, by node. */
  async function statuses(
    service: string,
  ): Promise<readonly (readonly [node: string, peers: readonly string[], version: string])[]> {
    const labels = `metallb.io/service-name=${service},metallb.io/service-namespace=default`;
    const argv = ['-n', 'metallb-system', 'get', 'servicebgpstatuses', '-l', labels, '-o', 'json'];
    const { items } = JSON.parse(await field.lab.kubectl(argv)) as { items: readonly Status[] };
    return items
      .map(
        ({ metadata, status }) =>
          [metadata.labels['metallb.io/node'] ?? '', status?.peers ?? [], metadata.resourceVersion] as const,
      )
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }
  const nodesOf = async (service: string) =>
    (await statuses(service)).map(([node, peers]) => `${node}: ${peers.join()}`);
  const told = (service: string, ...lines: readonly string[]) =>
    eventually(async () => expect(await nodesOf(service)).toEqual(lines), LONG);
  const onAll = (peers: string) => ALL.map((index) => `node${index}: ${peers}`);

  it('#104 #105 one for each node, with all peers; a name that no peer has changes nothing', async () => {
    await field.apply('BGPPeer', 'six', six);
    await announced('a');
    await told('a', ...onAll('router,six'));
    const before = await statuses('a');
    await field.apply('BGPAdvertisement', 'bgp', {
      ipAddressPools: ['p'],
      peers: ['router', 'six', 'dummy'],
    });
    await field.service('b', { spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] } });
    await told('b', ...onAll('router,six'));
    expect(await statuses('a')).toEqual(before);
  });

  it('#106 a peer that is removed is no longer in it; with the last one the objects go', async () => {
    await field.apply('BGPPeer', 'six', six);
    await announced('a');
    await told('a', ...onAll('router,six'));
    await field.remove('bgppeer', 'six');
    await told('a', ...onAll('router'));
    await field.apply('BGPAdvertisement', 'bgp', { ipAddressPools: ['p'], peers: ['six'] });
    await told('a');
  });

  it('#107 #108 a node that is selected no more: its object only, and none of another Service; with the Service all go', async () => {
    await announced('a', 'b');
    await field.pool('q', ['198.51.100.32/28']);
    await field.apply('BGPAdvertisement', 'other', { ipAddressPools: ['q'] });
    await field.service('c', {
      annotations: { 'metallb.io/address-pool': 'q' },
      spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] },
    });
    for (const name of ['a', 'b', 'c']) await told(name, ...onAll('router'));
    const before = await statuses('c');
    await field.apply('BGPAdvertisement', 'bgp', { ipAddressPools: ['p'], ...hostname('node2') });
    await told('a', 'node2: router');
    await told('b', 'node2: router');
    await field.delete('a');
    await told('a');
    expect(await nodesOf('b')).toEqual(['node2: router']);
    expect(await statuses('c')).toEqual(before);
  });
});
