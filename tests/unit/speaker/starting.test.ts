/** A speaker that starts, and is told of things before it knows all that there is. */
import { expect, it, vi } from 'vitest';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeSpeaker, MINE } from '#tests/support/fake-speaker.ts';

it('78 (better): a member that comes before the lists are complete takes no route back that FRR has from before, and no address from others', async () => {
  await using lab = await FakeSpeaker.create();
  let isHeldBack = true;
  const isOfSlices = ({ url }: { url: string }): boolean => url.includes('endpointslices');
  lab.fake.fail(
    { kind: 'status', code: 503 },
    (seen) => isHeldBack && isOfSlices(seen),
    Number.POSITIVE_INFINITY,
  );
  lab.put('BGPPeer', 'router', { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' });
  lab.put('BGPAdvertisement', 'ad');
  lab.serving('web', [MINE]);
  const desired = vi.spyOn(lab.frr, 'setDesired');
  const started = lab.speaker.start();
  await eventually(() => {
    lab.members.setAlive('iris1', 'iris2');
    // Everything else is read long before the slices are asked for once more.
    expect(lab.fake.seen.filter(isOfSlices).length).toBeGreaterThan(2);
  });
  // Others would let addresses go to a node that cannot announce them yet.
  expect(lab.members.peers).toEqual([]);
  isHeldBack = false;
  await started;
  await eventually(() => expect(lab.members.peers.map(({ name }) => name)).toEqual(['iris1', 'iris2']));
  const [first] = desired.mock.calls.map(([model]) => loadTemplates('frr-templates')(model));
  expect(first).toContain(`${MINE}/32`);
});
