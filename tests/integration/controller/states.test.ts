/** controller.md §8 K, black box: which events the controller's ConfigurationState goes by. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import type { KubeObject } from '#runtime/kube/types.ts';
import { ControllerLab, NAMESPACE } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';

let lab: ControllerLab;
beforeAll(async () => {
  lab = await ControllerLab.start();
});
afterEach(() => lab.reset());
afterAll(() => lab?.[Symbol.asyncDispose]());

const { BGPPeer, BGPAdvertisement, ConfigurationState } = metallbResources;
const type = ConfigurationState;

async function stateIs(status: object): Promise<KubeObject> {
  return eventually(async () => {
    const state = await lab.state();
    expect(state['status']).toMatchObject(status);
    return state;
  }, 20_000);
}

/** The controller has worked off what happened before. */
async function barrier(name: string): Promise<void> {
  await lab.service(name);
  await eventually(async () => expect(await lab.ips(name)).toHaveLength(1), 20_000);
}

describe('the ConfigurationState of the controller', () => {
  it('164: objects of other names and namespaces are left alone, whatever happens to them', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    const strangers = [
      { namespace: NAMESPACE, name: 'speaker-n1' },
      { namespace: 'default', name: 'controller' },
    ];
    for (const metadata of strangers) {
      await lab.client.create(type, {
        apiVersion: 'metallb.io/v1beta1',
        kind: 'ConfigurationState',
        metadata,
      });
    }
    await lab.startController();
    const before = (await stateIs({ result: 'Valid' })).metadata.resourceVersion;
    const [first, second] = strangers;
    await lab.client.patch({ type, namespace: '', name: '', ...first }, { metadata: { labels: { x: 'y' } } });
    const touched = await lab.client.get({ type, namespace: '', name: '', ...second });
    expect(touched.metadata.labels ?? {}).toEqual({});
    expect(touched['status']).toBeUndefined();
    await lab.client.delete({ type, namespace: '', name: '', ...second });
    await barrier('a');
    expect((await lab.state()).metadata.resourceVersion).toBe(before);
    expect(await lab.client.list(type, { namespace: 'default' })).toEqual([]);
    const stranger = await lab.client.get({ type, namespace: '', name: '', ...first });
    expect(stranger.metadata.labels).toEqual({ x: 'y' });
    expect(stranger['status']).toBeUndefined();
  });

  it('163, 165: a condition comes back when the object is made anew, and nothing is written while it stays', async () => {
    await lab.pool('bad', ['192.0.2.30-192.0.2.3']);
    await lab.pool('good', ['192.0.2.0/28']);
    await lab.startController();
    const invalid = { result: 'Invalid', conditions: [{ status: 'False', reason: 'ConfigurationError' }] };
    const first = await stateIs(invalid);
    await lab.client.delete({ type, namespace: NAMESPACE, name: 'controller' });
    const second = await eventually(async () => {
      const found = await stateIs(invalid);
      expect(found.metadata.uid).not.toBe(first.metadata.uid);
      return found;
    }, 20_000);
    await lab.pool('good', ['192.0.2.0/27']);
    await barrier('a');
    expect((await lab.state()).metadata.resourceVersion).toBe(second.metadata.resourceVersion);
  });

  it('167: what is wrong with peers and advertisements does not concern it', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.startController();
    const before = (await stateIs({ result: 'Valid' })).metadata.resourceVersion;
    const metadata = { name: 'x', namespace: NAMESPACE };
    await lab.client.create(BGPPeer, {
      apiVersion: 'metallb.io/v1beta2',
      kind: 'BGPPeer',
      metadata,
      spec: { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1', bfdProfile: 'none' },
    });
    await lab.client.create(BGPAdvertisement, {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'BGPAdvertisement',
      metadata,
      spec: { communities: ['alias'] },
    });
    await lab.pool('q', ['198.51.100.0/28']);
    await barrier('a');
    const state = await lab.state();
    expect(state['status']).toMatchObject({ result: 'Valid', errorSummary: '' });
    expect(state.metadata.resourceVersion).toBe(before);
    for (const each of [BGPPeer, BGPAdvertisement]) {
      await lab.client.delete({ type: each, namespace: NAMESPACE, name: 'x' });
    }
  });
});
