/** The full level: real nodes, our image without Docker, FRR in a pod as docs/image.md says, nothing left behind. */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountsBelow } from '#lab/frr/root.ts';
import { nodesFolder } from '#lab/full/files.ts';
import { Lab } from '#lab/lab.ts';
import { nodeAddresses, ROUTER } from '#lab/net/plan.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { publishedImage } from '#tools/manifests/producer.ts';
import { frrPod, webPod } from '#tests/integration/full/pods.ts';

const NAME = 'mlb-it-full';
/** A route that only the FRR pod announces. */
const ROUTE = '10.99.0.77/32';

let lab: Lab;
let before: readonly string[];

/** Things of the machine that a lab might leave: namespaces of pods, shim sockets, cgroups, plugin caches. */
function traces(): readonly string[] {
  return [
    ...globSync('/run/netns/cni-*'),
    ...globSync('/run/containerd/s/*'),
    ...globSync('/sys/fs/cgroup/{,*/}k8s.io/*/'),
    ...globSync('/var/lib/cni/results/*'),
    ...globSync('/var/log/containers/*'),
  ].sort();
}

/** Processes of which an argument names a path of the lab. */
function processesOf(...folders: readonly string[]): readonly string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map((pid) => (existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : ''))
    .filter((argv) => folders.some((folder) => argv.includes(folder)));
}

async function waitPod(name: string): Promise<void> {
  interface Pod {
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }
  await waitFor(
    `pod ${name} to be ready`,
    async () => {
      const { status } = await lab.api.get<Pod>(`/api/v1/namespaces/default/pods/${name}`);
      return status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
    },
    { deadlineMs: 60_000, explain: () => lab.kubectl(['describe', 'pod', name]) },
  );
}

/** Runs a program in a container and returns what it prints. */
function exec(pod: string, container: string, argv: readonly string[], input?: string): Promise<string> {
  const interactive = input === undefined ? [] : ['-i'];
  const options = input === undefined ? {} : { input };
  return lab.kubectl(['exec', ...interactive, pod, '-c', container, '--', ...argv], options);
}

beforeAll(async () => {
  before = traces();
  lab = await Lab.up({ name: NAME, level: 'full', report: quiet });
  await lab.control.waitServiceAccount();
  await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(webPod('web', 2)) });
  await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(frrPod('frr', 3)) });
  await Promise.all([waitPod('web'), waitPod('frr')]);
});

afterAll(async () => lab?.down());

describe('nodes', () => {
  it('are registered by kubelets, Ready, with an address of each family', async () => {
    interface Node {
      readonly metadata: { readonly name: string };
      readonly status: {
        readonly addresses: readonly { readonly type: string; readonly address: string }[];
        readonly images: readonly { readonly names: readonly string[] }[];
        readonly nodeInfo: { readonly containerRuntimeVersion: string };
      };
    }
    const { items } = await lab.api.get<{ items: readonly Node[] }>('/api/v1/nodes');
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(['node1', 'node2', 'node3']);
    for (const { metadata, status } of items) {
      const own = nodeAddresses(Number(metadata.name.slice(4)));
      const internal = status.addresses.filter(({ type }) => type === 'InternalIP');
      expect(internal.map(({ address }) => address)).toEqual([own.ipv4, own.ipv6]);
      expect(status.nodeInfo.containerRuntimeVersion).toMatch(/^containerd:/);
      // Manifests under config/ name the image as a release has it, and are applied as they are.
      expect(status.images.flatMap(({ names }) => names)).toContain(publishedImage);
    }
  });
});

describe('a pod on the pod network', () => {
  it('answers a client behind the router over IPv4 and IPv6', async () => {
    interface Pod {
      readonly status: { readonly podIPs: readonly { readonly ip: string }[] };
    }
    const { status } = await lab.api.get<Pod>('/api/v1/namespaces/default/pods/web');
    expect(status.podIPs).toHaveLength(2);
    for (const { ip } of status.podIPs) {
      const host = ip.includes(':') ? `[${ip}]` : ip;
      const answer = await lab.client.curl(`http://${host}:8080/`);
      expect(answer.error).toBe('');
      expect(JSON.parse(answer.body)).toMatchObject({ server: 'node2', address: ip });
    }
  });

  it('is reached by kubectl exec, with standard input, and logs', async () => {
    expect(await exec('web', 'web', ['cat'], 'hello')).toBe('hello');
    expect(await lab.kubectl(['logs', 'web'])).toContain('listening on :: 8080');
  });

  it('reaches the API server at its Service address (kube-proxy)', async () => {
    const program = `fetch('https://10.96.0.1/version').catch((error) => console.log(error.cause.code))`;
    expect((await exec('web', 'web', ['node', '-e', program])).trim()).toBe(
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    );
  });
});

describe('the image', () => {
  it('has Node 24, koffi that loads, and vtysh of FRR 10', async () => {
    expect(await exec('frr', 'speaker', ['node', '--version'])).toMatch(/^v24\./);
    const program = `import('/app/node_modules/koffi/index.js').then(({ default: koffi }) =>
      console.log(koffi.load('libc.so.6').func('int getppid()')()))`;
    expect(await exec('frr', 'speaker', ['node', '-e', program])).toMatch(/^\d+\n$/);
    expect(await exec('frr', 'speaker', ['vtysh', '-c', 'show version'])).toContain('FRRouting 10.');
  });

  it.each(['/controller', '/speaker', '/operator'])(
    'has %s, which takes flags as they are',
    async (program) => {
      const file = '/nowhere/a b$HOME';
      const run = exec('frr', 'speaker', ['env', 'METALLB_NODE_NAME=node3', program, `--kubeconfig=${file}`]);
      await expect(run).rejects.toThrow(file);
    },
  );

  it('has the command line', async () => {
    const pool = {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'pool', namespace: 'metallb-system' },
      spec: { addresses: ['10.9.0.0/33'] },
    };
    const run = exec('frr', 'speaker', ['/metallb', 'validate', '-'], JSON.stringify(pool));
    await expect(run).rejects.toThrow('invalid CIDR "10.9.0.0/33"');
  });

  it('runs as nobody unless told', async () => {
    expect(await exec('web', 'web', ['id', '-u'])).toBe('65534\n');
  });
});

describe('container frr (docs/image.md)', () => {
  const vtysh = (container: string, ...commands: string[]) =>
    exec('frr', container, ['vtysh', ...commands.flatMap((command) => ['-c', command])]);

  /** Whether the router has the FRR pod's route, with the origin it came with. */
  async function originAtRouter(): Promise<string | undefined> {
    const entry = await lab.router.json<{ paths?: readonly { origin: string }[] }>(
      `show bgp ipv4 ${ROUTE} json`,
    );
    return entry.paths?.[0]?.origin;
  }

  it('has all daemons under watchfrr, seen from both containers', async () => {
    for (const container of ['frr', 'speaker']) {
      const running = (await vtysh(container, 'show daemons')).trim().split(/\s+/).sort();
      expect(running).toEqual(['bfdd', 'bgpd', 'mgmtd', 'staticd', 'watchfrr', 'zebra']);
    }
  });

  it('opens no TCP port on the node', async () => {
    const { stdout } = await lab.exec('node3', ['ss', '-Hltnp']);
    expect(stdout).not.toMatch(/zebra|bgpd|bfdd|staticd|mgmtd/);
    expect(stdout).toContain('kubelet');
  });

  it('takes a configuration from the speaker and peers with the router', async () => {
    const config = [
      'frr defaults traditional',
      'log stdout informational',
      'router bgp 64512',
      ' bgp router-id 10.90.0.13',
      ' no bgp ebgp-requires-policy',
      ' no bgp network import-check',
      ` neighbor ${ROUTER.ipv4} remote-as 64513`,
      ` neighbor ${ROUTER.ipv4} bfd`,
      ` neighbor ${ROUTER.ipv4} timers connect 1`,
      ' address-family ipv4 unicast',
      `  network ${ROUTE}`,
      'end',
      '',
    ].join('\n');
    const write = `require('node:fs').writeFileSync('/etc/frr/frr.conf', require('node:fs').readFileSync(0), { mode: 0o640 })`;
    await exec('frr', 'speaker', ['node', '-e', write], config);
    await exec('frr', 'speaker', ['vtysh', '-f', '/etc/frr/frr.conf']);
    await waitFor('the route at the router', async () => (await originAtRouter()) === 'IGP');
    await waitFor('BFD to be up', async () => {
      const peers = await lab.router.json<readonly { peer: string; status: string }[]>('show bfd peers json');
      return peers.find(({ peer }) => peer === nodeAddresses(3).ipv4)?.status === 'up';
    });
    expect(await vtysh('frr', 'show running-config')).toContain('log stdout');
  });

  it('brings a killed bgpd back with that configuration', async () => {
    const kill = `const fs = require('node:fs'); process.kill(Number(fs.readFileSync('/run/frr/bgpd.pid', 'utf8')), 'SIGKILL')`;
    await exec('frr', 'frr', ['node', '-e', kill]);
    await waitFor('the route to go', async () => (await originAtRouter()) === undefined, { intervalMs: 20 });
    await waitFor('the route to come back', async () => (await originAtRouter()) === 'IGP');
    await exec('frr', 'frr', ['/frr-healthy']);
  });

  it('writes what FRR logs to its own log', async () => {
    expect(await lab.kubectl(['logs', 'frr', '-c', 'frr'])).toContain('bgpd state -> up');
  });
});

describe('down', () => {
  it('leaves no process, namespace, mount, cgroup, socket or file', async () => {
    const folders = [lab.folder, nodesFolder(NAME)];
    expect(traces().length).toBeGreaterThan(before.length);
    expect(processesOf(...folders).length).toBeGreaterThan(9);
    await lab.down();
    expect(processesOf(...folders)).toEqual([]);
    expect(traces()).toEqual(before);
    expect(folders.flatMap((folder) => mountsBelow(folder))).toEqual([]);
    expect(globSync(`/run/netns/${NAME}-*`)).toEqual([]);
    expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
  });
});
