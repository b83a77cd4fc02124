/** What `metallb render` shows of a live cluster is what the speakers have; what `metallb diff` tells comes to pass. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LightStage } from '#lab/demo/light.ts';
import { Lab } from '#lab/lab.ts';
import { tryRun } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { eventually } from '#tests/support/eventually.ts';
import { patch } from '#tests/support/patch.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const NODES = ['node1', 'node2'] as const;
const SECRET = 'not-to-be-seen';
let lab: Lab;
let kubeconfig = '';

/** A peer with a password on one node only, text of the user's own, and a Secret. */
const MORE = `apiVersion: v1
kind: Secret
metadata: {name: pw, namespace: metallb-system}
type: kubernetes.io/basic-auth
stringData: {password: ${SECRET}}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: elsewhere, namespace: metallb-system}
spec:
  myASN: 64512
  peerASN: 64514
  peerAddress: 10.90.0.253
  passwordSecret: {name: pw}
  nodeSelectors: [{matchLabels: {kubernetes.io/hostname: node1}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: bgpextras, namespace: metallb-system}
data:
  extras: |
    ip prefix-list mine seq 5 permit 192.0.2.0/24
`;
const MED = `apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: bgp, namespace: metallb-system}
spec: {ipAddressPools: [bgp], med: 50, nodeSelectors: [{matchLabels: {kubernetes.io/hostname: node2}}]}
`;

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-t-render', level: 'light', nodes: 2, report: quiet });
  const stage = new LightStage(lab);
  for (const step of stage.deploy) await step.run(() => undefined);
  await stage.startWorkload();
  kubeconfig = await lab.hostKubeconfig();
  await lab.kubectl(['apply', '-f', join(root, 'lab/demo/manifests/bgp.yaml')]);
  await lab.kubectl(['apply', '-f', file('more', MORE)]);
  await stage.createService('web', { pool: 'bgp' });
  await waitFor('both speakers to announce', async () =>
    NODES.every((node) => /network 198\.51\.100\./.test(speakersFile(node))),
  );
});

afterAll(async () => {
  await lab?.down();
});

function file(name: string, text: string): string {
  const path = join(lab.folder, `${name}.yaml`);
  writeFileSync(path, text);
  return path;
}

/** The file a speaker keeps for its FRR, with passwords hidden. */
function speakersFile(node: (typeof NODES)[number]): string {
  return readFileSync(join(lab.frr(node).configFolder, 'frr.conf'), 'utf8').replaceAll(SECRET, '<hidden>');
}

function metallb(...args: readonly string[]) {
  return tryRun([process.execPath, join(root, 'cli/main.ts'), ...args, `--kubeconfig=${kubeconfig}`]);
}

describe('a live cluster', () => {
  it.each(NODES)('render of %s is the file of its speaker, byte for byte', async (node) => {
    await eventually(async () => {
      const shown = await metallb('render', '--live', '--node', node);
      expect(shown).toMatchObject({ code: 0, stdout: speakersFile(node) });
      expect(shown.stdout).toContain('ip prefix-list mine');
      expect(shown.stdout.includes('password <hidden>')).toBe(node === 'node1');
      expect(shown.stdout + shown.stderr).not.toContain(SECRET);
    }, 20_000);
  });

  it('what is there already differs in nothing, exit code 0', async () => {
    const demo = join(root, 'lab/demo/manifests/bgp.yaml');
    expect(await metallb('diff', demo, file('more', MORE))).toMatchObject({ code: 0, stdout: '' });
  });

  it('diff tells what applying does: patched with it, the old file is the new one', async () => {
    const path = file('med', MED);
    const told = await metallb('diff', path);
    expect(told).toMatchObject({ code: 1 });
    expect(told.stdout).not.toContain(SECRET);
    expect(told.stdout).toContain('+ set metric 50');
    const before = Object.fromEntries(NODES.map((node) => [node, speakersFile(node)]));
    const json = JSON.parse((await metallb('diff', path, '-o', 'json')).stdout) as {
      node: string;
      diff: string;
    }[];
    await lab.kubectl(['apply', '-f', path]);
    for (const { node, diff } of json) {
      const expected = `${patch((before[node] ?? '').split('\n').slice(0, -1), diff).join('\n')}\n`;
      expect(expected).not.toBe(before[node]);
      await eventually(() => expect(speakersFile(node as (typeof NODES)[number])).toBe(expected), 20_000);
    }
  });

  it('a faulty edit is a problem, exit code 2; so is a cluster that does not answer', async () => {
    const bad = file('bad', MED.replace('med: 50', 'communities: [nonsense]'));
    const told = await metallb('diff', bad);
    expect(told).toMatchObject({ code: 2, stdout: '' });
    expect(told.stderr).toContain('ADB-12');
    const nowhere = file(
      'nowhere',
      readFileSync(kubeconfig, 'utf8').replace(/"?server"?: ?[^,\n}]+/, 'server: https://127.0.0.1:1'),
    );
    const argv = [process.execPath, join(root, 'cli/main.ts'), 'diff', bad, `--kubeconfig=${nowhere}`];
    const away = await tryRun(argv);
    expect(away).toMatchObject({ code: 2, stdout: '' });
    expect(away.stderr).toContain('127.0.0.1:1');
  });
});
