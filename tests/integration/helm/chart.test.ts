/**
 * The chart by Helm itself, on a real API server (operator-packaging.md §6): what it refuses, what it renders, and
 * the life of a release from install to uninstall. Pods do not run at this level.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { Manifest } from '#operator/render/manifest.ts';
import { Lab } from '#lab/lab.ts';
import { ensurePackaging } from '#lab/packaging/ensure.ts';
import type { RunResult } from '#lab/process/run.ts';
import { quiet } from '#lab/report.ts';

const chart = 'helm/metallb';
const namespace = 'metallb-system';
const folder = mkdtempSync(join(tmpdir(), 'metallb-helm-'));

let lab: Lab;
let program: string;

/** Runs Helm beside the API server; never rejects. */
function helm(...args: readonly string[]): Promise<RunResult> {
  const env = { KUBECONFIG: lab.control.kubeconfig, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
  return lab.exec('control', [program, ...args], { env, timeoutMs: 90_000 });
}

/** The same, for what has to work. */
async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await helm(...args);
  if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function valuesFile(name: string, values: object): string {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, JSON.stringify(values));
  return path;
}

async function rendered(...flags: readonly string[]): Promise<readonly Manifest[]> {
  const text = await run('template', 'metallb', chart, '-n', namespace, ...flags);
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

function only(objects: readonly Manifest[], kind: string): unknown {
  const [found] = objects.filter((object) => object.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} was rendered`);
  return found;
}

interface MetalLB {
  readonly spec: Readonly<Record<string, unknown>>;
}

beforeAll(async () => {
  program = join(await ensurePackaging(quiet), 'helm');
  lab = await Lab.up({ name: 'mlb-helm', level: 'light', nodes: 1, report: quiet });
  await lab.kubectl(['create', 'namespace', namespace]);
});

afterAll(async () => {
  await lab?.down();
  rmSync(folder, { recursive: true, force: true });
});

it('helm lint --strict finds nothing', async () => {
  expect(await run('lint', '--strict', chart)).toMatch(/1 chart\(s\) linted, 0 chart\(s\) failed/);
  expect(await run('lint', '--strict', chart)).not.toMatch(/WARNING|ERROR/);
});

describe('values.schema.json (operator-packaging.md §6.4)', () => {
  it.each([
    ['a typing error', ['--set', 'speaker.nodeSelektor.a=b'], /nodeSelektor/],
    ['a typing error in metallb.spec', ['--set', 'metallb.spec.logLevell=debug'], /logLevell/],
    ['an unknown level', ['--set', 'controller.logLevel=loud'], /controller\/logLevel/],
    ['a port that is none', ['--set', 'prometheus.metricsPort=70000'], /metricsPort/],
    ['a text for a switch', ['--set-string', 'networkpolicies.enabled=perhaps'], /networkpolicies\/enabled/],
    ['a digest that is none', ['--set', 'image.digest=sha256:abc'], /image\/digest/],
    ['two kinds of monitors', ['--set', 'prometheus.serviceMonitor.enabled=true,prometheus.podMonitor.enabled=true'], /use one of them/],
    ['two backends', ['--set', 'speaker.frr.enabled=true,frrk8s.enabled=true'], /use one of them/],
    ['an external frr-k8s without namespace', ['--set', 'frrk8s.external=true'], /frrk8s\.namespace/],
  ])('refuses %s', async (_, flags, words) => {
    const { code, stderr } = await helm('template', 'metallb', chart, ...flags);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(words);
  });
});

describe('helm template', () => {
  it('renders the operator as config/operator has it', async () => {
    const objects = await rendered();
    const plain = parseAllDocuments(readFileSync('config/operator/rbac.yaml', 'utf8')).map((each) => each.toJS() as Manifest);
    for (const { kind, metadata, ...rest } of plain)
      expect(objects.find((each) => each.kind === kind && each.metadata.name === metadata.name)).toMatchObject({ kind, ...rest });
    const [deployment] = parseAllDocuments(readFileSync('config/operator/deployment.yaml', 'utf8')).map((each) => each.toJS() as { spec: { template: { spec: { containers: { image: string; args: string[] }[] } } } });
    const ours = (only(objects, 'Deployment') as typeof deployment & object).spec.template.spec.containers[0];
    expect(ours).toMatchObject({ ...deployment?.spec.template.spec.containers[0], env: expect.any(Array) });
    expect((only(objects, 'MetalLB') as MetalLB).spec).toEqual({ logLevel: 'info' });
  });

  it('turns the names of MetalLB\'s chart into the MetalLB object; metallb.spec wins (§6.3)', async () => {
    const file = valuesFile('familiar', {
      loadBalancerClass: 'metallb.io/x',
      controller: { nodeSelector: { a: 'b' }, priorityClassName: 'high', resources: { limits: { cpu: '1' } }, labels: { e: 'f' }, replicas: 2 },
      speaker: {
        logLevel: 'debug',
        tolerations: [{ key: 'edge', operator: 'Exists' }],
        podAnnotations: { c: 'd' },
        runtimeClassName: 'kata',
        labels: { g: 'h' },
        updateStrategy: { type: 'OnDelete' },
        ignoreExcludeLB: true,
        excludeInterfaces: { enabled: false },
        frr: { enabled: true, resources: { limits: { memory: '1Gi' } } },
      },
      metallb: { spec: { loadBalancerClass: 'metallb.io/y' } },
    });
    expect((only(await rendered('-f', file), 'MetalLB') as MetalLB).spec).toEqual({
      loadBalancerClass: 'metallb.io/y',
      logLevel: 'debug',
      controllerNodeSelector: { a: 'b' },
      controllerConfig: { priorityClassName: 'high', resources: { limits: { cpu: '1' } }, labels: { e: 'f' }, replicas: 2 },
      speakerTolerations: [{ key: 'edge', operator: 'Exists' }],
      speakerConfig: {
        annotations: { c: 'd' },
        runtimeClassName: 'kata',
        labels: { g: 'h' },
        updateStrategy: { type: 'OnDelete' },
        frrResources: { limits: { memory: '1Gi' } },
        ignoreExcludeLB: true,
        excludedInterfaces: [],
      },
      bgpBackend: 'frr',
    });
    const external = ['--set', 'frrk8s.external=true,frrk8s.namespace=frr-k8s-system'];
    expect((only(await rendered(...external), 'MetalLB') as MetalLB).spec).toEqual({
      logLevel: 'info',
      bgpBackend: 'frr-k8s-external',
      frrk8sConfig: { namespace: 'frr-k8s-system', secretPassthrough: false },
    });
  });

  it('monitoring: rules, labels and the dashboard; policies', async () => {
    const none = (await rendered()).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(none).toContain('NetworkPolicy/metallb-operator');
    expect(none).not.toContain('ConfigMap/metallb-dashboard');
    const objects = await rendered('--set', 'prometheus.prometheusRule.enabled=true,prometheus.labels.release=kps,prometheus.dashboard.enabled=true,networkpolicies.defaultDeny=true');
    expect(JSON.stringify(only(objects, 'Deployment'))).toContain('{"name":"MONITORING_LABELS","value":"release=kps"}');
    expect(JSON.stringify(only(objects, 'Deployment'))).toContain('{"name":"DEPLOY_PROMETHEUSRULES","value":"true"}');
    const map = only(objects, 'ConfigMap') as { metadata: { labels: object }; data: Record<string, string> };
    expect(map.metadata.labels).toEqual({ grafana_dashboard: '1' });
    expect(JSON.parse(map.data['metallb.json'] ?? '')).toMatchObject({ title: 'MetalLB' });
    const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy').map(({ metadata }) => metadata.name);
    // The pod of `helm test` is let out, too.
    expect(policies.sort()).toEqual(['default-deny', 'metallb-operator', 'metallb-test']);
  });

  it('turns the others into settings of the operator', async () => {
    const flags = ['--set', 'networkpolicies.apiPort=16443,prometheus.metricsPort=9999,prometheus.podMonitor.enabled=true,image.tag=v9'];
    interface Deployment {
      readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { image: string; env: readonly { name: string; value?: string }[] }[] } } };
    }
    const [manager] = (only(await rendered(...flags), 'Deployment') as Deployment).spec.template.spec.containers;
    const env = Object.fromEntries(manager?.env.map(({ name, value }) => [name, value]) ?? []);
    expect(env).toMatchObject({ API_SERVER_PORTS: '16443', METRICS_PORT: '9999', DEPLOY_PODMONITORS: 'true' });
    expect(manager?.image).toBe('ghcr.io/metallb-ts/metallb-ts:v9');
  });
});

describe('the life of a release', () => {
  const inNamespace = ['-n', namespace] as const;
  const level = async (): Promise<unknown> => {
    const { spec } = await lab.api.get<MetalLB>(`/apis/metallb.io/v1beta1/namespaces/${namespace}/metallbs/metallb`);
    return spec['logLevel'];
  };

  it('install: CRDs, operator, the MetalLB object; the notes name values without effect', async () => {
    const file = valuesFile('inert', {
      controller: { logLevel: 'info', image: { tag: 'main' } },
      rbac: { create: true },
      speaker: { tolerateMaster: true },
    });
    const said = await run('install', 'metallb', chart, ...inNamespace, '-f', file);
    expect(said).toContain('STATUS: deployed');
    expect(said).toContain('kubectl wait --for=condition=Available metallb/metallb -n metallb-system');
    const silent = said.slice(said.indexOf('WARNING')).match(/^ {2}[\w.-]+: /gm);
    expect(silent).toEqual(['  rbac.create: ', '  controller.image: ', '  speaker.tolerateMaster: ']);
    expect(await level()).toBe('info');
    const names = await lab.kubectl(['get', 'deployments,crd', ...inNamespace, '-o', 'name']);
    expect(names).toContain('deployment.apps/metallb-operator-controller-manager');
    expect(names.match(/metallb\.io$/gm)).toHaveLength(12);
  });

  it('upgrade and rollback', async () => {
    expect(await run('upgrade', 'metallb', chart, ...inNamespace, '--set', 'controller.logLevel=debug')).toContain('STATUS: deployed');
    expect(await level()).toBe('debug');
    // Back to no wishes at all, which an empty spec would not survive.
    await run('upgrade', 'metallb', chart, ...inNamespace, '--reset-values');
    expect(await level()).toBe('info');
    await run('rollback', 'metallb', '1', ...inNamespace);
    expect(await level()).toBe('info');
    expect(JSON.parse(await run('history', 'metallb', ...inNamespace, '-o', 'json'))).toHaveLength(4);
  });

  it('an upgrade over CRDs of another version says how to bring them up to date, and goes on afterwards', async () => {
    const newer = join(folder, 'newer');
    cpSync(chart, newer, { recursive: true });
    const file = join(newer, 'crds/metallb.io_communities.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/description: .*/, 'description: Another one.'));
    const { code, stderr } = await helm('upgrade', 'metallb', newer, ...inNamespace);
    expect(code).not.toBe(0);
    expect(stderr).toContain('CRD communities.metallb.io in the cluster is not the one of chart metallb-');
    expect(stderr).toContain('helm show crds CHART | kubectl apply --server-side --force-conflicts -f -');
    await run('upgrade', 'metallb', newer, ...inNamespace, '--set', 'crds.enabled=false');
    const crds = await run('show', 'crds', newer);
    await lab.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input: crds });
    expect(await run('upgrade', 'metallb', newer, ...inNamespace)).toContain('STATUS: deployed');
  });

  it('uninstall leaves the CRDs and nothing else', async () => {
    await run('uninstall', 'metallb', ...inNamespace, '--wait');
    const kinds = 'deployments,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,metallbs,secrets';
    const left = await lab.kubectl(['get', kinds, '-A', '-l', 'app.kubernetes.io/name=metallb', '-o', 'name']);
    expect(left).toBe('');
    expect(await lab.kubectl(['get', 'metallbs', '-A', '-o', 'name'])).toBe('');
    expect((await lab.kubectl(['get', 'crd', '-o', 'name'])).match(/metallb\.io$/gm)).toHaveLength(12);
  });
});

describe('C02: empty and null blocks in values', () => {
  type Values = { readonly [name: string]: unknown };
  const isMap = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value);
  const defaults = parse(readFileSync(`${chart}/values.yaml`, 'utf8')) as Values;

  /** Paths of all values, groups and what is below them. */
  function paths(values: Values, above: readonly string[] = []): (readonly string[])[] {
    return Object.entries(values).flatMap(([name, value]) => {
      const path = [...above, name];
      return [path, ...(isMap(value) && !['labels', 'nodeSelector', 'resources'].includes(name) ? paths(value, path) : [])];
    });
  }
  const at = (path: readonly string[]) => path.reduce<unknown>((value, name) => (value as Values)[name], defaults);
  const withValue = (path: readonly string[], value: unknown) => path.reduceRight<unknown>((below, name) => ({ [name]: below }), value) as object;
  const template = (values: object, ...flags: readonly string[]) => helm('template', 'metallb', chart, '-n', namespace, '-f', valuesFile('c02', values), ...flags);

  const all = paths(defaults);
  const nulls = all.map((path) => [`${path.join('.')}: null`, withValue(path, null)] as const);
  const empties = all.filter((path) => isMap(at(path))).map((path) => [`${path.join('.')}: {}`, withValue(path, {})] as const);
  const given = {
    prometheus: { podMonitor: { enabled: true } },
    speaker: { resources: null, frr: {} },
    controller: {},
    frrk8s: null,
  };

  it('C02 E1, C02 E2: whatever is null or empty, the API server takes what is rendered; no template stops', async () => {
    expect(nulls.length).toBeGreaterThan(60);
    const texts = new Map<string, string>();
    for (const [what, values] of [...nulls, ...empties, ['the example', given] as const]) {
      const { code, stdout, stderr } = await template(values);
      expect([what, code, stderr]).toEqual([what, 0, '']);
      expect(stdout).toContain('kind: Deployment');
      // The pod of `helm test` needs its account first, which a dry run does not make.
      texts.set((await template(values, '--no-hooks')).stdout, what);
    }
    for (const [text, what] of texts) {
      const answer = await lab.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], { input: text });
      expect([what, answer]).toEqual([what, expect.stringContaining('deployment.apps/metallb-operator-controller-manager created')]);
    }
  });

  it('C02 E3: an empty block, and a null one that has values below it, are as by default', async () => {
    const plain = await run('template', 'metallb', chart, '-n', namespace);
    const groups = all.filter((path) => isMap(at(path)) && all.some((other) => other.length > path.length && other.join('.').startsWith(`${path.join('.')}.`)));
    expect(groups.map((path) => path.join('.'))).toEqual(expect.arrayContaining(['speaker', 'speaker.frr', 'frrk8s', 'prometheus.dashboard']));
    for (const path of groups)
      for (const value of [null, {}]) expect([path, (await template(withValue(path, value))).stdout]).toEqual([path, plain]);
    expect((await template(withValue(['operator', 'nodeSelector'], null))).stdout).not.toContain('kubernetes.io/os');
  });

  it('C02 E1: what has the wrong type is refused by the schema, which names it', async () => {
    const { code, stderr } = await template({ speaker: { frr: 7 } });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/speaker.frr/);
    expect(stderr).not.toMatch(/nil pointer|executing/);
  });

  it('C02 E4: podMonitor.enabled alone reaches the operator (whose tests have the monitors, and what it says without their CRDs)', async () => {
    expect(JSON.stringify(only(await rendered('-f', valuesFile('c02', given)), 'Deployment'))).toContain('{"name":"DEPLOY_PODMONITORS","value":"true"}');
  });
});

it('values.yaml and the schema say the same: the defaults pass, and each has a description', () => {
  const schema = JSON.parse(readFileSync(`${chart}/values.schema.json`, 'utf8')) as { properties: Record<string, { description?: string }> };
  const values = parse(readFileSync(`${chart}/values.yaml`, 'utf8')) as object;
  for (const name of Object.keys(values)) expect(schema.properties[name]?.description).toMatch(/\S/);
});
