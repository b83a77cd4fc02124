/**
 * The operator from one manifest on real kubelets: pods, logs, scheduling and removal (operator-packaging.md §10.8 and
 * §10.9 by number).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from '#lab/lab.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { apiDump } from '#tests/support/api-dump.ts';

const namespace = 'metallb-system';
let lab: Lab;
let before: readonly string[];

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-e2e-op', level: 'full', nodes: 2, report: quiet });
  await lab.control.waitServiceAccount('default');
  before = await apiDump(lab.api);
  await lab.kubectl(['apply', '--server-side', '-f', 'config/operator/install.yaml']);
  await lab.kubectl(['rollout', 'status', '-n', namespace, 'deployment', '--timeout=60s'], {
    timeoutMs: 90_000,
  });
});

afterAll(() => lab?.down());

function kubectl(...args: readonly string[]): Promise<string> {
  return lab.kubectl(['-n', namespace, ...args]);
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly priorityClassName?: string;
    readonly containers: readonly {
      readonly name: string;
      readonly resources: { readonly limits?: object };
    }[];
  };
  readonly status: { readonly phase: string };
}

/** Pods with a label, without those that are on their way out. */
async function pods(label: string): Promise<readonly Pod[]> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(label)}`;
  const { items } = await lab.api.get<{ items: readonly Pod[] }>(path);
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

async function install(spec: object): Promise<void> {
  await apply({
    apiVersion: 'metallb.io/v1beta1',
    kind: 'MetalLB',
    metadata: { name: 'metallb', namespace },
    spec,
  });
}

async function apply(object: object): Promise<void> {
  await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
}

/** Condition by condition, once the object's newest generation is what they are about. */
async function conditions(): Promise<string> {
  const { metadata, status } = await lab.api.get<{
    metadata: { generation: number };
    status?: { conditions?: readonly { type: string; status: string; observedGeneration: number }[] };
  }>(`/apis/metallb.io/v1beta1/namespaces/${namespace}/metallbs/metallb`);
  const current = (status?.conditions ?? []).filter(
    ({ observedGeneration }) => observedGeneration === metadata.generation,
  );
  return current.map(({ type, status: value }) => `${type}=${value}`).join(' ');
}

async function becomes(words: string): Promise<void> {
  await waitFor(`conditions ${words}`, async () => (await conditions()).includes(words), {
    deadlineMs: 120_000,
    explain: () => kubectl('describe', 'metallb,pods'),
  });
}

const available = () => becomes('Available=True Upgradeable=True Progressing=False Degraded=False');

/** The log of the container that a component is named after, of its one or first pod. */
async function log(component: string): Promise<string> {
  const [pod] = await pods(`component=${component}`);
  return kubectl('logs', pod?.metadata.name ?? '', '-c', component);
}

describe('what the manifest installs', () => {
  it('94, 96, 97: the namespace, the operator with as many running pods as replicas, the kind', async () => {
    expect(await lab.kubectl(['get', 'namespace', namespace, '-o', 'jsonpath={.status.phase}'])).toBe(
      'Active',
    );
    const replicas = await kubectl(
      'get',
      'deployment',
      'metallb-operator-controller-manager',
      '-o',
      'jsonpath={.spec.replicas}',
    );
    const running = await pods('control-plane=controller-manager');
    expect(running.map(({ status }) => status.phase)).toEqual(Array(Number(replicas)).fill('Running'));
    expect(await lab.kubectl(['get', 'crd', 'metallbs.metallb.io', '-o', 'name'])).toContain(
      'metallbs.metallb.io',
    );
  });
});

describe('a MetalLB object', () => {
  it('78, 80, 81, 83: becomes pods that run, as many as asked for, that belong to it', async () => {
    await install({});
    await available();
    expect((await pods('component=controller')).map(({ status }) => status.phase)).toEqual(['Running']);
    const desired = await kubectl(
      'get',
      'daemonset',
      'speaker',
      '-o',
      'jsonpath={.status.desiredNumberScheduled}',
    );
    expect(desired).toBe('2');
    expect((await pods('component=speaker')).map(({ status }) => status.phase)).toEqual([
      'Running',
      'Running',
    ]);
    const owners = 'jsonpath={.metadata.ownerReferences[0].kind}';
    for (const workload of ['deployment/controller', 'daemonset/speaker'])
      expect(await kubectl('get', workload, '-o', owners)).toBe('MetalLB');
  });

  it('87: the logs of both have the literal words of level info and none of debug', async () => {
    for (const component of ['controller', 'speaker']) {
      const text = await log(component);
      expect(text).toContain('"level":"info"');
      expect(text).not.toContain('"level":"debug"');
    }
  });

  it('79, 88, C09 E4: with level debug Progressing, then Available, and both words in the logs of the new pods', async () => {
    await install({ logLevel: 'debug' });
    await becomes('Progressing=True');
    await available();
    for (const component of ['controller', 'speaker'])
      await waitFor(`both levels in the log of ${component}`, async () => {
        const text = await log(component);
        return text.includes('"level":"info"') && text.includes('"level":"debug"');
      });
  });

  it('86: what is added to a plain one is rolled out: priority, annotation, limit, affinity', async () => {
    await install({});
    await available();
    await apply({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'high' },
      value: 1000,
    });
    await install({
      controllerConfig: {
        priorityClassName: 'high',
        annotations: { 'e2e.test/a': 'b' },
        resources: { limits: { cpu: '100m' } },
      },
    });
    await waitFor('the controller with all of it', async () => {
      const [pod] = await pods('component=controller');
      return pod?.spec.priorityClassName === 'high';
    });
    await available();
    const [pod] = await pods('component=controller');
    expect(pod).toMatchObject({
      metadata: { annotations: { 'e2e.test/a': 'b' } },
      spec: { containers: [{ name: 'controller', resources: { limits: { cpu: '100m' } } }] },
    });
  });

  it('85: speakers where the controller is, by pod affinity, with priority, annotation and limit', async () => {
    const affinity = {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            labelSelector: { matchLabels: { component: 'controller' } },
            topologyKey: 'kubernetes.io/hostname',
          },
        ],
      },
    };
    const config = {
      priorityClassName: 'high',
      annotations: { 'e2e.test/a': 'b' },
      resources: { limits: { cpu: '100m' } },
    };
    const there = { controllerConfig: config, controllerNodeSelector: { 'kubernetes.io/hostname': 'node1' } };
    await install(there);
    await available();
    // To the scheduler a controller on its way out is one, too.
    await waitFor(
      'a single controller',
      async () =>
        (await kubectl('get', 'pods', '-l', 'component=controller', '-o', 'name')).trim().split('\n')
          .length === 1,
    );
    // The speaker that finds no place counts as unavailable, and must not keep the other one from being replaced.
    const updateStrategy = { rollingUpdate: { maxUnavailable: 2 } };
    await install({ ...there, speakerConfig: { ...config, affinity, updateStrategy } });
    const [controller] = await pods('component=controller');
    await waitFor(
      'the speaker beside the controller alone, running',
      async () => {
        const all = await pods('component=speaker');
        const running = all.filter(({ status }) => status.phase === 'Running');
        return (
          running.length === 1 &&
          running[0]?.spec.nodeName === controller?.spec.nodeName &&
          running[0]?.spec.priorityClassName === 'high'
        );
      },
      { deadlineMs: 60_000, explain: () => kubectl('get', 'pods', '-o', 'wide') },
    );
    const speaker = (await pods('component=speaker')).find(({ status }) => status.phase === 'Running');
    expect(speaker?.metadata.annotations).toMatchObject({ 'e2e.test/a': 'b' });
    expect(speaker?.spec.containers.find(({ name }) => name === 'speaker')?.resources.limits).toEqual({
      cpu: '100m',
    });
    // The other node has a speaker that finds no place, and the object says which.
    await waitFor('the condition to name the pod without a place', async () =>
      (await kubectl('get', 'metallb', 'metallb', '-o', 'jsonpath={.status.conditions[2].message}')).includes(
        'affinity',
      ),
    );
  });

  it('C09 E4: a node selector of the speakers leaves the controller where it is', async () => {
    await lab.kubectl(['label', 'node', 'node2', 'node-role.kubernetes.io/worker=']);
    await install({
      logLevel: 'debug',
      nodeSelector: { 'node-role.kubernetes.io/worker': '' },
      controllerNodeSelector: { 'kubernetes.io/hostname': 'node1' },
    });
    await available();
    expect((await pods('component=speaker')).map(({ spec }) => spec.nodeName)).toEqual(['node2']);
    expect((await pods('component=controller')).map(({ spec }) => spec.nodeName)).toEqual(['node1']);
  });

  it('84: deletion takes workloads and pods with it', async () => {
    await kubectl('delete', 'metallb', 'metallb', '--timeout=60s');
    await waitFor(
      'the pods to be gone',
      async () =>
        (await kubectl('get', 'deployments,daemonsets,pods', '-l', 'app=metallb', '-o', 'name')) === '',
      { deadlineMs: 60_000 },
    );
  });

  it('uninstall leaves nothing: the API has what it had before', async () => {
    const left = async (): Promise<readonly string[]> =>
      (await apiDump(lab.api)).filter((name) => !before.includes(name));
    expect(await left()).toEqual(
      expect.arrayContaining([
        'apiextensions.k8s.io/customresourcedefinitions bgppeers.metallb.io',
        `apps/deployments ${namespace}/metallb-operator-controller-manager`,
        `coordination.k8s.io/leases ${namespace}/metallb.io.metallboperator`,
      ]),
    );
    await lab.kubectl(['delete', 'priorityclass', 'high']);
    await lab.kubectl(['delete', '-f', 'config/operator/install.yaml', '--timeout=60s'], {
      timeoutMs: 90_000,
    });
    await waitFor('what we brought to be gone', async () => (await left()).length === 0, {
      deadlineMs: 60_000,
      explain: async () => (await left()).join('\n'),
    });
  });
});
