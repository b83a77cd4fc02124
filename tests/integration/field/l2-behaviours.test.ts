/** speaker-l2.md §9 on real speakers, the wire seen from a client on the LAN. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXCLUDE_FROM_LOAD_BALANCERS } from '#core/api/labels.ts';
import { podAddresses } from '#lab/net/plan.ts';
import { eventually } from '#tests/support/eventually.ts';
import { L2Field, leaderOf } from '#tests/support/l2-field.ts';

const WEB = '192.0.2.80';
const NATURAL = leaderOf(WEB);
const [OTHER = '', THIRD = ''] = ['node1', 'node2', 'node3'].filter((name) => name !== NATURAL);
const host = (name: string) => [{ matchLabels: { 'kubernetes.io/hostname': name } }];
const prefer = (name: string, weight = 100) => ({ weight, preference: host(name)[0] });
let l2: L2Field;

beforeAll(async () => {
  l2 = await L2Field.start('mlb-t-l2b');
  const { field } = l2;
  await field.stage.startWorkload();
  await field.pool('range', ['192.0.2.80-192.0.2.89', '2001:db8:0:1::80-2001:db8:0:1::89']);
  await field.pool('prefix', ['192.0.2.96/28'], { autoAssign: false });
  await l2.advertise('ad');
  await field.service('web');
  await field.expectIps('web', [WEB]);
  await l2.answers(WEB, NATURAL);
});
afterAll(() => l2?.[Symbol.asyncDispose]());

describe('an announced Service', () => {
  it('105: the card that answers is that of the node in ServiceL2Status and in the newest nodeAssigned event', async () => {
    await l2.ledBy('web', NATURAL);
    expect(await l2.newestAssigned('web')).toBe(NATURAL);
    expect(await l2.field.responders(WEB)).toEqual([NATURAL]);
    await l2.field.lab.lan.flushNeighbours();
    expect((await l2.field.lab.lan.curl(`http://${WEB}/`)).ok).toBe(true);
    expect(l2.field.cardOf((await l2.field.lab.lan.macOf(WEB)) ?? '')).toBe(NATURAL);
  });

  it('112: one status object, which stays for 5 s', async () => {
    const [first] = await l2.statuses('web');
    const until = performance.now() + 5_000;
    while (performance.now() < until) expect(await l2.statuses('web')).toEqual([first]);
  });

  it('120: with --port=0 nothing listens for metrics', async () => {
    const { stdout } = await l2.field.lab.exec('node1', ['ss', '-Hltn']);
    // The health port shows that the speaker is there and that this look finds listeners.
    expect(stdout).toContain(':17472');
    expect(stdout).not.toContain(':9120');
  });

  it('80: pools by range and by prefix', async () => {
    await l2.field.service('by-prefix', { annotations: { 'metallb.io/address-pool': 'prefix' } });
    await l2.field.expectIps('by-prefix', ['192.0.2.96']);
    await l2.answers('192.0.2.96', leaderOf('192.0.2.96'));
  });

  it('64: one node answers for both addresses of a dual-stack Service', async () => {
    await l2.field.service('dual', { spec: { ipFamilyPolicy: 'RequireDualStack' } });
    await eventually(async () => expect(await l2.field.ips('dual')).toHaveLength(2), 10_000);
    const [v4 = '', v6 = ''] = await l2.field.ips('dual');
    await l2.answers(v4, leaderOf(v4));
    await l2.answers(v6, leaderOf(v4));
  });

  it('69: deleted: nobody answers and the status object is gone', async () => {
    await l2.field.delete('by-prefix');
    await l2.field.silent('192.0.2.96');
    await eventually(async () => expect(await l2.statuses('by-prefix')).toEqual([]), 10_000);
  });
});

describe('traffic', () => {
  it('16: policy Local: whoever answers ARP, its own pod answers HTTP', async () => {
    await l2.field.service('local', { spec: { externalTrafficPolicy: 'Local' } });
    await eventually(async () => expect(await l2.field.ips('local')).toHaveLength(1), 10_000);
    const [ip = ''] = await l2.field.ips('local');
    await l2.answers(ip, leaderOf(ip));
    const servers = new Set<string>();
    await eventually(
      async () => expect((await l2.field.lab.lan.curl(`http://${ip}/`)).ok).toBe(true),
      10_000,
    );
    for (let request = 0; request < 20; request += 1) {
      const { body } = await l2.field.lab.lan.curl(`http://${ip}/`);
      servers.add((JSON.parse(body) as { server: string }).server);
    }
    expect([...servers]).toEqual([leaderOf(ip)]);
  });

  it('79: TCP and UDP of one Service', async () => {
    const { field } = l2;
    const port = (protocol: string) => ({ name: protocol.toLowerCase(), port: 80, protocol });
    await field.service('mixed', {
      spec: { ports: ['TCP', 'UDP'].map((protocol) => ({ ...port(protocol), targetPort: 8080 })) },
    });
    await eventually(async () => expect(await field.ips('mixed')).toHaveLength(1), 10_000);
    const [ip = ''] = await field.ips('mixed');
    const slice = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/mixed-ipv4';
    await field.lab.api.patch(slice, {
      ports: ['TCP', 'UDP'].map((protocol) => ({ ...port(protocol), port: 8080 })),
    });
    const echo =
      "require('node:dgram').createSocket('udp4').on('message', function (m, f) { this.send(m, f.port, f.address); }).bind(8080, process.argv[1])";
    for (const index of field.stage.nodes)
      field.lab.spawn(`node${index}`, {
        name: `udp-${index}`,
        argv: [process.execPath, '-e', echo, podAddresses(index).ipv4],
      });
    const ask =
      "const s = require('node:dgram').createSocket('udp4').on('message', (m) => { console.log(String(m)); process.exit(0); }); s.send('hello', 80, process.argv[1]); setTimeout(() => process.exit(1), 1000);";
    await eventually(async () => {
      expect((await field.lab.lan.curl(`http://${ip}/`)).ok).toBe(true);
      expect((await field.lab.exec('lan', [process.execPath, '-e', ask, ip])).stdout).toBe('hello\n');
    }, 15_000);
  });
});

describe('which node', () => {
  it('17: NetworkUnavailable moves it away, and back', async () => {
    await l2.condition(NATURAL, 'NetworkUnavailable', 'True');
    await eventually(async () => expect(await l2.field.responders(WEB)).not.toContain(NATURAL), 60_000);
    await l2.field.responder(WEB);
    await l2.condition(NATURAL, 'NetworkUnavailable', 'False');
    await l2.answers(WEB, NATURAL);
  });

  it('18: so does the exclude label', async () => {
    await l2.label(NATURAL, { [EXCLUDE_FROM_LOAD_BALANCERS]: '' });
    await eventually(async () => expect(await l2.field.responders(WEB)).not.toContain(NATURAL), 60_000);
    await l2.field.responder(WEB);
    await l2.label(NATURAL, { [EXCLUDE_FROM_LOAD_BALANCERS]: null });
    await l2.answers(WEB, NATURAL);
  });

  it('31, 37: the node that the advertisement selects, each in turn, on the named interface', async () => {
    for (const name of ['node1', 'node2', 'node3']) {
      await l2.advertise('ad', { nodeSelectors: host(name), interfaces: ['eth0'] });
      await l2.answers(WEB, name);
      await l2.ledBy('web', name);
    }
  });

  it('36: a selector that matches nobody: no answer, until a node gets the label', async () => {
    await l2.advertise('ad', { nodeSelectors: [{ matchLabels: { edge: 'yes' } }] });
    await l2.field.silent(WEB);
    await l2.label(OTHER, { edge: 'yes' });
    await l2.answers(WEB, OTHER);
    await l2.label(OTHER, { edge: null });
  });

  it('35: one advertisement for another node and one for all: the node with the endpoint', async () => {
    await l2.advertise('ad');
    await l2.advertise('other', { nodeSelectors: host(THIRD) });
    await l2.field.patch('web', { spec: { externalTrafficPolicy: 'Local' } });
    const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
    for (const family of ['ipv4', 'ipv6']) await l2.field.lab.api.delete(`${slices}/web-${family}`);
    const { ipv4 } = podAddresses(Number(OTHER.slice(4)));
    await l2.field.lab.api.create(slices, {
      metadata: { name: 'web-ipv4', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [{ addresses: [ipv4], nodeName: OTHER, conditions: { ready: true } }],
    });
    await l2.answers(WEB, OTHER);
    await l2.field.patch('web', { spec: { externalTrafficPolicy: 'Cluster' } });
    await l2.field.lab.kubectl(['-n', 'metallb-system', 'delete', 'l2advertisement', 'other']);
    await l2.answers(WEB, NATURAL);
  });

  it('40, 42: service selectors follow the labels of the Service', async () => {
    await l2.advertise('ad', {
      ipAddressPools: ['range'],
      serviceSelectors: [{ matchLabels: { app: 'nginx' } }],
    });
    await l2.field.silent(WEB);
    await eventually(async () => expect(await l2.statuses('web')).toEqual([]), 30_000);
    await l2.field.patch('web', { metadata: { labels: { app: 'nginx' } } });
    await l2.answers(WEB, NATURAL);
    await l2.field.patch('web', { metadata: { labels: { app: 'other' } } });
    await l2.field.silent(WEB);
    await l2.advertise('ad');
    await l2.answers(WEB, NATURAL);
  });
});

describe('preferred nodes', () => {
  afterAll(async () => {
    await l2.advertise('ad', { preferredNodeSelectors: [] });
    await l2.answers(WEB, NATURAL);
  });

  it('48, 51: the announcement follows the preference, and its edits', async () => {
    for (const name of [OTHER, THIRD]) {
      await l2.advertise('ad', { preferredNodeSelectors: [prefer(name)] });
      await l2.answers(WEB, name);
    }
    await l2.advertise('ad', { preferredNodeSelectors: [] });
    await l2.answers(WEB, NATURAL);
  });

  it('50, 52, 53: exclusion, node selectors, and sums of two advertisements', async () => {
    await l2.advertise('ad', { preferredNodeSelectors: [prefer(OTHER, 60)] });
    await l2.advertise('more', { preferredNodeSelectors: [prefer(THIRD, 60), prefer(OTHER, 50)] });
    await l2.answers(WEB, OTHER);
    await l2.label(OTHER, { [EXCLUDE_FROM_LOAD_BALANCERS]: '' });
    await l2.answers(WEB, THIRD);
    await l2.label(OTHER, { [EXCLUDE_FROM_LOAD_BALANCERS]: null });
    await l2.answers(WEB, OTHER);
    await l2.advertise('ad', { preferredNodeSelectors: [] });
    await l2.answers(WEB, THIRD);
    await l2.advertise('more', { nodeSelectors: host(NATURAL), preferredNodeSelectors: [prefer(THIRD)] });
    await l2.answers(WEB, NATURAL);
    await l2.field.lab.kubectl(['-n', 'metallb-system', 'delete', 'l2advertisement', 'more']);
  });

  it('54: one with service selectors moves matching Services only', async () => {
    await l2.field.service('labelled', { labels: { app: 'foo' } });
    await eventually(async () => expect(await l2.field.ips('labelled')).toHaveLength(1), 10_000);
    const [ip = ''] = await l2.field.ips('labelled');
    const away = ['node1', 'node2', 'node3'].find((name) => name !== leaderOf(ip) && name !== NATURAL) ?? '';
    const serviceSelectors = [{ matchLabels: { app: 'foo' } }];
    await l2.advertise('scoped', { serviceSelectors, preferredNodeSelectors: [prefer(away)] });
    await l2.answers(ip, away);
    expect(await l2.field.responders(WEB)).toEqual([NATURAL]);
    await l2.field.lab.kubectl(['-n', 'metallb-system', 'delete', 'l2advertisement', 'scoped']);
  });
});

describe('a speaker that cannot run', () => {
  it('62, 121: another one takes over, says so, and gives the address back', async () => {
    const { lab, stage } = l2.field;
    const log = () => lab.daemons.find(`speaker-${OTHER}`)?.logText() ?? '';
    const count = () => log().split('node event - forcing sync').length;
    const before = count();
    await lab.daemons.find(`speaker-${NATURAL}`)?.stop('SIGTERM');
    await eventually(async () => expect(await l2.field.responders(WEB)).not.toContain(NATURAL), 30_000);
    const next = await l2.field.responder(WEB);
    await l2.ledBy('web', next, 120_000);
    expect(count()).toBeGreaterThan(before);
    await stage.startSpeaker(Number(NATURAL.slice(4)));
    await l2.answers(WEB, NATURAL);
    await l2.ledBy('web', NATURAL);
  });
});
