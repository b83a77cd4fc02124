/** controller.md §8 K for the whole installation: what controller and speakers report, on real parts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '#tests/support/eventually.ts';
import { FieldLab } from '#tests/support/field-lab.ts';

let field: FieldLab;
beforeAll(async () => {
  field = await FieldLab.start('mlb-t-fields');
});
afterAll(() => field?.[Symbol.asyncDispose]());

describe('what the speakers report', () => {
  const missing = (name: string, peerAddress: string, bfdProfile: string) =>
    field.apply('BGPPeer', name, { myASN: 64512, peerASN: 64513, peerAddress, bfdProfile });
  const secret = async (type: string): Promise<void> => {
    const metadata = { name: 'pw', namespace: 'metallb-system' };
    await field.lab.api.create('/api/v1/namespaces/metallb-system/secrets', {
      metadata,
      type,
      stringData: { x: 'y' },
    });
  };
  const remove = (kind: string, ...names: readonly string[]) =>
    field.lab.kubectl(['-n', 'metallb-system', 'delete', kind, ...names]);
  const errorIs = (text: string): Promise<void> =>
    eventually(async () => {
      for (const name of ['speaker-node1', 'speaker-node2', 'speaker-node3'])
        expect((await field.state(name)).status?.['errorSummary'], name).toBe(text);
      expect((await field.state('controller')).status).toMatchObject({ result: 'Valid', errorSummary: '' });
    }, 20_000);
  const peer = { myASN: 64512, peerASN: 64513, peerAddress: '10.90.0.253' };

  it('169, 170, #132: one ConfigurationState of the controller and one of each node, with their labels and managers', async () => {
    const names = (await field.states()).map((line) => line.split(' ')[0]);
    expect(names).toEqual(['controller', 'speaker-node1', 'speaker-node2', 'speaker-node3']);
    for (const name of names) {
      const { metadata } = await field.state(name ?? '');
      const node = name?.replace('speaker-', '');
      const type = name === 'controller' ? 'controller' : 'speaker';
      expect(metadata['labels']).toEqual({
        'metallb.io/component-type': type,
        ...(type === 'speaker' && { 'metallb.io/node-name': node }),
      });
      expect([metadata.annotations, metadata['finalizers']]).toEqual([undefined, undefined]);
      const manager = type === 'controller' ? 'poolReconciler' : 'configReconciler';
      expect(metadata['managedFields']).toContainEqual(
        expect.objectContaining({ manager, subresource: 'status' }),
      );
    }
  });

  it('#132: a deleted one comes back, with the same verdict', async () => {
    await missing('p', '10.90.0.253', 'one');
    const summary = 'configuration error: peer p referencing non existing bfd profile one';
    await errorIs(summary);
    const uid = async () => (await field.state('speaker-node1')).metadata['uid'];
    const before = await uid();
    await remove('configurationstate', 'speaker-node1');
    await eventually(async () => expect(await uid()).not.toBe(before), 20_000);
    await errorIs(summary);
    await remove('bgppeer', 'p');
    await errorIs('');
  });

  it('#134: of faults of several kinds the first in the order of kinds is told, and when it is gone the next', async () => {
    await field.apply('BGPPeer', 'q', { ...peer, bfdProfile: 'none' });
    await field.apply('BGPPeer', 'z', { ...peer, peerAddress: '10.90.0.254' });
    const communities = [
      { name: 'alias', value: '64512:1' },
      { name: 'alias', value: '64512:2' },
    ];
    await field.apply('Community', 'twice', { communities });
    await field.apply('BGPAdvertisement', 'a', { communities: ['nobody'] });
    const first = (text: string): Promise<void> =>
      eventually(async () => {
        const { status } = await field.state('speaker-node1');
        expect(status?.['errorSummary']).toMatch(new RegExp(`^configuration error: .*${text}`));
      }, 20_000);
    await first('peer 10\\.90\\.0\\.254 already exists');
    await remove('bgppeer', 'z');
    await first('peer q referencing non existing bfd profile none');
    await remove('bgppeer', 'q');
    await first('duplicate definition of community');
    await remove('communities.metallb.io', 'twice');
    await first('invalid community format: nobody');
    await remove('bgpadvertisement', 'a');
    await errorIs('');
  });

  it('172: of two faulty peers the first by name is told; when it is gone, the second', async () => {
    await missing('q', '10.90.0.252', 'two');
    await missing('p', '10.90.0.253', 'one');
    await errorIs('configuration error: peer p referencing non existing bfd profile one');
    await remove('bgppeer', 'p');
    await errorIs('configuration error: peer q referencing non existing bfd profile two');
    await remove('bgppeer', 'q');
    await errorIs('');
  });

  it('171, #133: the texts that tools compare', async () => {
    const notFound = 'failed to parse peer p password secret';
    await field.apply('BGPPeer', 'p', { ...peer, passwordSecret: { name: 'pw' } });
    await errorIs(
      `configuration error: parsing peer p secret ref not found for peer config "metallb-system"/"p"\n${notFound}`,
    );
    await secret('Opaque');
    await errorIs(
      `configuration error: parsing peer p secret type mismatch on "metallb-system"/"pw", type "kubernetes.io/basic-auth" is expected \n${notFound}`,
    );
    await remove('secret', 'pw');
    await remove('bgppeer', 'p');
    await field.apply('BGPPeer', 'second', { ...peer, peerAddress: '10.90.0.254' });
    await errorIs(
      "configuration error: peer 10.90.0.254 already exists, FRR mode doesn't support duplicate BGPPeers selecting the same node",
    );
    await remove('bgppeer', 'second');
    await field.apply('BGPAdvertisement', 'a', { communities: ['alias'] });
    await errorIs(
      'configuration error: invalid community format: alias\ninvalid community "alias" in BGP advertisement',
    );
    await remove('bgpadvertisement', 'a');
    await errorIs('');
  });
});
