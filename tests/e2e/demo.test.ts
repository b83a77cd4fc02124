import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bfdUp, pathsOf } from '#lab/demo/router-view.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import type { StepResult } from '#lab/demo/story.ts';
import { Lab } from '#lab/lab.ts';
import { waitFor } from '#lab/process/wait.ts';
import { ingressOf } from '#lab/workload/service.ts';
import { killIn, pidsIn } from '#tests/support/lab-processes.ts';

/**
 * The demo at the full level, run as a user runs it; then everything that may die is killed on the same lab, and
 * bad input is given to it. One lab serves all of this file.
 */
const NAME = 'mlb-e2e';
const folder = mkdtempSync(join(tmpdir(), 'metallb-e2e-'));
const file = join(folder, 'story.json');

interface Saved {
  readonly level: string;
  readonly ok: boolean;
  readonly steps: readonly StepResult[];
}

let lab: Lab;
let story: Saved;
let output = '';

function demo(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['lab/demo/main.ts', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (part: Buffer) => (output += part.toString()));
    child.stderr.on('data', (part: Buffer) => (output += part.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

beforeAll(async () => {
  const code = await demo(['--full', '--name', NAME, '--json', file]);
  if (code !== 0) throw new Error(`the demo failed:\n${output}`);
  story = JSON.parse(readFileSync(file, 'utf8')) as Saved;
  lab = Lab.attach(NAME);
});

afterAll(async () => {
  await lab?.down();
  rmSync(folder, { recursive: true });
});

async function allPaths(name = 'web-bgp'): Promise<void> {
  const [ipv4 = '', ipv6 = ''] = await ingressOf(lab.api, name);
  const explain = async (): Promise<string> =>
    `${await lab.router.vtysh('show bgp summary')}\n${await lab.kubectl(['get', 'pods', '-n', NAMESPACE])}`;
  for (const address of [ipv4, ipv6])
    await waitFor(`three paths to ${address}`, async () => (await pathsOf(lab, address)) === 3, {
      deadlineMs: 90_000,
      explain,
    });
}

async function answers(address: string): Promise<boolean> {
  return (await lab.lan.curl(`http://${address}/`, { maxTimeMs: 1500 })).ok;
}

describe('the demo at the full level', () => {
  it('tells every step with its evidence, and every step worked', () => {
    expect(story).toMatchObject({ level: 'full', ok: true });
    expect(story.steps.filter((step) => !step.ok)).toEqual([]);
    expect(story.steps.map((step) => step.name)).toEqual([
      'The lab',
      'Operator',
      'MetalLB',
      'Configuration',
      'Services and their addresses',
      'Routes at the router',
      'Traffic',
      'Fail-over on the LAN',
      'A Service added while the clock runs',
      'What kubectl shows',
    ]);
  });

  it('prints the commands to look around, and stays up', async () => {
    expect(output).toContain('npm run lab -- kubectl');
    expect(output).toContain(`npm run lab -- down --name ${NAME}`);
    expect(await lab.kubectl(['get', 'nodes', '--no-headers'])).toMatch(/node1 .*Ready/);
  });

  it('kubectl shows useful columns of peers, pools and the MetalLB object', async () => {
    const table = await lab.kubectl(['get', 'bgppeers,ipaddresspools,metallbs', '-A']);
    expect(table).toMatch(/NAME +ADDRESS +ASN +BFD PROFILE +MULTI HOPS/);
    expect(table).toMatch(/bgppeer.metallb.io\/router +10\.90\.0\.254 +64513 +fast/);
    expect(table).toMatch(/NAME +AUTO ASSIGN +AVOID BUGGY IPS +ADDRESSES/);
    expect(table).toMatch(/NAME +AVAILABLE +DEGRADED +PROGRESSING +AGE/);
    expect(table).toMatch(/metallb.metallb.io\/metallb +True +False +False/);
  });
});

describe('what may die', () => {
  // The demo has just given a node its cable back.
  beforeAll(() => allPaths());

  it('the API server: everything announced stays, and the work goes on when it is back', async () => {
    const before = await ingressOf(lab.api, 'web-bgp');
    const [lan = ''] = await ingressOf(lab.api, 'web-lan');
    await lab.control.stop('kube-apiserver', 'SIGKILL');
    for (const address of before) expect(await pathsOf(lab, address)).toBe(3);
    expect(await answers(lan)).toBe(true);
    lab.control.start('kube-apiserver');
    await lab.control.waitReady();
    expect(await ingressOf(lab.api, 'web-bgp')).toEqual(before);
    await lab
      .kubectl([
        'expose',
        'daemonset',
        'web',
        '--name=web-after',
        '--port=80',
        '--target-port=8080',
        '--type=LoadBalancer',
      ])
      .catch(async () => {
        await lab.kubectl(['create', 'service', 'loadbalancer', 'web-after', '--tcp=80:8080']);
        await lab.kubectl(['patch', 'service', 'web-after', '-p', '{"spec":{"selector":{"app":"web"}}}']);
      });
    const [address = ''] = await waitFor(
      'an address after the API server came back',
      async () => {
        const found = await ingressOf(lab.api, 'web-after');
        return found.length > 0 && found;
      },
      { deadlineMs: 90_000 },
    );
    await waitFor(`three paths to ${address}`, async () => (await pathsOf(lab, address)) === 3, {
      deadlineMs: 90_000,
    });
  });

  it('a speaker: the kubelet starts it again, no route is lost meanwhile, and all is announced again', async () => {
    const [ipv4 = ''] = await ingressOf(lab.api, 'web-bgp');
    const netns = lab.netns('node1');
    const killed = pidsIn(netns, '/app/speaker/main.mjs');
    expect(killIn(netns, '/app/speaker/main.mjs')).toBeGreaterThan(0);
    expect(await pathsOf(lab, ipv4)).toBe(3);
    await waitFor(
      'a new speaker process',
      () => pidsIn(netns, '/app/speaker/main.mjs').some((pid) => !killed.includes(pid)),
      { deadlineMs: 90_000 },
    );
    await allPaths();
    const [lan = ''] = await ingressOf(lab.api, 'web-lan');
    await waitFor('an answer on the LAN', () => answers(lan), { deadlineMs: 30_000 });
  });

  it('bgpd: it is started again with its configuration, and BFD is up again', async () => {
    const netns = lab.netns('node2');
    const killed = pidsIn(netns, '/usr/lib/frr/bgpd');
    expect(killIn(netns, '/usr/lib/frr/bgpd')).toBeGreaterThan(0);
    await waitFor('a new bgpd', () =>
      pidsIn(netns, '/usr/lib/frr/bgpd').some((pid) => !killed.includes(pid)),
    );
    await allPaths();
    await waitFor('BFD up on every session', async () => (await bfdUp(lab)) === 6, { deadlineMs: 60_000 });
  });

  it('the controller: addresses stay, and a new Service gets one from its successor', async () => {
    const before = await ingressOf(lab.api, 'web-bgp');
    await lab.kubectl([
      'delete',
      'pod',
      '-n',
      NAMESPACE,
      '-l',
      'component=controller',
      '--force',
      '--grace-period=0',
    ]);
    await lab.kubectl(['create', 'service', 'loadbalancer', 'web-later', '--tcp=80:8080']);
    await waitFor(
      'an address from the new controller',
      async () => (await ingressOf(lab.api, 'web-later')).length > 0,
      { deadlineMs: 90_000 },
    );
    expect(await ingressOf(lab.api, 'web-bgp')).toEqual(before);
    await allPaths();
  });

  it('the operator: what somebody deletes meanwhile is put back by its successor', async () => {
    await lab.kubectl([
      'delete',
      'pod',
      '-n',
      NAMESPACE,
      '-l',
      'control-plane=controller-manager',
      '--force',
      '--grace-period=0',
    ]);
    await lab.kubectl(['delete', 'configmap', '-n', NAMESPACE, 'metallb-excludel2']);
    await waitFor(
      'the ConfigMap to be back',
      async () => {
        const text = await lab.kubectl([
          'get',
          'configmap',
          '-n',
          NAMESPACE,
          'metallb-excludel2',
          '--no-headers',
        ]);
        return text.includes('metallb-excludel2');
      },
      { deadlineMs: 90_000 },
    );
  });
});

describe('bad input', () => {
  const bad = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: broken, namespace: ${NAMESPACE}}
spec: {addresses: [192.0.2.10-192.0.2.1]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: nowhere, namespace: ${NAMESPACE}}
spec: {ipAddressPools: [no-such-pool]}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: self, namespace: ${NAMESPACE}}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.90.0.253, localASN: 64512}
`;

  it('takes out only itself; events name the object, the field and the remedy', async () => {
    await lab.kubectl(['apply', '-f', '-'], { input: bad });
    const events = await waitFor(
      'events on the pool, the advertisement and the peer',
      async () => {
        const text = await lab.kubectl([
          'get',
          'events',
          '-n',
          NAMESPACE,
          '--field-selector=type=Warning',
          '-o',
          'wide',
        ]);
        return (
          ['ipaddresspool/broken', 'bgpadvertisement/nowhere', 'bgppeer/self'].every((name) =>
            text.includes(name),
          ) && text
        );
      },
      { deadlineMs: 60_000, explain: () => lab.kubectl(['get', 'events', '-n', NAMESPACE]) },
    );
    expect(events).toMatch(/ipaddresspool\/broken.*spec\.addresses\[0\]/);
    expect(events).toMatch(/bgpadvertisement\/nowhere.*no-such-pool/);
    await waitFor(
      'the ConfigurationState of the controller to tell',
      async () =>
        /controller +Invalid/.test(await lab.kubectl(['get', 'configurationstates', '-n', NAMESPACE])),
      { deadlineMs: 60_000 },
    );
    await allPaths();
    await lab.kubectl(['create', 'service', 'loadbalancer', 'web-still', '--tcp=80:8080']);
    await waitFor(
      'an address for a Service made beside the bad objects',
      async () => (await ingressOf(lab.api, 'web-still')).length > 0,
      { deadlineMs: 60_000 },
    );
    await lab.kubectl(['delete', '-f', '-'], { input: bad });
    await waitFor(
      'valid ConfigurationStates',
      async () => {
        const lines = (await lab.kubectl(['get', 'configurationstates', '-n', NAMESPACE, '--no-headers']))
          .trim()
          .split('\n');
        return lines.length === 4 && lines.every((line) => / Valid /.test(line));
      },
      { deadlineMs: 60_000 },
    );
  });
});
