/**
 * From the first command of an installation to an address that answers, for each road: OLM, Helm, the operator's
 * manifest, and the manifests without an operator. Real kubelets; images are on the nodes already.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { distribution, type Figure } from '#bench/figures.ts';
import { Lab } from '#lab/lab.ts';
import { Olm } from '#lab/olm/olm.ts';
import { ensurePackaging } from '#lab/packaging/ensure.ts';
import { run } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import type { Reporter } from '#lab/report.ts';
import { ingressOf } from '#lab/workload/service.ts';
import { apiDump } from '#tests/support/api-dump.ts';
import { startEcho } from '#tests/support/echo-traffic.ts';
import { catalogFiles } from '#tools/bundle/producer.ts';
import { currentRelease, namespace } from '#tools/bundle/release.ts';
import { subscription } from '#tools/bundle/subscription.ts';

const ROUNDS = 3;
const NODES = 2;
const manifests = join(import.meta.dirname, '..', 'lab', 'demo', 'manifests');
const SERVICE = 'first';

interface Road {
  readonly name: string;
  readonly install: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Times in ms since the first command. */
interface Times {
  readonly address: number;
  readonly answer: number;
}

export async function installs(report: Reporter): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'metallb-installs-'));
  try {
    await using lab = await Lab.up({ name: 'mlb-bench-inst', level: 'full', nodes: NODES, report });
    await startEcho(lab);
    const roads = [
      plain(lab),
      operator(lab),
      await helm(lab, folder, report),
      await olm(lab, folder, report),
    ];
    const figures: Figure[] = [];
    for (const road of roads) figures.push(...(await measure(lab, road, report)));
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(lab: Lab, road: Road, report: Reporter): Promise<Figure[]> {
  const samples: Times[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    report.step(`${road.name}: installation ${round} of ${ROUNDS}`);
    const before = await apiDump(lab.api);
    samples.push(await once(lab, road));
    await lab.kubectl(['delete', 'service', SERVICE]);
    await road.remove();
    await cleared(lab, before);
  }
  const about = { unit: 'ms', size: `${ROUNDS} installations, ${NODES} nodes` };
  return [
    ...distribution(
      `${road.name}: install → first address in status`,
      about,
      samples.map(({ address }) => address),
    ),
    ...distribution(
      `${road.name}: install → first address answers`,
      about,
      samples.map(({ answer }) => answer),
    ),
  ].filter(({ figure }) => /(p50|max)$/.test(figure));
}

/** The Service is there from the start; the configuration is applied as soon as its kinds are there. */
async function once(lab: Lab, road: Road): Promise<Times> {
  await lab.api.create('/api/v1/namespaces/default/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: SERVICE },
    spec: { type: 'LoadBalancer', selector: { app: 'echo' }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  const started = performance.now();
  const since = (): number => performance.now() - started;
  await road.install();
  await lab.kubectl(['apply', '-f', join(manifests, 'bgp.yaml')]);
  const deadline = { deadlineMs: 180_000, intervalMs: 20 };
  const explain = () => lab.kubectl(['describe', 'pods', '-n', namespace]);
  const ip = await waitFor('the first address', async () => (await ingressOf(lab.api, SERVICE))[0], {
    ...deadline,
    explain,
  });
  const address = since();
  await waitFor(
    `an answer from ${ip}`,
    async () => (await lab.client.curl(`http://${ip}/`, { maxTimeMs: 500 })).ok,
    { ...deadline, explain },
  );
  return { address, answer: since() };
}

async function cleared(lab: Lab, before: readonly string[]): Promise<void> {
  const left = async () => (await apiDump(lab.api)).filter((name) => !before.includes(name));
  const isOlms = (name: string): boolean => name.startsWith('operators.coreos.com/operators ');
  await waitFor('the removal', async () => (await left()).every(isOlms), {
    deadlineMs: 120_000,
    explain: async () => (await left()).join('\n'),
  });
}

/** Waits until the kinds of the configuration are served. */
async function kindsThere(lab: Lab): Promise<void> {
  await waitFor(
    'the kinds',
    async () => {
      const { status } = await lab.api.send('GET', '/apis/metallb.io/v1beta1/ipaddresspools');
      return status === 200;
    },
    { deadlineMs: 120_000, intervalMs: 50 },
  );
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
}

async function createMetalLB(lab: Lab): Promise<void> {
  await kindsThere(lab);
  await lab.kubectl(['apply', '-f', join(manifests, 'metallb.yaml')]);
}

const slowly = { timeoutMs: 180_000 };

function plain(lab: Lab): Road {
  const file = 'config/manifests/metallb-frr.yaml';
  return {
    name: 'manifests without operator',
    install: async () => {
      await lab.kubectl(['apply', '--server-side', '-f', file]);
      await kindsThere(lab);
    },
    remove: async () => {
      await lab.kubectl(['delete', '-f', file, '--ignore-not-found'], slowly);
    },
  };
}

function operator(lab: Lab): Road {
  const file = 'config/operator/install.yaml';
  return {
    name: 'manifest of the operator',
    install: async () => {
      await lab.kubectl(['apply', '--server-side', '-f', file]);
      await createMetalLB(lab);
    },
    remove: async () => {
      await lab.kubectl(['delete', 'metallb', '--all', '-n', namespace], slowly);
      await lab.kubectl(['delete', '-f', file, '--ignore-not-found'], slowly);
    },
  };
}

async function helm(lab: Lab, folder: string, report: Reporter): Promise<Road> {
  const program = join(await ensurePackaging(report), 'helm');
  const call = (args: readonly string[]) =>
    run(lab.enter('control', [program, ...args, '-n', namespace]), {
      env: { KUBECONFIG: lab.control.kubeconfig, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder },
      ...slowly,
    });
  return {
    name: 'Helm',
    install: async () => {
      await lab.kubectl(['apply', '-f', 'config/operator/namespace.yaml']);
      await call(['install', 'metallb', 'helm/metallb']);
      await kindsThere(lab);
    },
    remove: async () => {
      await call(['uninstall', 'metallb', '--wait']);
      await lab.kubectl(['delete', '-f', 'config/crd', '-f', 'config/operator/namespace.yaml'], slowly);
    },
  };
}

async function olm(lab: Lab, folder: string, report: Reporter): Promise<Road> {
  const manager = await Olm.start(lab, report);
  const [file] = catalogFiles([{ ...currentRelease, bundleImage: '' }]);
  if (file === undefined) throw new Error('the generator makes no catalog');
  const place = join(folder, 'catalog');
  mkdirSync(place);
  writeFileSync(join(place, 'catalog.yaml'), file.content);
  const objects = subscription({ address: await manager.serve(place) });
  return {
    name: 'OLM',
    install: async () => {
      for (const object of objects)
        await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
      await createMetalLB(lab);
    },
    remove: async () => {
      await lab.kubectl(['delete', 'metallb', '--all', '-n', namespace], slowly);
      const kinds = 'subscription,csv,installplan,catalogsource,operatorgroup';
      await lab.kubectl(['delete', kinds, '--all', '-n', namespace], slowly);
      await lab.kubectl(['delete', '-f', 'config/crd', '-f', 'config/operator/namespace.yaml'], slowly);
    },
  };
}
