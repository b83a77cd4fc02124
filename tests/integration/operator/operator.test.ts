/**
 * The operator against a real API server, with the rights that config/operator/install.yaml gives it (behaviours of
 * operator-packaging.md §10 by number).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from '#lab/lab.ts';
import type { Daemon } from '#lab/process/daemon.ts';
import { quiet } from '#lab/report.ts';
import { publishedImage } from '#tools/manifests/producer.ts';
import { eventually } from '#tests/support/eventually.ts';
import { installOperator, type InstalledOperator } from './operator-process.ts';

const namespace = 'metallb-system';
const paths = {
  metallbs: `/apis/metallb.io/v1beta1/namespaces/${namespace}/metallbs`,
  controller: `/apis/apps/v1/namespaces/${namespace}/deployments/controller`,
  speaker: `/apis/apps/v1/namespaces/${namespace}/daemonsets/speaker`,
  excluded: `/api/v1/namespaces/${namespace}/configmaps/metallb-excludel2`,
  account: `/api/v1/namespaces/${namespace}/serviceaccounts/speaker`,
  policy: `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/controller`,
  role: `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles/speaker`,
  roleBinding: `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/speaker`,
  clusterRole: `/apis/rbac.authorization.k8s.io/v1/clusterroles/${namespace}:speaker`,
  clusterRoleBinding: `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${namespace}:speaker`,
};
const made = Object.entries(paths).filter(([name]) => name !== 'metallbs');

interface Thing {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly annotations?: Record<string, string>;
    readonly ownerReferences?: readonly { kind: string; name: string }[];
  };
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly metadata: { readonly annotations?: Record<string, string> };
      readonly spec: { readonly containers: readonly { name: string; image: string; args: string[] }[] };
    };
  };
  readonly rules: readonly unknown[];
  readonly data: Record<string, string>;
  readonly status?: { readonly conditions?: readonly Condition[] };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

let lab: Lab;
let operator: Daemon;
let kubelet: InstalledOperator['kubelet'];
let startOperator: InstalledOperator['start'];

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-operator-t', level: 'light', nodes: 3, report: quiet });
  ({ kubelet, start: startOperator } = await installOperator(lab));
  operator = startOperator('operator');
  await eventually(() => expect(operator.logText()).toContain('"msg":"ready"'), 30_000);
});

afterAll(async () => {
  await kubelet?.[Symbol.asyncDispose]();
  await lab?.down();
});

function cr(name: string, spec: object = {}, where = namespace): object {
  return { apiVersion: 'metallb.io/v1beta1', kind: 'MetalLB', metadata: { name, namespace: where }, spec };
}

function get(path: string): Promise<Thing> {
  return lab.api.get<Thing>(path);
}

async function condition(type: string, name = 'metallb'): Promise<Condition | undefined> {
  const { status } = await get(`${paths.metallbs}/${name}`);
  return status?.conditions?.find((one) => one.type === type);
}

async function becomes(type: string, name = 'metallb'): Promise<Condition> {
  try {
    return await eventually(async () => {
      const found = await condition(type, name);
      expect(found).toMatchObject({ status: 'True' });
      return found as Condition;
    }, 30_000);
  } catch (error) {
    throw new Error(`${String(error)}\n${operator.logTail()}`, { cause: error });
  }
}

async function containerArgs(path: string, container: string): Promise<readonly string[]> {
  const { spec } = await get(path);
  return spec.template.spec.containers.find(({ name }) => name === container)?.args ?? [];
}

describe('a MetalLB object', { timeout: 60_000 }, () => {
  it('23, 24, 83: becomes objects that belong to it', async () => {
    await lab.api.create(paths.metallbs, cr('metallb'));
    const progressing = await becomes('Progressing');
    expect(progressing.reason).toMatch(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/);
    for (const [name, path] of made) {
      const owner = name.startsWith('cluster')
        ? ['ClusterRole', 'metallb-manager-role']
        : ['MetalLB', 'metallb'];
      const { ownerReferences } = (await get(path)).metadata;
      expect(ownerReferences?.map((one) => [one.kind, one.name])).toEqual([owner]);
    }
  });

  it('says which pod is waited for', async () => {
    await eventually(async () => {
      expect((await condition('Progressing'))?.message).toMatch(/0 of 3 pods ready.*pod speaker-/);
    });
  });

  it('78, 80, 81: is available when its pods are, and names the engine', async () => {
    kubelet.running = true;
    const available = await becomes('Available');
    expect(available.message).toBe("BGP backend frr: served by the FRR in the speaker's pod.");
    expect(await condition('Upgradeable')).toMatchObject({ status: 'True' });
    expect(await condition('Degraded')).toMatchObject({ status: 'False', message: '' });
  });

  it('writes nothing in steady state (weak spot 2)', async () => {
    const versions = () =>
      Promise.all([...made.map(([, path]) => path), `${paths.metallbs}/metallb`].map(get)).then((things) =>
        things.map(({ metadata }) => metadata.resourceVersion),
      );
    const before = await versions();
    const log = operator.logText().length;
    // A change that is none of the operator's business wakes it up and must lead to nothing.
    await lab.api.patch(paths.excluded, { metadata: { annotations: { poke: 'one' } } });
    const poked = (await get(paths.excluded)).metadata.resourceVersion;
    await lab.api.patch(paths.speaker, { metadata: { annotations: { poke: 'two' } } });
    await eventually(async () =>
      expect((await get(paths.speaker)).metadata.annotations?.['poke']).toBe('two'),
    );
    // Drift repaired after the poke proves that the poke was seen by then.
    await lab.api.delete(paths.policy);
    await eventually(() => get(paths.policy));
    const after = await versions();
    const same = made.map(([name], index) => [name, after[index] === before[index]]);
    expect(same.filter(([, equal]) => equal === false).map(([name]) => name)).toEqual([
      'speaker',
      'excluded',
      'policy',
    ]);
    expect((await get(paths.excluded)).metadata.resourceVersion).toBe(poked);
    expect(after.at(-1)).toBe(before.at(-1));
    const writes = operator
      .logText()
      .slice(log)
      .match(/"msg":"object applied"/g);
    expect(writes).toHaveLength(1);
  });

  it('90: repairs what somebody changed or deleted', async () => {
    await lab.api.patch(paths.clusterRole, { rules: [] });
    await lab.api.patch(paths.excluded, { data: { 'excludel2.yaml': 'announcedInterfacesToExclude: []\n' } });
    await lab.api.patch(paths.role, { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } });
    await lab.api.delete(paths.speaker);
    await eventually(async () => {
      expect((await get(paths.clusterRole)).rules.length).toBeGreaterThan(3);
      expect((await get(paths.excluded)).data['excludel2.yaml']).toContain('^docker.*');
      expect((await get(paths.speaker)).spec.template.spec.containers.map(({ name }) => name)).toEqual([
        'speaker',
        'frr',
      ]);
    }, 10_000);
    await lab.api.patch(paths.speaker, {
      spec: { template: { spec: { containers: [{ name: 'speaker', image: 'somebody/else' }] } } },
    });
    await eventually(async () => {
      const { containers } = (await get(paths.speaker)).spec.template.spec;
      expect(containers.map(({ image }) => image)).toEqual([publishedImage, publishedImage]);
    }, 10_000);
    await becomes('Available');
  });

  it('91, 92: leaves replicas and foreign annotations alone', async () => {
    await lab.api.patch(paths.controller, {
      metadata: { annotations: { mine: 'yes' } },
      spec: { replicas: 2 },
    });
    await lab.api.patch(`${paths.metallbs}/metallb`, { spec: { logLevel: 'warn' } });
    await eventually(async () => {
      expect(await containerArgs(paths.controller, 'controller')).toContain('--log-level=warn');
    }, 10_000);
    const { metadata, spec } = await get(paths.controller);
    expect(metadata.annotations?.['mine']).toBe('yes');
    expect(spec.replicas).toBe(2);
    await lab.api.patch(paths.controller, { spec: { replicas: 1 } });
    await becomes('Available');
  });

  it('79: a change of logLevel is Progressing, then Available with a new transition time', async () => {
    const before = await becomes('Available');
    kubelet.running = false;
    await lab.api.patch(`${paths.metallbs}/metallb`, { spec: { logLevel: 'debug' } });
    await becomes('Progressing');
    expect(await containerArgs(paths.speaker, 'speaker')).toContain('--log-level=debug');
    kubelet.running = true;
    const after = await becomes('Available');
    expect(Date.parse(after.lastTransitionTime)).toBeGreaterThan(Date.parse(before.lastTransitionTime));
  });

  it('31, 32, 33, 34, C08 E3 to E5: the backend can change, and Available says who serves it', async () => {
    await lab.api.patch(`${paths.metallbs}/metallb`, { spec: { bgpBackend: 'native' } });
    await eventually(async () => {
      expect((await becomes('Available')).message).toContain('BGP backend native');
    }, 30_000);
    await lab.api.patch(`${paths.metallbs}/metallb`, { spec: { bgpBackend: null } });
    await eventually(async () => {
      expect((await becomes('Available')).message).toContain('BGP backend frr:');
    }, 30_000);
  });

  it('93: what is no longer asked for disappears', async () => {
    const annotation = async () => (await get(paths.speaker)).spec.template.metadata.annotations?.['team'];
    await lab.api.patch(`${paths.metallbs}/metallb`, {
      spec: { speakerConfig: { annotations: { team: 'net' } } },
    });
    await eventually(async () => expect(await annotation()).toBe('net'), 10_000);
    await lab.api.patch(`${paths.metallbs}/metallb`, { spec: { speakerConfig: null } });
    await eventually(async () => expect(await annotation()).toBeUndefined(), 10_000);
  });

  it('18, 19, 20, 21: another name is Degraded and does not disturb the right one', async () => {
    await lab.api.create(paths.metallbs, cr('incorrectname', { logLevel: 'error' }));
    expect(await becomes('Degraded', 'incorrectname')).toMatchObject({
      reason: 'IncorrectMetalLBResourceName',
      message: 'Incorrect MetalLB resource name: incorrectname',
    });
    expect(await containerArgs(paths.speaker, 'speaker')).not.toContain('--log-level=error');
    await lab.api.delete(`${paths.metallbs}/incorrectname`);
    await becomes('Available');
  });

  it('a spec that cannot be applied is Degraded, with field and remedy, and changes nothing (weak spot 5)', async () => {
    // Not the resourceVersion: pods that become ready change the status.
    const before = (await get(paths.speaker)).metadata.generation;
    await lab.api.patch(`${paths.metallbs}/metallb`, {
      spec: { speakerConfig: { labels: { app: 'mine' } } },
    });
    const degraded = await becomes('Degraded');
    expect(degraded).toMatchObject({ reason: 'InvalidSpec' });
    expect(degraded.message).toMatch(/spec\.speakerConfig\.labels\.app: .* Use a label of your own/);
    expect((await get(paths.speaker)).metadata.generation).toBe(before);
    await lab.api.patch(`${paths.metallbs}/metallb`, { spec: { speakerConfig: null } });
    await becomes('Available');
  });

  it('survives a restart of the API server and repairs what changed meanwhile', async () => {
    const pid = operator.pid;
    await lab.control.stop('kube-apiserver');
    lab.control.start('kube-apiserver');
    await lab.control.waitReady();
    await lab.api.delete(paths.excluded);
    await eventually(() => get(paths.excluded), 40_000);
    expect(operator.alive).toBe(true);
    expect(operator.pid).toBe(pid);
  });

  it('84: deletion takes everything with it, cluster-scoped objects included', async () => {
    await lab.api.delete(`${paths.metallbs}/metallb`);
    await eventually(async () => {
      const answers = await Promise.all(made.map(([, path]) => lab.api.send('GET', path)));
      expect(answers.map(({ status }) => status)).toEqual(made.map(() => 404));
    }, 30_000);
  });

  it('ends cleanly on SIGTERM', async () => {
    await operator.stop('SIGTERM');
    expect(operator.logText()).toContain('"msg":"stopped"');
    expect(operator.logText()).not.toContain('"code":"BUG"');
  });

  it('of two only the holder of the Lease works; when it goes, the other takes over at once', async () => {
    const first = startOperator('operator-1', ['--enable-leader-election', '--port=8081']);
    await eventually(() => expect(first.logText()).toContain('"msg":"ready"'), 30_000);
    const second = startOperator('operator-2', ['--enable-leader-election', '--port=8082']);
    await eventually(async () => {
      const answer = await lab.exec('control', ['curl', '-s', 'http://127.0.0.1:8082/readyz']);
      expect(answer.stdout).toBe('ok');
    }, 30_000);
    await lab.api.create(paths.metallbs, cr('metallb'));
    await becomes('Available');
    expect(first.logText()).toContain('"object":"DaemonSet/speaker"');
    await first.stop('SIGTERM');
    await lab.api.delete(paths.excluded);
    await eventually(() => get(paths.excluded), 10_000);
    expect(second.logText()).toContain('"object":"ConfigMap/metallb-excludel2"');
    await second.stop('SIGTERM');
  });
});
