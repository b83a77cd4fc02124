/**
 * `metallb migrate` on real kubelets, with traffic: a cluster that runs (a stand-in for) the original MetalLB becomes
 * one of ours, and the way back that it tells is taken. Every address stays (operator-packaging.md §11.1).
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Lab } from '#lab/lab.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { ingressOf } from '#lab/workload/service.ts';
import { echoService, startEcho, startTraffic } from '#tests/support/echo-traffic.ts';
import { installOriginal, installOriginalWebhook } from '#tests/support/original-metallb.ts';

const program = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
const namespace = 'metallb-system';
const folder = mkdtempSync(join(tmpdir(), 'metallb-migrate-'));
const backup = join(folder, 'backup.yaml');
let lab: Lab;
let told = '';
const before = new Map<string, readonly string[]>();

const kubectl = (...args: readonly string[]) => lab.kubectl(args, { timeoutMs: 120_000 });

async function metallb(...args: readonly string[]) {
  const env = { KUBECONFIG: lab.control.kubeconfig };
  return lab.exec('control', [process.execPath, program, ...args], { env, timeoutMs: 240_000 });
}

const images = (): Promise<string> =>
  kubectl('get', 'pods', '-n', namespace, '-o', 'jsonpath={range .items[*]}{.metadata.labels}{"\\n"}{end}');

async function ready(...workloads: readonly string[]): Promise<void> {
  for (const workload of workloads)
    await kubectl('rollout', 'status', '-n', namespace, workload, '--timeout=90s');
}

async function answers(service: string): Promise<void> {
  const [address = ''] = before.get(service) ?? [];
  const client = service === 'echo-lan' ? lab.lan : lab.client;
  await waitFor(`an answer from ${address}`, async () => (await client.curl(`http://${address}/`)).ok, {
    deadlineMs: 60_000,
    explain: () => kubectl('describe', 'pods', '-n', namespace),
  });
}

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-migrate', level: 'full', nodes: 2, report: quiet });
  await installOriginal(lab, 'frr');
  await startEcho(lab);
  await ready('deployment/controller', 'daemonset/speaker');
  await kubectl('apply', '-f', 'lab/demo/manifests/bgp.yaml', '-f', 'lab/demo/manifests/l2.yaml');
  await installOriginalWebhook(lab);
  for (const pool of ['bgp', 'lan']) {
    await echoService(lab, pool);
    before.set(`echo-${pool}`, await ingressOf(lab.api, `echo-${pool}`));
    await answers(`echo-${pool}`);
  }
});

afterAll(async () => {
  await lab?.down();
  rmSync(folder, { recursive: true, force: true });
});

it('doctor finds the other MetalLB; the plan says what would be done, and changes nothing', async () => {
  const doctor = await metallb('doctor');
  expect(doctor.stdout).toMatch(/error +other-metallb: DaemonSet metallb-system\/speaker/);
  const uid = () => kubectl('get', 'daemonset', 'speaker', '-n', namespace, '-o', 'jsonpath={.metadata.uid}');
  const was = await uid();
  const { code, stdout, stderr } = await metallb('migrate');
  expect(stderr).toBe('');
  expect(stdout).toContain('Found: MetalLB in namespace metallb-system, installed by manifests');
  expect(stdout).toContain('bgpBackend: frr');
  expect(stdout).toMatch(/\d+\. node node1: end the old speaker, and wait until ours is ready there/);
  expect(stdout).toContain('Nothing was changed. --apply takes these steps.');
  expect(code).toBe(0);
  expect(await uid()).toBe(was);
});

it('takes over while traffic flows: every address stays, and both are answered for', async () => {
  const [[bgp = ''] = [], [lan = ''] = []] = [before.get('echo-bgp'), before.get('echo-lan')];
  const stopBgp = await startTraffic(lab, 'client', bgp);
  const stopLan = await startTraffic(lab, 'lan', lan);
  const { code, stdout, stderr } = await metallb('migrate', '--apply', '--backup', backup);
  const [byBgp, byArp] = [await stopBgp(), await stopLan()];
  process.stdout.write(
    `${stdout}${stderr}migration, datagrams: BGP ${JSON.stringify(byBgp)}, ARP ${JSON.stringify(byArp)}\n`,
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  told = stdout;
  expect(stdout).toContain('2 Services had addresses, and have them still');
  for (const [service, addresses] of before) expect(await ingressOf(lab.api, service)).toEqual(addresses);
  expect(byBgp.received).toBeGreaterThan(byBgp.sent * 0.99);
  expect(byArp.received).toBeGreaterThan(byArp.sent * 0.99);
});

it('nothing of the original is left, and ours works: a new Service gets an address', async () => {
  const labels = (await images()).trim().split('\n');
  // Two speakers, the controller and the operator.
  expect(labels.length).toBe(4);
  expect(labels.filter((text) => !text.includes('"app.kubernetes.io/part-of":"metallb"'))).toEqual([]);
  const left = await kubectl(
    'get',
    'validatingwebhookconfiguration/metallb-webhook-configuration',
    `role/pod-lister`,
    `rolebinding/pod-lister`,
    'secret/metallb-webhook-cert',
    'secret/memberlist',
    'service/metallb-webhook-service',
    '-n',
    namespace,
    '--ignore-not-found',
    '-o',
    'name',
  );
  expect(left).toBe('');
  const strategy = 'jsonpath={.spec.conversion.strategy}';
  expect(await kubectl('get', 'crd', 'bgppeers.metallb.io', '-o', strategy)).toBe('None');
  const update = 'jsonpath={.spec.updateStrategy.type}';
  expect(await kubectl('get', 'daemonset', 'speaker', '-n', namespace, '-o', update)).toBe('RollingUpdate');
  const doctor = await metallb('doctor');
  expect(doctor.stdout).toMatch(/ok +other-metallb/);
  expect(doctor.stdout).toMatch(/ok +workloads/);
  await kubectl('create', 'service', 'loadbalancer', 'later', '--tcp=80');
  await waitFor('an address for a new Service', async () => (await ingressOf(lab.api, 'later')).length > 0);
  expect((await metallb('migrate')).stdout).toContain('nothing is left to take over');
});

it('the way back that it tells brings the original again, with the same addresses', async () => {
  const commands = told.split('\n').filter((line) => line.startsWith('  kubectl '));
  expect(commands.length).toBe(4);
  expect(readFileSync(backup, 'utf8')).toContain('name: pod-lister');
  for (const command of commands) await kubectl(...command.trim().split(' ').slice(1));
  await ready('deployment/controller', 'daemonset/speaker');
  for (const [service, addresses] of before) {
    expect(await ingressOf(lab.api, service)).toEqual(addresses);
    await answers(service);
  }
  const doctor = await metallb('doctor');
  expect(doctor.stdout).toMatch(/error +other-metallb: DaemonSet metallb-system\/speaker/);
  const operator = await kubectl('get', 'deployments', '-n', namespace, '-o', 'name');
  expect(operator.trim()).toBe('deployment.apps/controller');
});
