/** The condition Accepted on a real API server, under the shipped rights: one write per change, none without. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import { acceptedKinds, type AcceptedKind } from '#core/status/accepted.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeObject } from '#runtime/kube/types.ts';
import { ControllerLab, LEADER_FLAGS, NAMESPACE } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';

const LONG = 20_000;
let lab: ControllerLab;
beforeAll(async () => {
  lab = await ControllerLab.start();
});
afterEach(async () => {
  await lab.reset();
  for (const kind of acceptedKinds)
    for (const { metadata } of await lab.client.list(metallbResources[kind], { namespace: NAMESPACE }))
      await lab.client.delete(ref(kind, metadata.name));
});
afterAll(() => lab?.[Symbol.asyncDispose]());

const specs: Readonly<Record<AcceptedKind, object>> = {
  BFDProfile: { receiveInterval: 300 },
  BGPAdvertisement: {},
  BGPPeer: { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' },
  Community: { communities: [{ name: 'home', value: '64512:1' }] },
  L2Advertisement: {},
};

function ref(kind: AcceptedKind, name = 'x') {
  return { type: metallbResources[kind], namespace: NAMESPACE, name };
}

async function put(kind: AcceptedKind, spec: object = specs[kind], name = 'x'): Promise<void> {
  const { group, version } = metallbResources[kind];
  const object = { apiVersion: `${group}/${version}`, kind, metadata: { name, namespace: NAMESPACE }, spec };
  await lab.client.apply(ref(kind, name), object, { fieldManager: 'test' });
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

function conditionsOf(object: KubeObject): readonly Condition[] {
  return (object['status'] as { conditions?: readonly Condition[] } | undefined)?.conditions ?? [];
}

/** Waits for the condition that is about the object as it is. */
async function becomes(kind: AcceptedKind, wanted: Partial<Condition>, name = 'x'): Promise<KubeObject> {
  return eventually(async () => {
    const object = await lab.client.get(ref(kind, name));
    const observedGeneration = object.metadata.generation;
    expect(conditionsOf(object)).toEqual([
      expect.objectContaining({ type: 'Accepted', observedGeneration, ...wanted }),
    ]);
    return object;
  }, LONG);
}

/** How often the conditions of all objects were written. */
function writesOf(object: KubeObject): number {
  const fields = object.metadata['managedFields'] as readonly { manager: string; subresource?: string }[];
  return fields.filter(({ manager, subresource }) => manager === 'controller' && subresource === 'status')
    .length;
}

describe('the condition Accepted', () => {
  it.each(acceptedKinds)('%s: True for a sound object, by the controller alone', async (kind) => {
    await lab.startController();
    await put(kind);
    const object = await becomes(kind, { status: 'True', reason: 'Accepted' });
    expect(writesOf(object)).toBe(1);
  });

  it('says what is wrong, and that an edit was not taken; is True again when it is put right', async () => {
    await lab.startController();
    await put('BGPPeer', { ...specs.BGPPeer, bfdProfile: 'none' });
    await becomes('BGPPeer', {
      status: 'False',
      reason: 'Invalid',
      message: expect.stringContaining('Create BFDProfile none') as string,
    });
    await put('BFDProfile', specs.BFDProfile, 'none');
    await becomes('BGPPeer', { status: 'True' });
    await put('BGPPeer', { ...specs.BGPPeer, bfdProfile: 'gone' });
    await becomes('BGPPeer', {
      status: 'False',
      reason: 'InvalidChange',
      message: expect.stringMatching(/^Speakers use the object as it was before/) as string,
    });
  });

  it('a password’s Secret is looked at, and its content is in no condition', async () => {
    await lab.startController();
    await put('BGPPeer', { ...specs.BGPPeer, passwordSecret: { name: 'bgp' } });
    await becomes('BGPPeer', { status: 'False' });
    await lab.client.create(kinds.Secret, {
      metadata: { name: 'bgp', namespace: NAMESPACE },
      type: 'kubernetes.io/basic-auth',
      stringData: { password: 'Zq9 never-shown' },
    });
    const object = await becomes('BGPPeer', {
      status: 'False',
      message: expect.stringContaining('blank') as string,
    });
    expect(JSON.stringify(object)).not.toContain('never-shown');
    await lab.client.delete({ type: kinds.Secret, namespace: NAMESPACE, name: 'bgp' });
  });

  it('with --frrk8s-secret-passthrough the Secret is somebody else’s business', async () => {
    await lab.startController('--frrk8s-secret-passthrough');
    await put('BGPPeer', { ...specs.BGPPeer, passwordSecret: { name: 'elsewhere' } });
    await becomes('BGPPeer', { status: 'True' });
  });

  it('is written once per change and never otherwise; what somebody else writes there is put right', async () => {
    await lab.startController();
    for (const kind of acceptedKinds) await put(kind);
    const versions = async (): Promise<readonly (string | undefined)[]> =>
      Promise.all(
        acceptedKinds.map(async (kind) => (await lab.client.get(ref(kind))).metadata.resourceVersion),
      );
    for (const kind of acceptedKinds) await becomes(kind, { status: 'True' });
    const before = await versions();
    // Everything is judged again, with the same verdict: a Secret nobody names, a namespace, a pool.
    await lab.client.create(kinds.Secret, {
      metadata: { name: 'other', namespace: NAMESPACE },
      stringData: { a: 'b' },
    });
    await lab.pool('p', ['192.0.2.0/28']);
    await put('BGPPeer', { ...specs.BGPPeer, peerAddress: '192.0.2.2' }, 'later');
    await becomes('BGPPeer', { status: 'True' }, 'later');
    expect(await versions()).toEqual(before);
    await lab.client.patch(ref('Community'), { status: { conditions: [] } }, { subresource: 'status' });
    await becomes('Community', { status: 'True' });
    await lab.client.delete(ref('BGPPeer', 'later'));
    await lab.client.delete({ type: kinds.Secret, namespace: NAMESPACE, name: 'other' });
  });

  it('only who leads writes, and its successor has nothing to write', async () => {
    const first = await lab.startController(...LEADER_FLAGS, '--pod-name=one');
    await put('BGPPeer');
    const { metadata } = await becomes('BGPPeer', { status: 'True' });
    const second = await lab.startController(...LEADER_FLAGS, '--pod-name=two');
    await first.stop();
    await put('L2Advertisement');
    await becomes('L2Advertisement', { status: 'True' });
    expect(second.running).toBe(true);
    expect((await lab.client.get(ref('BGPPeer'))).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });
});

describe('where something is missing', () => {
  it('C04: a CRD without such a status: said once, and nothing is tried again', async () => {
    const type = kinds.CustomResourceDefinition;
    const crd = { type, name: 'communities.metallb.io' };
    const { spec } = await lab.client.get(crd);
    const [version] = (
      spec as { versions: readonly { schema: { openAPIV3Schema: { properties: object } } }[] }
    ).versions;
    if (version === undefined) throw new Error('no version');
    const { properties } = version.schema.openAPIV3Schema;
    const bare = {
      ...version,
      schema: {
        openAPIV3Schema: {
          ...version.schema.openAPIV3Schema,
          properties: { ...properties, status: { type: 'object' } },
        },
      },
    };
    await lab.client.patch(crd, { spec: { versions: [bare] } });
    const controller = await lab.startController();
    await put('Community');
    const told = 'the condition Accepted is off for a kind';
    await eventually(() => expect(controller.log).toContain(told), LONG);
    const { metadata } = await lab.client.get(ref('Community'));
    await put('BFDProfile');
    await becomes('BFDProfile', { status: 'True' });
    await put('Community', { communities: [{ name: 'home', value: '64512:2' }] });
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    expect(controller.log.split(told)).toHaveLength(2);
    expect((await lab.client.get(ref('Community'))).metadata.generation).toBe((metadata.generation ?? 0) + 1);
    await lab.client.patch(crd, { spec: { versions: [version] } });
  });
});
