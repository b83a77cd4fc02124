/**
 * The programs under exactly the rights that the manifests give them: whatever they need and do not have shows as a
 * 403 in their log. (The pods' own tokens are replaced by certificates of the same users.)
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from '#lab/lab.ts';
import type { Daemon } from '#lab/process/daemon.ts';
import { quiet } from '#lab/report.ts';
import { createService, ingressOf } from '#lab/workload/service.ts';
import { eventually } from '#tests/support/eventually.ts';

const namespace = 'metallb-system';
let lab: Lab;

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-operator-r', level: 'light', nodes: 1, report: quiet });
  const manifests = readFileSync('config/manifests/metallb-frr.yaml', 'utf8');
  await lab.kubectl(['apply', '-f', '-'], { input: manifests });
  await lab.kubectl(['apply', '-f', '-'], { input: readFileSync('config/samples/layer2.yaml', 'utf8') });
});

afterAll(() => lab?.down());

async function start(program: string, args: readonly string[], env: Record<string, string>): Promise<Daemon> {
  const kubeconfig = await lab.issueKubeconfig(`system:serviceaccount:${namespace}:${program}`, [
    'system:serviceaccounts',
    `system:serviceaccounts:${namespace}`,
  ]);
  return lab.spawn('control', {
    name: program,
    argv: [process.execPath, `${program}/main.ts`, `--kubeconfig=${kubeconfig}`, ...args],
    env,
  });
}

interface Workload {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly { name: string; args: string[] }[] };
    };
  };
}

/** The flags that the manifest gives a container. */
async function flagsOf(path: string, container: string): Promise<readonly string[]> {
  const { spec } = await lab.api.get<Workload>(`/apis/apps/v1/namespaces/${namespace}/${path}`);
  return spec.template.spec.containers.find(({ name }) => name === container)?.args ?? [];
}

function refusals(program: Daemon): string[] {
  return program
    .logText()
    .split('\n')
    .filter((line) => /\b403\b|Forbidden/.test(line));
}

async function token(account: string): Promise<string> {
  return (await lab.kubectl(['create', 'token', account, '-n', namespace])).trim();
}

describe('controller', { timeout: 60_000 }, () => {
  let controller: Daemon;

  beforeAll(async () => {
    const flags = await flagsOf('deployments/controller', 'controller');
    controller = await start('controller', [...flags, '--log-level=debug'], {
      METALLB_NAMESPACE: namespace,
      METALLB_ML_SECRET_NAME: 'memberlist',
      METALLB_DEPLOYMENT: 'controller',
    });
  });

  it('takes the flags of its manifest and does all its work without a refusal', async () => {
    await createService(lab.api, { name: 'web', nodes: [1] });
    await eventually(async () => expect((await ingressOf(lab.api, 'web')).length).toBeGreaterThan(0), 20_000);
    const own = `/api/v1/namespaces/${namespace}`;
    await eventually(() => lab.api.get(`${own}/secrets/memberlist`), 20_000);
    await eventually(() =>
      lab.api.get(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/metallb-controller`),
    );
    await eventually(async () => {
      const pool = await lab.api.get<{ status?: { assignedIPv4?: number } }>(
        `/apis/metallb.io/v1beta1/namespaces/${namespace}/ipaddresspools/lan`,
      );
      expect(pool.status?.assignedIPv4).toBe(1);
      const state = await lab.api.get<{ status?: unknown }>(
        `/apis/metallb.io/v1beta1/namespaces/${namespace}/configurationstates/controller`,
      );
      expect(state.status).toBeDefined();
      const events = await lab.kubectl(['get', 'events', '-n', 'default']);
      expect(events).toContain('IPAllocated');
    }, 20_000);
    expect(refusals(controller)).toEqual([]);
  });

  it('shows its metrics to those who may see them, and to nobody else', async () => {
    const rights = [
      'create clusterrole metrics-reader --verb=get --non-resource-url=/metrics',
      `create clusterrolebinding metrics-reader --clusterrole=metrics-reader --serviceaccount=${namespace}:speaker`,
    ];
    for (const right of rights) await lab.kubectl(right.split(' '));
    const scrape = async (header: readonly string[]) => {
      const argv = ['curl', '-ks', '-o', '/dev/null', '-w', '%{http_code}', ...header];
      return (await lab.exec('control', [...argv, 'https://127.0.0.1:9120/metrics'])).stdout;
    };
    const bearer = async (account: string) => ['-H', `authorization: Bearer ${await token(account)}`];
    expect(await scrape([])).toBe('401');
    expect(await scrape(await bearer('controller'))).toBe('403');
    expect(await scrape(await bearer('speaker'))).toBe('200');
    expect(refusals(controller)).toEqual([]);
  });

  it('ends cleanly and sets its Lease free', async () => {
    await controller.stop('SIGTERM');
    const lease = await lab.api.get<{ spec: { holderIdentity?: string } }>(
      `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/metallb-controller`,
    );
    expect(lease.spec.holderIdentity ?? '').toBe('');
    expect(refusals(controller)).toEqual([]);
  });
});
