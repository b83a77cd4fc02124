/**
 * Least privilege, by the API server's own log: the operator and what it makes do all their work on real kubelets,
 * and each right that they have is compared with what they used. Both ways, with a control for either.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readAudit } from '#lab/control/audit.ts';
import { Lab } from '#lab/lab.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { ingressOf } from '#lab/workload/service.ts';
import { answeringServices, startEcho } from '#tests/support/echo-traffic.ts';
import { reasonFor } from '#tests/support/rights-reasons.ts';
import {
  grantsOf,
  refused,
  textOf,
  unused,
  type Grant,
  type PolicyRule,
  type Rbac,
} from '#tests/support/rights-audit.ts';

const namespace = 'metallb-system';
const accounts = ['manager-account', 'controller', 'speaker'];
const users = accounts.map((name) => `system:serviceaccount:${namespace}:${name}`);
let lab: Lab;

const kubectl = (...args: readonly string[]) => lab.kubectl(args, { timeoutMs: 120_000 });
const apply = (object: object) => lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });

const metallb = (spec: object) =>
  apply({
    apiVersion: 'metallb.io/v1beta1',
    kind: 'MetalLB',
    metadata: { name: 'metallb', namespace },
    spec,
  });

async function available(): Promise<void> {
  const path = `/apis/metallb.io/v1beta1/namespaces/${namespace}/metallbs/metallb`;
  await waitFor(
    'MetalLB to be Available in its newest generation',
    async () => {
      const { metadata, status } = await lab.api.get<{
        metadata: { generation: number };
        status?: { conditions?: { type: string; status: string; observedGeneration: number }[] };
      }>(path);
      return status?.conditions?.some(
        (each) =>
          each.type === 'Available' &&
          each.status === 'True' &&
          each.observedGeneration === metadata.generation,
      );
    },
    { deadlineMs: 120_000, explain: () => kubectl('describe', 'metallb,pods', '-n', namespace) },
  );
}

interface Items<T> {
  readonly items: readonly T[];
}

interface Named {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

interface Binding extends Named {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
  }[];
}

/** As the cluster has it, not as a manifest says. */
async function readRbac(): Promise<Rbac> {
  const root = '/apis/rbac.authorization.k8s.io/v1';
  const list = async <T>(plural: string) => (await lab.api.get<Items<T>>(`${root}/${plural}`)).items;
  type Role = Named & { readonly rules?: readonly PolicyRule[] };
  const roles = [...(await list<Role>('roles')), ...(await list<Role>('clusterroles'))];
  const bindings = [
    ...(await list<Binding>('rolebindings')),
    ...(await list<Binding>('clusterrolebindings')),
  ];
  return {
    roles: roles.map(({ metadata, rules = [] }) => ({
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      rules,
    })),
    bindings: bindings.map(({ metadata, roleRef, subjects = [] }) => ({
      namespace: metadata.namespace ?? '',
      role: { namespace: roleRef.kind === 'Role' ? (metadata.namespace ?? '') : '', name: roleRef.name },
      users: subjects
        .filter(({ kind }) => kind === 'ServiceAccount')
        .map((subject) => `system:serviceaccount:${subject.namespace}:${subject.name}`),
    })),
  };
}

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-e2e-rights', level: 'full', nodes: 2, audit: [namespace], report: quiet });
  await kubectl('apply', '--server-side', '-f', 'config/operator/install.yaml');
  await startEcho(lab);
});

afterAll(() => lab?.down());

it('the tour: installation, Services by BGP and ARP, changes, drift, reservations, several controllers', async () => {
  await metallb({});
  await available();
  await kubectl('apply', '-f', 'lab/demo/manifests/bgp.yaml', '-f', 'lab/demo/manifests/l2.yaml');
  // The controller writes on each kind that users configure whether it takes the object.
  await apply({
    apiVersion: 'metallb.io/v1beta1',
    kind: 'Community',
    metadata: { name: 'names', namespace },
    spec: { communities: [{ name: 'home', value: '64512:1' }] },
  });
  await kubectl('wait', '--for=condition=Accepted', 'community/names', '-n', namespace, '--timeout=60s');
  await answeringServices(lab);
  // Reservation: the Service goes, its address is kept; status of the reservation is written.
  await kubectl('annotate', 'service', 'echo-lan', 'metallb.io/reserve-for=1h');
  await waitFor(
    'a reservation',
    async () => (await kubectl('get', 'ipreservations', '-n', namespace, '-o', 'name')) !== '',
  );
  await kubectl('delete', 'service', 'echo-lan');
  await kubectl('delete', 'ipreservations', '--all', '-n', namespace);
  // Somebody deletes what others wrote: it comes back.
  for (const kind of ['configurationstates', 'bgpsessionstates', 'servicebgpstatuses'])
    await kubectl('delete', kind, '--all', '-n', namespace);
  await waitFor('the status objects', async () => {
    const names = await kubectl(
      'get',
      'configurationstates,bgpsessionstates,servicebgpstatuses',
      '-n',
      namespace,
      '-o',
      'name',
    );
    return ['configurationstate', 'bgpsessionstate', 'servicebgpstatus'].every((kind) =>
      names.includes(kind),
    );
  });
  // Drift, then another shape: two controllers, whose disruption budget comes and goes.
  await kubectl('delete', 'daemonset', 'speaker', '-n', namespace);
  await waitFor(
    'the DaemonSet again',
    async () => (await kubectl('get', 'daemonsets', '-n', namespace, '-o', 'name')) !== '',
  );
  await metallb({ controllerConfig: { replicas: 2 }, logLevel: 'debug' });
  await available();
  await metallb({});
  await available();
  await scrapeAll();
  await kubectl('delete', 'bgpadvertisement,bgppeer', '--all', '-n', namespace);
  await waitFor(
    'the sessions to be forgotten',
    async () => (await kubectl('get', 'bgpsessionstates', '-n', namespace, '-o', 'name')) === '',
  );
  await kubectl('delete', 'service', 'echo-bgp');
  expect(await ingressOf(lab.api, 'kubernetes')).toEqual([]);
});

/** Metrics, as Prometheus reads them: each program asks the API server who that is, and whether he may. */
async function scrapeAll(): Promise<void> {
  await kubectl('create', 'serviceaccount', 'prometheus');
  await kubectl('create', 'clusterrole', 'scrape', '--verb=get', '--non-resource-url=/metrics');
  await kubectl(
    'create',
    'clusterrolebinding',
    'scrape',
    '--clusterrole=scrape',
    '--serviceaccount=default:prometheus',
  );
  const token = (await kubectl('create', 'token', 'prometheus')).trim();
  const path = 'jsonpath={range .items[*]}{.status.podIP} {end}';
  const ips = await kubectl('get', 'pods', '-n', namespace, '-l', 'app=metallb', '-o', path);
  for (const ip of ips.trim().split(' ')) {
    const curl = [
      'curl',
      '-ks',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-H',
      `authorization: Bearer ${token}`,
    ];
    expect((await lab.exec('control', [...curl, `https://${ip}:9120/metrics`])).stdout).toBe('200');
  }
}

it('controls: an invented grant is reported, and so is a refused request', async () => {
  await kubectl('create', 'role', 'invented', '--verb=delete', '--resource=configmaps', '-n', namespace);
  await kubectl(
    'create',
    'rolebinding',
    'invented',
    '--role=invented',
    `--serviceaccount=${namespace}:speaker`,
    '-n',
    namespace,
  );
  const invented = grantsOf(await readRbac(), users).filter(
    ({ verb, resource }) => verb === 'delete' && resource === '/configmaps',
  );
  const of = (user: string) => invented.filter((grant) => grant.user.endsWith(user));
  expect(of(':speaker')).toHaveLength(1);
  expect(unused(of(':speaker'), readAudit(lab.folder)).map(textOf)).toEqual([
    `speaker in ${namespace}: delete /configmaps`,
  ]);
  await kubectl('delete', 'rolebinding,role', 'invented', '-n', namespace);
  const before = refused(readAudit(lab.folder)).length;
  const token = (await kubectl('create', 'token', 'speaker', '-n', namespace)).trim();
  const curl = ['curl', '-sk', '-H', `authorization: Bearer ${token}`];
  await lab.exec('control', [...curl, 'https://127.0.0.1:6443/api/v1/namespaces/default/secrets']);
  await waitFor('the refusal in the log', () => refused(readAudit(lab.folder)).length > before);
  expect(refused(readAudit(lab.folder)).at(-1)).toMatch(
    /:speaker list \/api\/v1\/namespaces\/default\/secrets/,
  );
});

it('nothing was refused', () => {
  const control = /:speaker list \/api\/v1\/namespaces\/default\/secrets$/;
  expect(refused(readAudit(lab.folder)).filter((text) => !control.test(text))).toEqual([]);
});

it('what was granted and not used has a reason, each', async () => {
  const events = readAudit(lab.folder);
  const grants = grantsOf(await readRbac(), users);
  expect(grants.length).toBeGreaterThan(100);
  const idle = unused(grants, events);
  const held = (grant: Grant): boolean => reasonFor(grant, grants, idle) !== undefined;
  process.stdout.write(
    `${events.length} requests, ${grants.length} grants, ${idle.length} not used\n${idle.map((grant) => `  ${textOf(grant)}: ${reasonFor(grant, grants, idle) ?? 'NO REASON'}`).join('\n')}\n`,
  );
  expect(idle.filter((grant) => !held(grant)).map(textOf)).toEqual([]);
});
