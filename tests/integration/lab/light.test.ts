/** The light level as its users see it: cluster, data path, router, clients, and its own end. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { remainsOf } from '#tests/integration/lab/remains.ts';
import { Lab } from '#lab/lab.ts';
import { nodeAddresses } from '#lab/net/plan.ts';
import { run, tryRun } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { createService, ingressOf, setEndpoints, setIngress } from '#lab/workload/service.ts';

const NAME = 'mlb-t-light';
const VIP = { ipv4: '192.0.2.10', ipv6: '2001:db8::10' };
let lab: Lab;

beforeAll(async () => {
  lab = await Lab.up({ name: NAME, level: 'light', nodes: 2, report: quiet });
});
afterAll(async () => {
  await lab?.down();
});

async function answer(url: string, server: string): Promise<string> {
  return waitFor(
    `${server} to answer at ${url}`,
    async () => {
      const got = await lab.client.curl(url);
      if (!got.ok) throw new Error(got.error);
      return got.body.includes(`"server":"${server}"`) ? got.body : undefined;
    },
    { deadlineMs: 20_000 },
  );
}

describe('the cluster', () => {
  test('has Ready nodes with both addresses, and no taints', async () => {
    const nodes = JSON.parse(await lab.kubectl(['get', 'nodes', '-o', 'json'])) as {
      items: { metadata: { name: string }; spec: { taints?: unknown }; status: { addresses: unknown[] } }[];
    };
    expect(nodes.items.map((node) => node.metadata.name)).toEqual(['node1', 'node2']);
    for (const [at, node] of nodes.items.entries()) {
      expect(node.spec.taints).toBeUndefined();
      expect(node.status.addresses).toContainEqual({
        type: 'InternalIP',
        address: nodeAddresses(at + 1).ipv6,
      });
    }
  });

  test('is reached from the machine through a loopback port, with its own authority', async () => {
    const kubeconfig = await lab.hostKubeconfig();
    const got = await tryRun([`${lab.bin}/kubectl`, `--kubeconfig=${kubeconfig}`, 'get', '--raw', '/livez']);
    expect(got).toMatchObject({ code: 0, stdout: 'ok' });
  });

  test('lets a client certificate be issued for a user without rights', async () => {
    const kubeconfig = await lab.issueKubeconfig('lab-nobody');
    const argv = [`${lab.bin}/kubectl`, `--kubeconfig=${kubeconfig}`, 'get', 'nodes'];
    const got = await lab.exec('node1', argv);
    expect(got.stderr).toContain('User "lab-nobody" cannot list resource "nodes"');
  });

  test('comes back after the API server was killed, without its history when etcd was compacted', async () => {
    const before = await lab.api.get<{ metadata: { resourceVersion: string } }>('/api/v1/namespaces');
    await lab.api.create('/api/v1/namespaces', { metadata: { name: 'later' } });
    await lab.control.compactEtcd();
    await lab.control.stop('kube-apiserver');
    await expect(lab.api.get('/api/v1/nodes/node1')).rejects.toThrow();
    lab.control.start('kube-apiserver');
    await lab.control.waitReady();
    expect(await lab.api.get('/api/v1/nodes/node1')).toMatchObject({ kind: 'Node' });
    const since = `resourceVersion=${before.metadata.resourceVersion}&timeoutSeconds=5`;
    const watch = await lab.api.send('GET', `/api/v1/namespaces?watch=1&${since}`);
    expect(watch.text).toContain('"code":410');
  });
});

describe('the data path', () => {
  test('a Service answers the client behind the router over IPv4 and IPv6', async () => {
    await Promise.all([lab.startWeb(1), lab.startWeb(2)]);
    lab.startProxy(1);
    await createService(lab.api, { name: 'web', nodes: [2] });
    await setIngress(lab.api, { name: 'web' }, [VIP.ipv4, VIP.ipv6]);
    expect(await ingressOf(lab.api, 'web')).toEqual([VIP.ipv4, VIP.ipv6]);
    const node = nodeAddresses(1);
    const routes = [`ip route ${VIP.ipv4}/32 ${node.ipv4}`, `ipv6 route ${VIP.ipv6}/128 ${node.ipv6}`];
    await lab.router.vtysh('configure terminal', ...routes);
    await answer(`http://${VIP.ipv4}/`, 'node2');
    await answer(`http://[${VIP.ipv6}]/`, 'node2');
    await setEndpoints(lab.api, { name: 'web', nodes: [1] });
    await answer(`http://${VIP.ipv4}/`, 'node1');
    await answer(`http://[${VIP.ipv6}]/`, 'node1');
  });

  test('a node that is cut off answers again when it is healed', async () => {
    await lab.cutNode(1);
    expect(await lab.client.curl(`http://${VIP.ipv4}/`, { maxTimeMs: 500 })).toMatchObject({ ok: false });
    await lab.healNode(1);
    await answer(`http://${VIP.ipv4}/`, 'node1');
  });

  test('ARP and NDP are seen from the segment', async () => {
    await using packets = await lab.lan.capture('arp or icmp6');
    await lab.lan.curl(`http://${nodeAddresses(2).ipv4}/`, { maxTimeMs: 1000 });
    await lab.lan.curl(`http://[${nodeAddresses(2).ipv6}]/`, { maxTimeMs: 1000 });
    const mac = await lab.at('node2').ownMac();
    await packets.waitForLine(new RegExp(`Reply ${nodeAddresses(2).ipv4} is-at ${mac}`));
    await packets.waitForLine(new RegExp(`neighbor advertisement.*${nodeAddresses(2).ipv6}`));
    expect(await lab.lan.macOf(nodeAddresses(2).ipv4)).toBe(mac);
    expect(await lab.lan.macOf(nodeAddresses(2).ipv6)).toBe(mac);
  });
});

describe('FRR', () => {
  const config = [
    'router bgp 64512',
    ' bgp router-id 10.90.0.11',
    ' no bgp ebgp-requires-policy',
    ' no bgp network import-check',
    ' neighbor 10.90.0.254 remote-as 64513',
    ' neighbor 10.90.0.254 bfd',
    ' address-family ipv4 unicast',
    '  network 198.51.100.1/32',
    'exit',
    '',
  ].join('\n');

  async function kernelHasRoute(): Promise<boolean> {
    const routes = await lab.at('router').routes();
    return routes.some((route) => route['dst'] === '198.51.100.1');
  }

  test("a node's route reaches the router's kernel, BFD is up, and a crash takes it away", async () => {
    const node = lab.frr('node1');
    await node.start(config);
    await waitFor('the route', kernelHasRoute);
    await waitFor('BFD', async () => {
      const peers = await lab.router.json<{ peer: string; status: string }[]>('show bfd peers json');
      return peers.some(({ peer, status }) => peer === '10.90.0.11' && status === 'up');
    });
    await node.daemon('bgpd')?.stop();
    await waitFor('the route to go', async () => !(await kernelHasRoute()));
    await node.stop();
  });

  test('takes the named namespaces, and no others, for VRFs', async () => {
    const netns = `${NAME}-red`;
    await run(['ip', 'netns', 'add', netns]);
    try {
      const node = lab.frr('node2', { name: 'with-vrf', vrfs: { red: netns } });
      await node.start('router bgp 64520 vrf red\n bgp router-id 10.92.0.1\nexit\n');
      expect((await node.vtysh('show vrf')).match(/^vrf .*/gm)).toEqual([
        expect.stringMatching(/^vrf red id \d+ netns \S*\/red$/),
      ]);
      expect(await node.json('show bgp vrfs json')).toMatchObject({
        vrfs: { red: { routerId: '10.92.0.1' } },
      });
      await node.stop();
    } finally {
      await run(['ip', 'netns', 'delete', netns]);
    }
  });

  test('a configuration that FRR refuses is an error with its words', async () => {
    await expect(lab.router.load('router bgp 64513\n neighbor nonsense remote-as x\nexit\n')).rejects.toThrow(
      /nonsense|Unknown command|Malformed/i,
    );
  });
});

describe('the end', () => {
  test('a second lab of the same name is refused, with a way out', async () => {
    await expect(Lab.up({ name: NAME, level: 'light', report: quiet })).rejects.toThrow(
      `a lab "${NAME}" is up already: end it with "npm run lab -- down --name ${NAME}"`,
    );
    expect(lab.daemons.find('etcd')?.alive).toBe(true);
  });

  test('down leaves nothing', async () => {
    await lab.exec('node2', ['sh', '-c', 'setsid sleep 1000 > /dev/null 2>&1 &']);
    expect(remainsOf(NAME).length).toBeGreaterThan(10);
    await lab.down();
    expect(remainsOf(NAME)).toEqual([]);
  });
});
