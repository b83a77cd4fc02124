/** What the operator asks before it starts, through an outage too. */
import { expect, it } from 'vitest';
import { clusterFacts, type ClusterFacts } from '#operator/facts.ts';
import { KubeError, type KubeObject, type ObjectRef } from '#runtime/kube/types.ts';
import { silent } from '#runtime/log/logger.ts';
import { eventually } from '#tests/support/eventually.ts';
import { VirtualClock } from '#tests/support/virtual-clock.ts';

const containers = [
  { name: 'mesh', image: 'other:1' },
  { name: 'manager', image: 'mine:1', imagePullPolicy: 'Never' },
];
const objects: Readonly<Record<string, KubeObject>> = {
  'Namespace metallb-system': { metadata: { name: 'metallb-system', uid: 'home' } },
  'Pod me': {
    metadata: { name: 'me', namespace: 'metallb-system' },
    spec: { containers, imagePullSecrets: [{ name: 'pull' }] },
  },
};

const clock = new VirtualClock();

/** Asks an API server that first fails `outages` times. */
function ask(podName: string, outages = 0, more: typeof objects = {}): Promise<ClusterFacts> {
  let left = outages;
  const client = {
    request: () => {
      left -= 1;
      const down = new KubeError('connection refused', { status: 0, reason: 'Unreachable' });
      return left >= 0 ? Promise.reject(down) : Promise.resolve({ groups: [{ name: 'apps' }] });
    },
    get: ({ type, name }: ObjectRef) => {
      const found = { ...objects, ...more }[`${type.kind} ${name}`];
      const missing = new KubeError(`${name} not found`, { status: 404, reason: 'NotFound' });
      return found === undefined ? Promise.reject(missing) : Promise.resolve(found);
    },
  };
  const signal = new AbortController().signal;
  return clusterFacts({ client, namespace: 'metallb-system', podName, logger: silent, clock, signal });
}

it('finds platform, Namespace and the image of container manager', async () => {
  expect(await ask('me')).toEqual({
    groups: new Set(['apps']),
    kinds: [],
    clusterOwner: { apiVersion: 'v1', kind: 'Namespace', name: 'metallb-system', uid: 'home' },
    own: { image: 'mine:1', pullPolicy: 'Never', pullSecrets: ['pull'] },
  });
});

it("cluster-scoped objects belong to the operator's ClusterRole where there is one", async () => {
  const role = {
    'ClusterRole metallb-manager-role': { metadata: { name: 'metallb-manager-role', uid: 'role' } },
  };
  expect((await ask('me', 0, role)).clusterOwner).toEqual({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    name: 'metallb-manager-role',
    uid: 'role',
  });
});

it('waits for the end of an outage', async () => {
  let found: ClusterFacts | undefined;
  const asked = ask('', 2).then((facts) => (found = facts));
  await eventually(async () => {
    await clock.advance(2000);
    expect(found).toMatchObject({ clusterOwner: { kind: 'Namespace', uid: 'home' }, own: { image: '' } });
  });
  await asked;
});

it('does not wait for what will not come', async () => {
  await expect(ask('nobody')).rejects.toThrow('nobody not found');
});
