/**
 * The bundle installed by the real Operator Lifecycle Manager on real kubelets: from a catalog to an address that
 * answers, an upgrade from the bundle of the commit before this one while traffic flows, and the removal, after which
 * the API has what it had before (operator-packaging.md §5, §10.8). In between an upgrade to an image by its digest, which
 * OLM holds back for as long as our OperatorCondition asks it to. Then the same by Helm.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nodeFiles, nodesFolder } from '#lab/full/files.ts';
import { isAvailable } from '#lab/demo/full.ts';
import { Lab } from '#lab/lab.ts';
import { Olm } from '#lab/olm/olm.ts';
import { ensurePackaging } from '#lab/packaging/ensure.ts';
import { run } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { importImages } from '#lab/full/import.ts';
import { catalog } from '#tools/bundle/catalog.ts';
import {
  csvName,
  currentRelease,
  imageOf,
  namespace,
  packageName,
  type Release,
} from '#tools/bundle/release.ts';
import { subscription } from '#tools/bundle/subscription.ts';
import { apiDump } from '#tests/support/api-dump.ts';
import { answeringServices, echoService, startEcho, startTraffic } from '#tests/support/echo-traffic.ts';
import { upgradeOrigin, type Origin, type PreviousCommit } from '#tests/support/previous-commit.ts';

const NAME = 'mlb-olm';
const account = `system:serviceaccount:${namespace}:manager-account`;
const first: Release = { ...currentRelease, bundleImage: '' };
const second: Release = { ...first, version: '0.1.1', replaces: first.version };
/** Its image goes by the digest, which the nodes tell. */
let third: Release;
const folder = mkdtempSync(join(tmpdir(), 'metallb-olm-'));

let lab: Lab;
let olm: Olm;
let bin: string;
let before: readonly string[];
let origin: Origin;

function kubectl(...args: readonly string[]): Promise<string> {
  return lab.kubectl(args);
}

/** The first release is what the commit before made of it. */
async function serve(releases: readonly Release[]): Promise<string> {
  const folderOfCatalog = join(folder, String(releases.length), packageName);
  const old = origin.previous?.catalog.find(({ schema }) => schema === 'olm.bundle');
  const documents = (catalog(releases) as PreviousCommit['catalog'][number][]).map((document) =>
    document.schema === 'olm.bundle' && document.name === csvName(first.version)
      ? (old ?? document)
      : document,
  );
  mkdirSync(folderOfCatalog, { recursive: true });
  const text = documents.map((document) => JSON.stringify(document)).join('\n');
  writeFileSync(join(folderOfCatalog, 'catalog.json'), text);
  return olm.serve(join(folder, String(releases.length)));
}

/**
 * The nodes have this commit's image by the name of the second release and by that of the third, its digest; and the
 * previous one's by that of the first.
 */
async function nameImages(): Promise<void> {
  for (let index = 1; index <= lab.nodeCount; index += 1) {
    const { socket } = nodeFiles(join(nodesFolder(NAME), `node${index}`));
    const images = (...args: readonly string[]) =>
      run(['ctr', '-a', socket, '-n', 'k8s.io', 'images', ...args]);
    const [digest = ''] = /sha256:[0-9a-f]{64}/.exec(await images('ls', `name==${imageOf(first)}`)) ?? [];
    third = { ...second, version: '0.1.2', replaces: second.version, digest };
    await images('tag', imageOf(first), imageOf(second));
    await images('tag', imageOf(first), imageOf(third));
    if (origin.previous !== undefined) await importImages(socket, origin.previous.images);
  }
}

async function explain(): Promise<string> {
  const olmKinds = 'catalogsources,subscriptions,installplans,csv';
  return `${await kubectl('describe', olmKinds, '-n', namespace)}\n${await kubectl('get', 'pods', '-A')}\n${olm.explain()}`;
}

interface Csv {
  readonly spec: { readonly relatedImages: readonly { readonly image: string }[] };
  readonly status?: { readonly phase?: string; readonly reason?: string; readonly message?: string };
}

function csv({ version }: Release): Promise<Csv> {
  const group = '/apis/operators.coreos.com/v1alpha1';
  return lab.api.get(`${group}/namespaces/${namespace}/clusterserviceversions/${csvName(version)}`);
}

async function succeeded(release: Release): Promise<void> {
  await waitFor(
    `${csvName(release.version)} to be Succeeded`,
    async () => (await csv(release)).status?.phase === 'Succeeded',
    { deadlineMs: 120_000, explain },
  );
}

/** The catalog has these releases from now on. */
async function offer(releases: readonly Release[]): Promise<void> {
  await patchSpec('catalogsource', 'metallb-ts-catalog', { address: await serve(releases) });
}

/** Changes fields of the MetalLB object's spec; null takes one away. */
const patchMetalLB = (spec: object) => patchSpec('metallb', 'metallb', spec);

async function patchSpec(kind: string, name: string, spec: object): Promise<void> {
  await kubectl('patch', kind, name, '-n', namespace, '--type=merge', '-p', JSON.stringify({ spec }));
}

/** Waits until every container of ours runs the image of a release. */
async function rolledOut(release: Release): Promise<void> {
  await waitFor(
    'all our pods to run the next image',
    async () => {
      const images = await runningImages();
      return images.size === 1 && images.has(imageOf(release));
    },
    { deadlineMs: 180_000, explain },
  );
}

/** Waits until OLM has been told this, and has taken note of it. */
async function toldOlm(release: Release, words: RegExp): Promise<void> {
  const one = ['operatorcondition', csvName(release.version), '-n', namespace];
  const texts = ['spec', 'status'].map(
    (part) =>
      `{range .${part}.conditions[?(@.type=="Upgradeable")]}{.status} {.reason}: {.message}{"\\n"}{end}`,
  );
  await waitFor(
    `OperatorCondition ${csvName(release.version)} to say ${words}`,
    async () => {
      const lines = (await kubectl('get', ...one, '-o', `jsonpath=${texts.join('')}`)).trim().split('\n');
      return lines.length === 2 && lines.every((line) => words.test(line));
    },
    { deadlineMs: 60_000, explain: () => kubectl('get', ...one, '-o', 'yaml') },
  );
}

async function available(): Promise<void> {
  await waitFor('MetalLB to be Available', () => isAvailable(lab), {
    deadlineMs: 120_000,
    explain: () => kubectl('describe', 'metallb,pods', '-n', namespace),
  });
}

/** Images of the containers that run of all our pods. */
async function runningImages(): Promise<ReadonlySet<string>> {
  const path = 'jsonpath={range .items[*].spec.containers[*]}{.image}{"\\n"}{end}';
  return new Set((await kubectl('get', 'pods', '-n', namespace, '-o', path)).trim().split('\n'));
}

beforeAll(async () => {
  lab = await Lab.up({ name: NAME, level: 'full', nodes: 2, report: quiet });
  bin = await ensurePackaging(quiet);
  olm = await Olm.start(lab, quiet);
  origin = await upgradeOrigin(folder, first);
  await nameImages();
  await startEcho(lab);
  const [space, ...rest] = subscription({ address: await serve([first]) });
  await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(space) });
  await lab.control.waitServiceAccount(namespace);
  before = await apiDump(lab.api);
  await lab.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: rest }),
  });
});

afterAll(async () => {
  await lab?.down();
  rmSync(folder, { recursive: true, force: true });
});

it('99: a Subscription becomes an InstallPlan, the operator a pod on a kubelet, the CSV Succeeded', async () => {
  await succeeded(first);
  const plans = await kubectl('get', 'installplans', '-n', namespace, '--no-headers');
  expect(plans).toMatch(/metallb-operator\.v0\.1\.0 +Automatic +true/);
  const pods = await kubectl('get', 'pods', '-n', namespace, '-o', 'wide', '--no-headers');
  expect(pods).toMatch(/^metallb-operator-controller-manager-\S+ +1\/1 +Running .* node[12] /);
});

it("the operator group of one namespace keeps the operator's rights in it (docs/adr/0005)", async () => {
  const may = async (where: string): Promise<string> => {
    const { argv, env } = lab.kubectlCommand([
      'auth',
      'can-i',
      'list',
      'secrets',
      '-n',
      where,
      `--as=${account}`,
    ]);
    return (await run(['sh', '-c', `${argv.map((word) => `'${word}'`).join(' ')} || true`], { env })).trim();
  };
  expect(await may(namespace)).toBe('yes');
  expect(await may('default')).toBe('no');
});

it('100: a MetalLB object becomes Available, and addresses by BGP and ARP answer', async () => {
  await kubectl('apply', '-f', 'lab/demo/manifests/metallb.yaml');
  await available();
  await kubectl('apply', '-f', 'lab/demo/manifests/bgp.yaml', '-f', 'lab/demo/manifests/l2.yaml');
  await answeringServices(lab, explain);
});

it("this commit's bundle replaces the previous commit's operator and rolls out the speakers while traffic flows", async () => {
  const [bgp = ''] = await addresses('echo-bgp');
  const [lan = ''] = await addresses('echo-lan');
  const stopBgp = await startTraffic(lab, 'client', bgp);
  const stopLan = await startTraffic(lab, 'lan', lan);
  await offer([first, second]);
  await succeeded(second);
  await rolledOut(second);
  await available();
  const [byBgp, byArp] = [await stopBgp(), await stopLan()];
  process.stdout.write(
    `upgrade by OLM from ${origin.about}, datagrams: BGP ${JSON.stringify(byBgp)}, ARP ${JSON.stringify(byArp)}\n`,
  );
  expect(byBgp.received).toBeGreaterThan(byBgp.sent * 0.99);
  expect(byArp.received).toBeGreaterThan(byArp.sent * 0.99);
  expect(await addresses('echo-bgp')).toContain(bgp);
});

async function addresses(service: string): Promise<readonly string[]> {
  const path = 'jsonpath={.status.loadBalancer.ingress[*].ip}';
  return (await kubectl('get', 'service', service, '-o', path)).split(' ');
}

it('OLM holds the next upgrade back while a rollout is under way, and goes on, to an image by digest, when it is over', async () => {
  await toldOlm(second, /^True Available: /);
  // No node has this label: the next controller finds no place, and the one that runs stays.
  await patchMetalLB({ controllerNodeSelector: { no: 'node' } });
  const waiting = /^False ControllerNotReady: Deployment controller: .*node affinity/;
  await toldOlm(second, waiting);
  await offer([first, second, third]);
  await waitFor(
    'OLM to hold the upgrade back',
    async () => {
      const { status } = await csv(third);
      return status?.phase === 'Pending' && status.reason === 'OperatorConditionNotUpgradeable';
    },
    { deadlineMs: 120_000, explain },
  );
  expect((await csv(third)).status?.message).toContain('Deployment controller');
  expect(await runningImages()).toEqual(new Set([imageOf(second)]));
  await patchMetalLB({ controllerNodeSelector: null });
  await succeeded(third);
  await rolledOut(third);
  await available();
  await toldOlm(third, /^True Available: /);
  expect(imageOf(third)).toMatch(/@sha256:[0-9a-f]{64}$/);
  expect((await csv(third)).spec.relatedImages.map(({ image }) => image)).toEqual([imageOf(third)]);
  const [bgp = ''] = await addresses('echo-bgp');
  expect((await lab.client.curl(`http://${bgp}/`)).ok).toBe(true);
});

it('removal leaves nothing: first the object, then the subscription, then the CRDs, which OLM keeps', async () => {
  await kubectl('delete', 'service', 'echo-bgp', 'echo-lan');
  await kubectl('delete', 'metallb', 'metallb', '-n', namespace);
  await waitFor(
    'the workloads to be gone',
    async () => {
      const left = await kubectl('get', 'daemonsets,deployments', '-n', namespace, '-o', 'name');
      return !/speaker|controller$/m.test(left);
    },
    { deadlineMs: 60_000, explain },
  );
  await kubectl(
    'delete',
    'subscription,csv,installplan,catalogsource,operatorgroup',
    '--all',
    '-n',
    namespace,
  );
  await kubectl('delete', '-f', 'config/crd');
  await gone(OLMS_OWN);
});

/** What OLM keeps of a package that is gone, whosever it is. */
const OLMS_OWN = /^operators\.coreos\.com\/operators /;

it('Helm on the same cluster: install, an address that answers, and uninstall leaves nothing but CRDs', async () => {
  const helm = (args: readonly string[]) =>
    run(lab.enter('control', [join(bin, 'helm'), ...args, '-n', namespace]), {
      env: { KUBECONFIG: lab.control.kubeconfig, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder },
      timeoutMs: 120_000,
    });
  const clean = await apiDump(lab.api);
  await helm(['install', 'metallb', 'helm/metallb', '--wait']);
  await available();
  await kubectl('apply', '-f', 'lab/demo/manifests/bgp.yaml');
  const address = await echoService(lab, 'bgp');
  await waitFor(`an answer from ${address}`, async () => (await lab.client.curl(`http://${address}/`)).ok, {
    deadlineMs: 60_000,
    explain,
  });
  const passed = await helm(['test', 'metallb']);
  expect(passed).toMatch(/Phase: +Succeeded/);
  // No node has this label: no speaker is wanted, and the test has to say so.
  await patchMetalLB({ nodeSelector: { no: 'node' } });
  await expect(helm(['test', 'metallb'])).rejects.toThrow(/test/);
  expect(await kubectl('logs', 'metallb-test', '-n', namespace)).toContain(
    'daemonsets speaker: no pod is wanted',
  );
  await patchMetalLB({ nodeSelector: null });
  await helm(['test', 'metallb']);
  await helm(['uninstall', 'metallb']);
  await kubectl('delete', 'service', 'echo-bgp');
  await kubectl('delete', '-f', 'config/crd');
  await gone(/^$/, clean);
});

/** Nothing is in the API that was not there before, but for what may stay. */
async function gone(mayStay: RegExp, was = before): Promise<void> {
  const left = async (): Promise<readonly string[]> =>
    (await apiDump(lab.api)).filter((name) => !was.includes(name) && !mayStay.test(name));
  await waitFor('what we brought to be gone', async () => (await left()).length === 0, {
    deadlineMs: 120_000,
    explain: async () => (await left()).join('\n'),
  });
}
