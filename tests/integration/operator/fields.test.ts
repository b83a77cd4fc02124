/**
 * Each field of a MetalLB object on a real API server: what is refused, what it becomes (the table of the unit test), and
 * objects as people write them (operator-packaging.md §10.1 and §10.3 by number, field case C09).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MetalLBSpec } from '#core/config/metallb.ts';
import { Lab } from '#lab/lab.ts';
import type { Daemon } from '#lab/process/daemon.ts';
import { quiet } from '#lab/report.ts';
import { eventually } from '#tests/support/eventually.ts';
import { fieldCases, type Fields } from '#tests/support/metallb-fields.ts';
import { installOperator, type InstalledOperator } from './operator-process.ts';

const namespace = 'metallb-system';
const metallbs = (where = namespace): string => `/apis/metallb.io/v1beta1/namespaces/${where}/metallbs`;
const theOne = `${metallbs()}/metallb`;
const plurals: Readonly<Record<string, string>> = {
  Deployment: 'apis/apps/v1 deployments',
  DaemonSet: 'apis/apps/v1 daemonsets',
  ConfigMap: 'api/v1 configmaps',
  PodDisruptionBudget: 'apis/policy/v1 poddisruptionbudgets',
};

let lab: Lab;
let operator: Daemon;
let kubelet: InstalledOperator['kubelet'];

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-operator-f', level: 'light', nodes: 3, report: quiet });
  const installed = await installOperator(lab);
  kubelet = installed.kubelet;
  operator = installed.start('operator');
  await eventually(() => expect(operator.logText()).toContain('"msg":"ready"'), 30_000);
});

afterAll(async () => {
  await kubelet?.[Symbol.asyncDispose]();
  await lab?.down();
});

function cr(name: string, spec: object, where = namespace): object {
  return { apiVersion: 'metallb.io/v1beta1', kind: 'MetalLB', metadata: { name, namespace: where }, spec };
}

/** `Kind/name` in our namespace. */
function live(object: string): Promise<Fields> {
  const [kind = '', name = ''] = object.split('/');
  const [group = '', plural = ''] = plurals[kind]?.split(' ') ?? [];
  return lab.api.get<Fields>(`/${group}/namespaces/${namespace}/${plural}/${name}`);
}

/** Puts the whole spec, whatever was there. */
async function replaceSpec(spec: MetalLBSpec): Promise<void> {
  const change = [{ op: 'replace', path: '/spec', value: spec }];
  const { status, text } = await lab.api.send('PATCH', theOne, change, 'application/json-patch+json');
  if (status !== 200) throw new Error(text);
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

async function raised(path: string): Promise<Condition | undefined> {
  const { status } = await lab.api.get<{ status?: { conditions?: readonly Condition[] } }>(path);
  return status?.conditions?.find((condition) => condition.status === 'True');
}

const preferring = (weight: number) => ({
  affinity: {
    nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, preference: {} }] },
  },
});
const noSchedule = (tolerationSeconds: number) => [{ key: 'a', effect: 'NoSchedule', tolerationSeconds }];

describe('admission', () => {
  const create = (spec: object) => lab.api.send('POST', `${metallbs()}?dryRun=All`, cr('metallb', spec));

  it.each<readonly [string, object, string]>([
    [
      '8: tolerationSeconds of a controller without NoExecute',
      { controllerTolerations: noSchedule(5) },
      'NoExecute',
    ],
    ['10: a weight of 0', { controllerConfig: preferring(0) }, 'weight'],
    ['11: a weight of 101', { speakerConfig: preferring(101) }, 'weight'],
    [
      '3: a prefix that is none',
      { frrk8sConfig: { alwaysBlock: ['192.168.0.0/24', 'none'] } },
      'alwaysBlock[1]',
    ],
    ['13: an unknown backend', { bgpBackend: 'bird' }, 'unknown BGP backend'],
    ['14: an unknown level', { logLevel: 'verbose' }, 'logLevel'],
    ['15: a class of three parts', { loadBalancerClass: 'a/b/c' }, 'loadBalancerClass'],
    ['no replicas at all', { controllerConfig: { replicas: 0 } }, 'replicas'],
    [
      'nobody unavailable',
      { speakerConfig: { updateStrategy: { rollingUpdate: { maxUnavailable: '0%' } } } },
      'maxUnavailable',
    ],
    [
      'an unknown strategy',
      { speakerConfig: { updateStrategy: { type: 'Recreate' } } },
      'updateStrategy.type',
    ],
    ['a Secret without a name', { imagePullSecrets: [{ name: '' }] }, 'imagePullSecrets[0].name'],
  ])('%s is refused, by the name of the field', async (_, spec, words) => {
    const { status, text } = await create(spec);
    expect(status).toBe(422);
    expect(text).toContain(words);
  });

  it.each<readonly [string, object]>([
    ['1: nothing at all', {}],
    [
      '2, 4: prefixes of both families',
      { frrk8sConfig: { alwaysBlock: ['10.0.0.0/16', ' 2001:db8::/32 '] } },
    ],
    ['12: weights of 10 and 100', { controllerConfig: preferring(10), speakerConfig: preferring(100) }],
    ['17: tolerationSeconds of 0', { speakerTolerations: noSchedule(0) }],
  ])('%s is accepted', async (_, spec) => {
    expect((await create(spec)).status).toBe(201);
  });
});

describe('fields', () => {
  beforeAll(async () => {
    await lab.api.create(metallbs(), cr('metallb', {}));
    await eventually(() => live('DaemonSet/speaker'), 30_000);
  });

  it.each(fieldCases)('$fields becomes part of $object, and goes with the field', async (one) => {
    // The case before may have been about another object.
    await eventually(async () => expect(one.seen(await live(one.object))).toEqual(one.otherwise), 10_000);
    await replaceSpec(one.spec);
    await eventually(async () => expect(one.seen(await live(one.object))).toEqual(one.becomes), 10_000);
    await replaceSpec({});
    await eventually(async () => expect(one.seen(await live(one.object))).toEqual(one.otherwise), 10_000);
  });

  it('9: an update is judged like a creation', async () => {
    const { status, text } = await lab.api.send(
      'PATCH',
      theOne,
      { spec: { speakerTolerations: noSchedule(5) } },
      'application/merge-patch+json',
    );
    expect(status).toBe(422);
    expect(text).toContain('NoExecute');
  });

  it.each<readonly [string, object, RegExp]>([
    [
      'MLB-13: a label of ours',
      { speakerConfig: { labels: { app: 'x' } } },
      /^spec\.speakerConfig\.labels\.app: /,
    ],
    [
      'MLB-14: no regular expression',
      { speakerConfig: { excludedInterfaces: ['a('] } },
      /excludedInterfaces\[0\]: "a\("/,
    ],
    [
      'MLB-15: a share beside OnDelete',
      { speakerConfig: { updateStrategy: { type: 'OnDelete', rollingUpdate: { maxUnavailable: 1 } } } },
      /^spec\.speakerConfig\.updateStrategy\.rollingUpdate: /,
    ],
    [
      '5, 6: an external frr-k8s without namespace',
      { bgpBackend: 'frr-k8s-external', frrk8sConfig: {} },
      /^spec\.frrk8sConfig\.namespace: /,
    ],
  ])('%s is Degraded with the field, and the workloads stay as they are', async (_, spec, words) => {
    const before = (await live('DaemonSet/speaker'))['metadata'] as Fields;
    await replaceSpec(spec);
    await eventually(async () => {
      const condition = await raised(theOne);
      expect(condition).toMatchObject({ type: 'Degraded', reason: 'InvalidSpec' });
      expect(condition?.message).toMatch(words);
    }, 10_000);
    expect((await live('DaemonSet/speaker'))['metadata']).toMatchObject({ generation: before['generation'] });
    await replaceSpec({});
    await eventually(
      async () => expect(await raised(theOne)).not.toMatchObject({ type: 'Degraded' }),
      10_000,
    );
  });

  it('of two controllers a drain may take one at a time, and with one there is no budget', async () => {
    await replaceSpec({ controllerConfig: { replicas: 2 } });
    kubelet.running = true;
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const names = await eventually(async () => {
      expect(await live('PodDisruptionBudget/controller')).toMatchObject({
        status: { disruptionsAllowed: 1, currentHealthy: 2 },
      });
      const selector = encodeURIComponent('component=controller');
      const { items } = await lab.api.get<{ items: readonly { metadata: { name: string } }[] }>(
        `${pods}?labelSelector=${selector}`,
      );
      expect(items).toHaveLength(2);
      return items.map(({ metadata }) => metadata.name);
    }, 30_000);
    // Whatever comes after the first is not ready.
    kubelet.running = false;
    const evict = async (name: string): Promise<number> => {
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
      return (await lab.api.send('POST', `${pods}/${name}/eviction`, eviction)).status;
    };
    expect(await evict(names[0] ?? '')).toBe(201);
    expect(await evict(names[1] ?? '')).toBe(429);
    await replaceSpec({});
    await eventually(async () => {
      const path = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/controller`;
      expect((await lab.api.send('GET', path)).status).toBe(404);
    }, 10_000);
    kubelet.running = true;
  });

  it('16: deletion is never refused', async () => {
    await lab.api.delete(theOne);
    await eventually(async () => expect((await lab.api.send('GET', theOne)).status).toBe(404));
  });
});

describe('C09: objects as people write them', () => {
  const speakers = async (): Promise<readonly string[]> => {
    const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent('component=speaker')}`;
    const { items } = await lab.api.get<{
      items: readonly { spec: { nodeName?: string }; metadata: Fields }[];
    }>(pods);
    const alive = items.filter(({ metadata }) => metadata['deletionTimestamp'] === undefined);
    return alive.map(({ spec }) => spec.nodeName ?? '').sort();
  };
  const label = (node: string, labels: object) =>
    lab.api.patch(`/api/v1/nodes/${node}`, { metadata: { labels } });
  const install = async (spec: MetalLBSpec): Promise<void> => {
    kubelet.running = true;
    await lab.api.create(metallbs(), cr('metallb', spec));
  };
  const remove = async (): Promise<void> => {
    await lab.api.delete(theOne);
    await eventually(async () => expect(await speakers()).toEqual([]), 30_000);
  };

  it('22, C09 E1: in another namespace it installs nothing, and is told so, naming the namespace that counts', async () => {
    const elsewhere = `${metallbs('default')}/metallb`;
    await lab.api.create(metallbs('default'), cr('metallb', {}, 'default'));
    const condition = await eventually(async () => {
      const found = await raised(elsewhere);
      expect(found).toMatchObject({ type: 'Degraded', reason: 'WrongNamespace' });
      return found;
    }, 10_000);
    expect(condition?.message).toContain(`namespace ${namespace}`);
    const events = await eventually(async () => {
      const text = await lab.kubectl(['get', 'events', '-n', 'default', '-o', 'wide']);
      expect(text).toContain('WrongNamespace');
      return text;
    }, 10_000);
    expect(events).toContain('metallb/metallb');
    for (const where of ['default', namespace])
      expect((await lab.api.send('GET', `/apis/apps/v1/namespaces/${where}/daemonsets/speaker`)).status).toBe(
        404,
      );
    await lab.api.delete(elsewhere);
  });

  it('C09 E1: an object that another operator looks after is left alone', async () => {
    const elsewhere = `${metallbs('default')}/metallb`;
    const theirs = {
      type: 'Available',
      status: 'True',
      reason: 'Available',
      message: 'theirs',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    await lab.api.create(metallbs('default'), cr('metallb', {}, 'default'));
    await eventually(async () => expect(await raised(elsewhere)).toMatchObject({ type: 'Degraded' }), 10_000);
    const { metadata } = await lab.api.patch<{ metadata: Fields }>(`${elsewhere}/status`, {
      status: { conditions: [theirs] },
    });
    await lab.api.patch(elsewhere, { spec: { logLevel: 'debug' } });
    // A later object is looked at later: when it is judged, the change above was.
    await lab.api.create(metallbs('default'), cr('later', {}, 'default'));
    await eventually(async () => expect(await raised(`${metallbs('default')}/later`)).toBeDefined(), 10_000);
    expect(await raised(elsewhere)).toMatchObject({ message: 'theirs' });
    expect(metadata['name']).toBe('metallb');
    await lab.api.delete(elsewhere);
    await lab.api.delete(`${metallbs('default')}/later`);
  });

  it('C09 E2: a toleration that we have already: one of it, and speakers on control-plane nodes only', async () => {
    await label('node3', { 'node-role.kubernetes.io/control-plane': '' });
    await install({
      nodeSelector: { 'node-role.kubernetes.io/control-plane': '' },
      speakerTolerations: [
        { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
      ],
    });
    await eventually(async () => expect(await raised(theOne)).toMatchObject({ type: 'Available' }), 30_000);
    expect(await speakers()).toEqual(['node3']);
    const { spec } = (await live('DaemonSet/speaker')) as {
      spec: { template: { spec: { tolerations: readonly { key: string }[] } } };
    };
    expect(spec.template.spec.tolerations.map(({ key }) => key)).toEqual([
      'node-role.kubernetes.io/master',
      'node-role.kubernetes.io/control-plane',
    ]);
    await remove();
  });

  it('C09 E3: a label that no node has: not Available, and why; with the label on node2 one speaker there', async () => {
    await install({
      nodeSelector: { 'node-role.kubernetes.io/worker-lb': '' },
      speakerTolerations: [{ key: 'Example', operator: 'Exists', effect: 'NoExecute' }],
    });
    await eventually(async () => {
      const condition = await raised(theOne);
      expect(condition).toMatchObject({ type: 'Degraded', reason: 'NoNodes' });
      expect(condition?.message).toContain('spec.nodeSelector');
    }, 30_000);
    await label('node2', { 'node-role.kubernetes.io/worker-lb': '' });
    await eventually(async () => expect(await raised(theOne)).toMatchObject({ type: 'Available' }), 30_000);
    expect(await speakers()).toEqual(['node2']);
    await remove();
  });

  it('C09 E4: debug logs and worker nodes: speakers there only, the controller wherever it likes', async () => {
    for (const node of ['node1', 'node2']) await label(node, { 'node-role.kubernetes.io/worker': '' });
    await install({ logLevel: 'debug', nodeSelector: { 'node-role.kubernetes.io/worker': '' } });
    await eventually(async () => expect(await raised(theOne)).toMatchObject({ type: 'Available' }), 30_000);
    expect(await speakers()).toEqual(['node1', 'node2']);
    const { spec } = (await live('Deployment/controller')) as { spec: { template: { spec: Fields } } };
    expect(spec.template.spec['nodeSelector']).toEqual({ 'kubernetes.io/os': 'linux' });
    expect(JSON.stringify(spec)).toContain('--log-level=debug');
    await remove();
  });

  it('C09 E5: another name is Degraded, naming what is wrong, and installs nothing', async () => {
    await lab.api.create(metallbs(), cr('metallb-prod', {}));
    await eventually(async () => {
      expect(await raised(`${metallbs()}/metallb-prod`)).toMatchObject({
        type: 'Degraded',
        reason: 'IncorrectMetalLBResourceName',
        message: 'Incorrect MetalLB resource name: metallb-prod',
      });
    }, 10_000);
    expect(await speakers()).toEqual([]);
    await lab.api.delete(`${metallbs()}/metallb-prod`);
  });
});
