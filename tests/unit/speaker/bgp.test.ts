/** The speaker's loops and BGP: speaker-bgp.md §9 from the objects of the API to what FRR is told, and what is said about it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeSpeaker, MINE } from '#tests/support/fake-speaker.ts';

let lab: FakeSpeaker;
const peer = { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' };
const networks = (): string[] =>
  lab.frr.lines.flatMap((line) => /> network (\S+)/.exec(line)?.[1] ?? []).sort();
const expectNetworks = (...prefixes: readonly string[]): Promise<void> =>
  eventually(() => expect(networks()).toEqual(prefixes));
const stale = async (): Promise<string[]> => lab.series('metallb_k8s_client_config_stale_bool');
const state = () =>
  lab.fake.objects(metallbResources.ConfigurationState)[0]?.['status'] as
    { result: string; errorSummary: string } | undefined;

beforeEach(async () => {
  lab = await FakeSpeaker.create();
  lab.put('BGPPeer', 'tor', peer);
  lab.put('BGPAdvertisement', 'ad');
  lab.serving('web', [MINE]);
  await lab.speaker.start();
  await expectNetworks(`${MINE}/32`);
});
afterEach(() => lab[Symbol.asyncDispose]());

describe('what makes it decide again', () => {
  it('#140 a node that joins, changes or leaves: everything is decided again, and FRR is told nothing (ours)', async () => {
    const [before, { desired }] = [await lab.updates(), lab.frr.state];
    lab.node('iris3');
    await eventually(async () => expect(await lab.updates()).toBe(before + 1));
    lab.node('iris2', { zone: 'b' });
    await eventually(async () => expect(await lab.updates()).toBe(before + 2));
    expect(lab.frr.state.desired).toBe(desired);
    // A label that an advertisement asks for is one of our own node's.
    lab.put('BGPAdvertisement', 'ad', { nodeSelectors: [{ matchLabels: { zone: 'b' } }] });
    await expectNetworks();
    lab.node('iris1', { zone: 'b' });
    await expectNetworks(`${MINE}/32`);
  });
});

describe('what FRR refuses', () => {
  it('#136 is a problem of its peer as long as it lasts: object and gauge say the same, and nothing else waits (ours)', async () => {
    lab.frr.refusals.set('192.0.2.2', 'local system');
    lab.put('BGPPeer', 'refused', { ...peer, peerAddress: '192.0.2.2' });
    const summary = 'configuration error: peer refused is left out: local system';
    const invalid = (): Promise<void> =>
      eventually(async () => {
        expect(state()).toMatchObject({ result: 'Invalid', errorSummary: summary });
        expect(await stale()).toEqual(['metallb_k8s_client_config_stale_bool 1']);
      });
    await invalid();
    // Later events lead to the same: it is neither forgotten nor in the way.
    lab.serving('more', ['10.20.30.7']);
    await expectNetworks(`${MINE}/32`, '10.20.30.7/32');
    lab.node('iris1', { some: 'label' });
    await invalid();
    lab.put('BGPPeer', 'refused', { ...peer, peerAddress: '192.0.2.3' });
    await eventually(async () => {
      expect(state()).toMatchObject({ result: 'Valid', errorSummary: '' });
      expect(await stale()).toEqual(['metallb_k8s_client_config_stale_bool 0']);
    });
    expect(lab.frr.lines.some((line) => line.includes('neighbor 192.0.2.3 remote-as'))).toBe(true);
  });
});
