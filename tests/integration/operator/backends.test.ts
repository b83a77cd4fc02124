/** C08: the backend of the MetalLB object, and what the webhooks say to objects meanwhile. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import type { Lab } from '#lab/lab.ts';
import type { Daemon } from '#lab/process/daemon.ts';
import { tryRun } from '#lab/process/run.ts';
import { eventually } from '#tests/support/eventually.ts';
import { startWebhookServer, webhookLab } from '#tests/support/webhook-lab.ts';
import { installOperator, type InstalledOperator } from './operator-process.ts';

const namespace = 'metallb-system';
const path = `/apis/metallb.io/v1beta1/namespaces/${namespace}/metallbs`;

let lab: Lab;
let installed: InstalledOperator;
let operator: Daemon;
let webhooks: Daemon;

beforeAll(async () => {
  lab = await webhookLab('mlb-backends');
  installed = await installOperator(lab);
  installed.kubelet.running = true;
  operator = installed.start('operator');
  webhooks = await startWebhookServer(lab);
  await lab.api.create(path, object('MetalLB', 'metallb', {}));
  await eventually(async () => {
    expect((await apply(object('IPAddressPool', 'probe', { addresses: [] }))).stderr).toContain(
      'no prefixes',
    );
  }, 60_000);
});
afterAll(async () => {
  await installed?.kubelet[Symbol.asyncDispose]();
  await lab?.down();
});

function object(kind: keyof typeof metallbResources, name: string, spec: object): object {
  const { group, version } = metallbResources[kind];
  return { apiVersion: `${group}/${version}`, kind, metadata: { name, namespace }, spec };
}

function apply(...items: readonly object[]): ReturnType<typeof tryRun> {
  const { argv, env } = lab.kubectlCommand(['apply', '-f', '-']);
  return tryRun(argv, { env, input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
}

const asn = { myASN: 64500, peerASN: 64501 };
const timers = { keepaliveTime: '10s', holdTime: '30s' };
/** What the rules of the native backend refuse. */
const written = [
  object('BGPPeer', 'six', { ...asn, ...timers, peerAddress: '2001:db8:0:1::1' }),
  object('BGPPeer', 'red', { ...asn, peerAddress: '203.0.113.1', vrf: 'red' }),
  object('BGPAdvertisement', 'six', { communities: ['large:64500:1:2'] }),
];
/** What FRR's rules refuse, once `red` is there. */
const twice = object('BGPPeer', 'twice', { ...asn, peerAddress: '203.0.113.1', vrf: 'red' });

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

async function conditions(): Promise<Readonly<Record<string, Condition>>> {
  const { status } = await lab.api.get<{ status?: { conditions?: readonly Condition[] } }>(`${path}/metallb`);
  return Object.fromEntries((status?.conditions ?? []).map((condition) => [condition.type, condition]));
}

/** The CR asks for the backend, and the operator says who serves it. */
async function choose(bgpBackend: string | null): Promise<void> {
  // Only the external backend reads the namespace.
  const frrk8sConfig = { namespace: 'frr-k8s-system' };
  await lab.api.patch(`${path}/metallb`, { spec: { bgpBackend, frrk8sConfig } });
  await eventually(async () => {
    const message = expect.stringContaining(`BGP backend ${bgpBackend ?? 'frr'}:`);
    expect(await conditions()).toMatchObject({
      Available: { status: 'True', message },
      Degraded: { status: 'False', message: '' },
    });
  }, 30_000);
}

/** The webhook takes what FRR can do, and refuses what it cannot. */
async function expectFrrRules(): Promise<void> {
  expect(await apply(...written)).toMatchObject({ code: 0, stderr: '' });
  const refused = await apply(twice);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('peer 203.0.113.1-red already exists');
  await lab.kubectl(['-n', namespace, 'delete', 'bgppeers,bgpadvertisements', '--all']);
}

describe('C08: validation and the backend of the CR', () => {
  it.each<readonly [string, string | null]>([
    ['(1)', 'frr-k8s'],
    ['(2)', 'frr'],
    ['(3)', null],
    ['(4) on plain Kubernetes', 'frr-k8s-external'],
    ['(5), which FRR serves too and so is not Degraded', 'native'],
    ['(6)', 'frr-k8s'],
  ])(
    "C08 E1, C08 E2, C08 E3, C08 E4, C08 E5: %s bgpBackend %s: reconciled, and the webhook goes by FRR's rules",
    async (_, backend) => {
      await choose(backend);
      await expectFrrRules();
      // E4: nobody was started again for it.
      expect([operator.alive, webhooks.alive]).toEqual([true, true]);
    },
  );

  it('C08 E2, E3: what a backend lacks makes the CR Degraded with the remedy, the running system stays, and the webhook answers as before', async () => {
    const speaker = () =>
      lab.api.get<{ metadata: { generation: number } }>(
        `/apis/apps/v1/namespaces/${namespace}/daemonsets/speaker`,
      );
    const { generation } = (await speaker()).metadata;
    const spec = { bgpBackend: 'frr-k8s-external', frrk8sConfig: null };
    await lab.api.patch(`${path}/metallb`, { spec });
    await eventually(async () => {
      const message = expect.stringMatching(
        /^spec\.frrk8sConfig\.namespace: .* Set spec\.frrk8sConfig\.namespace/,
      );
      expect(await conditions()).toMatchObject({ Degraded: { status: 'True', message } });
    }, 30_000);
    await expectFrrRules();
    expect((await speaker()).metadata.generation).toBe(generation);
    await choose('frr-k8s');
  });

  it('C06 E2: neither the MetalLB object nor anything the operator made has a finalizer', async () => {
    const kinds =
      'metallbs,deployments,daemonsets,services,secrets,configmaps,serviceaccounts,roles,rolebindings';
    const text = await lab.kubectl(['-n', namespace, 'get', kinds, '-o', 'json']);
    const { items } = JSON.parse(text) as {
      items: readonly { kind: string; metadata: { name: string; finalizers?: readonly string[] } }[];
    };
    expect(items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toContain('MetalLB metallb');
    expect(items.flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
  });
});
