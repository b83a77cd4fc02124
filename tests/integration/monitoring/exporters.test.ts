/**
 * What the programs expose is what docs/metrics.md says, which is what alerts and dashboard are checked against. Scraped
 * with the token that PodMonitors get, while the Prometheus operator's own CRDs judge monitors and rules.
 */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LightStage } from '#lab/demo/light.ts';
import { Lab } from '#lab/lab.ts';
import { crdFiles } from '#lab/crds/crds.ts';
import { ensurePromtool } from '#lab/promtool/ensure.ts';
import { tryRun } from '#lab/process/run.ts';
import { quiet } from '#lab/report.ts';
import { ingressOf } from '#lab/workload/service.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { frrK8sMetrics } from '#speaker/frrk8s/metrics.ts';
import type { BgpPort } from '#speaker/ports.ts';
import { eventually } from '#tests/support/eventually.ts';
import { documentedMetrics, exposedMetrics, type MetricTable } from '#tests/support/metric-tables.ts';
import { temporaryFolder } from '#tests/support/temporary.ts';
import { installOperator, type InstalledOperator } from '#tests/integration/operator/operator-process.ts';

const namespace = 'metallb-system';
const LONG = 60_000;

let lab: Lab;
let installed: InstalledOperator;
let token: string;
let promtool: string;

beforeAll(async () => {
  promtool = await ensurePromtool(quiet);
  lab = await Lab.up({ name: 'mlb-metrics', level: 'light', nodes: 2, report: quiet });
  for (const file of await crdFiles('prometheus', /_(pod|service)monitors|_prometheusrules/, quiet))
    await lab.kubectl(['apply', '--server-side', '-f', '-'], { input: readFileSync(file, 'utf8') });
  installed = await installOperator(lab);
  const stage = new LightStage(lab, { args: ['--port=9120', '--frr-metrics-port=9121'] });
  for (const step of stage.deploy) await step.run(() => undefined);
  await lab.daemons.find('controller')?.stop('SIGTERM');
  const kubeconfig = await lab.issueKubeconfig(`system:serviceaccount:${namespace}:controller`, [
    'system:serviceaccounts',
    `system:serviceaccounts:${namespace}`,
  ]);
  const flags = [`--kubeconfig=${kubeconfig}`, `--namespace=${namespace}`, '--webhook-mode=disabled'];
  lab.spawn('control', { name: 'controller-2', argv: [process.execPath, 'controller/main.ts', ...flags] });
  const env = {
    DEPLOY_PODMONITORS: 'true',
    DEPLOY_PROMETHEUSRULES: 'true',
    MONITORING_LABELS: 'release=kps',
  };
  const operator = installed.start('operator', ['--metrics-addr=127.0.0.1:8443'], env);
  await eventually(() => expect(operator.logText()).toContain('"msg":"ready"'), LONG);
  await lab.kubectl(['apply', '-f', 'lab/demo/manifests/metallb.yaml', '-f', 'lab/demo/manifests/bgp.yaml']);
  await lab.kubectl(['apply', '-f', 'lab/demo/manifests/l2.yaml']);
  await stage.startWorkload();
  for (const pool of ['bgp', 'lan']) await stage.createService(`web-${pool}`, { pool });
  await eventually(async () => {
    for (const pool of ['bgp', 'lan']) expect(await ingressOf(lab.api, `web-${pool}`)).not.toEqual([]);
  }, LONG);
  const secret = await eventually(async () => {
    const path = `/api/v1/namespaces/${namespace}/secrets/metrics-token`;
    const found = await lab.api.get<{ data?: { token?: string } }>(path);
    expect(found.data?.token).toBeDefined();
    return found.data?.token ?? '';
  }, LONG);
  token = Buffer.from(secret, 'base64').toString('utf8');
});

afterAll(async () => {
  await installed?.kubelet[Symbol.asyncDispose]();
  await lab?.down();
});

const places = {
  controller: ['control', 9120],
  speaker: ['node1', 9120],
  frr: ['node1', 9121],
  operator: ['control', 8443],
} as const;

/** Status and body of a scrape. */
async function scrape(
  who: keyof typeof places,
  bearer?: string,
): Promise<readonly [status: string, body: string]> {
  const [place, port] = places[who];
  const header = bearer === undefined ? [] : ['-H', `authorization: Bearer ${bearer}`];
  const argv = ['curl', '-ks', '-w', '\n%{http_code}', ...header, `https://127.0.0.1:${port}/metrics`];
  const { stdout } = await lab.exec(place, argv);
  const cut = stdout.lastIndexOf('\n');
  return [stdout.slice(cut + 1), stdout.slice(0, cut)];
}

async function text(who: keyof typeof places): Promise<string> {
  const [status, body] = await scrape(who, token);
  if (status !== '200') throw new Error(`${who} answers ${status}: ${body}`);
  return body;
}

function named(table: MetricTable): string[] {
  return [...table.keys()].filter((name) => name.startsWith('metallb_')).sort();
}

describe('monitors and rules', () => {
  it('are taken by the API server as the Prometheus operator defines them, with the labels asked for', async () => {
    for (const [kind, names] of [
      ['podmonitors', ['controller', 'operator', 'speaker']],
      ['prometheusrules', ['metallb']],
    ] as const) {
      const listed = await lab.kubectl([
        'get',
        kind,
        '-n',
        namespace,
        '-l',
        'release=kps',
        '-o',
        'jsonpath={.items[*].metadata.name}',
      ]);
      expect(listed.split(' ')).toEqual(names);
    }
    const strict = await lab.kubectl([
      'apply',
      '--dry-run=server',
      '--validate=strict',
      '-f',
      'config/prometheus/monitoring.yaml',
    ]);
    expect(strict).toMatch(/servicemonitor\S+speaker-monitor created/);
    expect(strict).toContain('prometheusrule.monitoring.coreos.com/metallb');
  });

  it('config/prometheus is a component of kustomize beside config, and both are taken as a whole', async () => {
    const kustomization = { resources: ['config'], components: ['config/prometheus'] };
    const folder = temporaryFolder('kustomize', { 'kustomization.yaml': JSON.stringify(kustomization) });
    cpSync('config', join(folder, 'config'), { recursive: true });
    const built = await lab.kubectl(['kustomize', folder]);
    expect(built).toMatch(/name: DEPLOY_PROMETHEUSRULES\n\s+value: "true"/);
    await lab.kubectl(['create', 'namespace', 'monitoring']);
    const answer = await lab.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], {
      input: built,
    });
    expect(answer).toContain('configmap/metallb-dashboard created');
    expect(answer).toContain('deployment.apps/metallb-operator-controller-manager configured');
  });
});

describe('the token of PodMonitors', () => {
  it.each(Object.keys(places) as (keyof typeof places)[])(
    'opens the metrics of %s, which are closed without it',
    async (who) => {
      expect((await scrape(who))[0]).toBe('401');
      expect((await scrape(who, token))[0]).toBe('200');
    },
  );

  it('may do nothing else', async () => {
    const can = async (...what: string[]) => {
      const { argv, env } = lab.kubectlCommand([
        'auth',
        'can-i',
        ...what,
        `--as=system:serviceaccount:${namespace}:metrics-reader`,
      ]);
      return (await tryRun(argv, { env })).stdout.trim();
    };
    expect(await can('get', '/metrics')).toBe('yes');
    expect(await can('list', 'pods', '-n', namespace)).toBe('no');
    expect(await can('get', 'secrets', '-n', namespace)).toBe('no');
  });
});

/** What a speaker registers in place of FRR's where somebody else runs frr-k8s; nobody does here. */
async function external(): Promise<readonly string[]> {
  const metrics = createMetrics();
  const state = { desired: 0, applied: 0, lastError: undefined, refused: [], lastDurationMs: 0, repairs: 0 };
  frrK8sMetrics(metrics, { state } as unknown as BgpPort);
  return named(exposedMetrics(await metrics.expose()));
}

describe('docs/metrics.md', () => {
  it('has every metric that a program exposes, and no other', async () => {
    const exposed = new Set(await external());
    for (const who of Object.keys(places) as (keyof typeof places)[])
      for (const name of named(exposedMetrics(await text(who)))) exposed.add(name);
    expect([...exposed].sort()).toEqual(named(documentedMetrics()));
  });

  it('has the labels of every series', async () => {
    const documented = documentedMetrics();
    await eventually(
      async () => expect(await text('frr')).toMatch(/^metallb_bgp_session_up\{[^}]*\} 1$/m),
      LONG,
    );
    for (const who of Object.keys(places) as (keyof typeof places)[]) {
      for (const [name, labels] of exposedMetrics(await text(who))) {
        if (!name.startsWith('metallb_')) continue;
        const unknown = [...labels].filter((label) => documented.get(name)?.has(label) !== true);
        expect([name, unknown]).toEqual([name, []]);
      }
    }
  });

  it.each(Object.keys(places) as (keyof typeof places)[])(
    '%s: promtool reads the exposition',
    async (who) => {
      const { code, stderr, stdout } = await tryRun([promtool, 'check', 'metrics'], {
        input: await text(who),
      });
      // 3: read, with advice on names, which are MetalLB's.
      expect([0, 3], `${stdout}${stderr}`).toContain(code);
      expect(`${stdout}${stderr}`).not.toMatch(/no help text|error while/i);
    },
  );
});
