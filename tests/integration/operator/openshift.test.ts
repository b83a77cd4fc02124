/**
 * The operator where OpenShift's own CRDs are: security context constraints, the TLS profile of the cluster, service
 * certificates. What admits pods and makes certificates there is not part of this lab.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crdFiles } from '#lab/crds/crds.ts';
import { Lab } from '#lab/lab.ts';
import type { Daemon } from '#lab/process/daemon.ts';
import { quiet } from '#lab/report.ts';
import { eventually } from '#tests/support/eventually.ts';
import { installOperator, type InstalledOperator } from './operator-process.ts';

const namespace = 'metallb-system';
const LONG = 60_000;
const apiServers = '/apis/config.openshift.io/v1/apiservers';
const scc = '/apis/security.openshift.io/v1/securitycontextconstraints/metallb-speaker';

interface Workload {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec: {
        readonly securityContext?: object;
        readonly volumes?: readonly object[];
        readonly containers: readonly { readonly name: string; readonly args: readonly string[] }[];
      };
    };
  };
}

let lab: Lab;
let installed: InstalledOperator;
let operator: Daemon;

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-openshift', level: 'light', nodes: 1, report: quiet });
  const names = /apiservers-Default|routes\.crd|securitycontextconstraints/;
  const files = await crdFiles('openshift', names, quiet);
  const monitors = await crdFiles('prometheus', /_(pod|service)monitors|_prometheusrules/, quiet);
  for (const file of [...files, ...monitors])
    await lab.kubectl(['apply', '--server-side', '-f', '-'], { input: readFileSync(file, 'utf8') });
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  await lab.api.create(apiServers, {
    apiVersion: 'config.openshift.io/v1',
    kind: 'APIServer',
    metadata: { name: 'cluster' },
    spec: {},
  });
  installed = await installOperator(lab);
  operator = await start('operator');
  await lab.kubectl(['apply', '-f', 'lab/demo/manifests/metallb.yaml']);
});

afterAll(async () => {
  await installed?.kubelet[Symbol.asyncDispose]();
  await lab?.down();
});

async function start(name: string): Promise<Daemon> {
  const started = installed.start(name, [], {
    DEPLOY_SERVICEMONITORS: 'true',
    DEPLOY_PROMETHEUSRULES: 'true',
  });
  await eventually(() => expect(started.logText()).toContain('"msg":"ready"'), LONG);
  return started;
}

const workload = (path: string) => lab.api.get<Workload>(`/apis/apps/v1/namespaces/${namespace}/${path}`);

async function tlsArgs(path: string): Promise<readonly string[]> {
  const { spec } = await workload(path);
  return spec.template.spec.containers[0]?.args.filter((arg) => arg.startsWith('--tls-')) ?? [];
}

const profile = (tlsSecurityProfile: object) =>
  lab.api.patch(`${apiServers}/cluster`, { spec: { tlsSecurityProfile } });

describe('security context constraints', () => {
  it('95, 51, 106: the speaker has its own, as OpenShift’s schema has it, and the right to use it; no other pod needs one', async () => {
    const made = await eventually(() => lab.api.get(scc), LONG);
    expect(made).toMatchObject({
      allowHostNetwork: true,
      allowPrivilegedContainer: false,
      allowedCapabilities: [
        'CHOWN',
        'KILL',
        'NET_ADMIN',
        'NET_BIND_SERVICE',
        'NET_RAW',
        'SETGID',
        'SETUID',
        'SYS_ADMIN',
        'SYS_NICE',
      ],
    });
    const { spec } = await eventually(() => workload('daemonsets/speaker'), LONG);
    expect(spec.template.metadata.annotations).toMatchObject({
      'openshift.io/required-scc': 'metallb-speaker',
    });
    const who = `--as=system:serviceaccount:${namespace}:speaker`;
    const use = ['auth', 'can-i', 'use', 'securitycontextconstraints.security.openshift.io/metallb-speaker'];
    expect(await lab.kubectl([...use, '-n', namespace, who])).toBe('yes\n');
    for (const name of ['controller', 'metallb-operator-controller-manager']) {
      const pod = (await workload(`deployments/${name}`)).spec.template.spec;
      expect(JSON.stringify(pod)).not.toMatch(/runAsUser|fsGroup|hostNetwork|hostPath/);
    }
  });

  it('what somebody changes there is put back', async () => {
    await lab.api.patch(scc, { allowPrivilegedContainer: true });
    await eventually(
      async () => expect(await lab.api.get(scc)).toMatchObject({ allowPrivilegedContainer: false }),
      LONG,
    );
  });
});

describe('the TLS profile of the cluster', () => {
  it('65: nothing chosen is Intermediate; another profile reaches operator, controller and speakers', async () => {
    const suites = expect.stringMatching(
      /^--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,/,
    ) as string;
    for (const path of ['deployments/controller', 'daemonsets/speaker'])
      await eventually(
        async () => expect(await tlsArgs(path)).toEqual([suites, '--tls-min-version=VersionTLS12']),
        LONG,
      );
    await profile({ type: 'Modern', modern: {} });
    // Kubernetes starts it again, when it has ended.
    await eventually(() => expect(operator.alive).toBe(false), LONG);
    expect(operator.logText()).toContain('the TLS profile of the cluster is another one now');
    operator = await start('operator-2');
    for (const path of ['deployments/controller', 'daemonsets/speaker'])
      await eventually(
        async () => expect(await tlsArgs(path)).toEqual(['--tls-min-version=VersionTLS13']),
        LONG,
      );
  });

  it('a change that leads to the same settings ends nothing', async () => {
    await profile({ type: 'Custom', modern: null, custom: { minTLSVersion: 'VersionTLS13', ciphers: [] } });
    await lab.api.patch(scc, { allowPrivilegedContainer: true });
    await eventually(
      async () => expect(await lab.api.get(scc)).toMatchObject({ allowPrivilegedContainer: false }),
      LONG,
    );
    expect(operator.alive).toBe(true);
  });
});

describe('metrics', () => {
  it('44, 45, 48: certificates of service-ca for controller and speakers, by Services and mounts', async () => {
    for (const [component, path] of [
      ['controller', 'deployments/controller'],
      ['speaker', 'daemonsets/speaker'],
    ] as const) {
      const service = await lab.api.get<Workload>(
        `/api/v1/namespaces/${namespace}/services/${component}-monitor-service`,
      );
      const secret = `${component}-certs-secret`;
      expect(service.metadata.annotations).toMatchObject({
        'service.beta.openshift.io/serving-cert-secret-name': secret,
      });
      const pod = (await workload(path)).spec.template.spec;
      expect(JSON.stringify(pod.volumes)).toContain(`"secretName":"${secret}"`);
      expect(pod.containers[0]?.args).toContain('--metrics-cert-dir=/etc/metrics');
    }
    const monitors = await lab.kubectl([
      'get',
      'servicemonitors,prometheusrules',
      '-n',
      namespace,
      '-o',
      'name',
    ]);
    expect(monitors.trim().split('\n')).toHaveLength(4);
  });

  it('the cluster’s own Prometheus finds the pods, and nothing else of the namespace', async () => {
    const can = (what: string) =>
      lab
        .kubectl([
          'auth',
          'can-i',
          ...what.split(' '),
          '-n',
          namespace,
          '--as=system:serviceaccount:openshift-monitoring:prometheus-k8s',
        ])
        .catch(() => 'no\n');
    for (const kind of ['endpoints', 'pods', 'services']) expect(await can(`list ${kind}`)).toBe('yes\n');
    expect(await can('list secrets')).toBe('no\n');
  });

  it('the namespace has the label by which cluster monitoring takes it', async () => {
    const { metadata } = await lab.api.get<{ metadata: { labels: object } }>(
      `/api/v1/namespaces/${namespace}`,
    );
    expect(metadata.labels).toMatchObject({ 'openshift.io/cluster-monitoring': 'true' });
  });
});
