/** The end of a speaker when all speakers are removed, and when a pod is only replaced: what FRR is asked for. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kinds } from '#runtime/kube/kinds.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeSpeaker, NAMESPACE } from '#tests/support/fake-speaker.ts';

const IP = '10.20.30.1';

let lab: FakeSpeaker;
beforeEach(async () => {
  lab = await FakeSpeaker.create({ daemonSet: 'speaker' });
  lab.put('BGPAdvertisement', 'all');
  lab.serving('web', [IP]);
});
afterEach(() => lab[Symbol.asyncDispose]());

function daemonSet(more: object = {}): void {
  lab.fake.put(kinds.DaemonSet, { metadata: { name: 'speaker', namespace: NAMESPACE, ...more } });
}

const gone = (): void => lab.fake.remove(kinds.DaemonSet, `${NAMESPACE}/speaker`);

/** Starts the speaker with one peer; resolves when its route is out. */
async function start({ gracefulRestart = true, isThere = true } = {}): Promise<void> {
  const peer = { myASN: 64512, peerASN: 64513, peerAddress: '10.0.0.1' };
  lab.put('BGPPeer', 'tor', { ...peer, enableGracefulRestart: gracefulRestart });
  if (isThere) daemonSet();
  await lab.speaker.start();
  await eventually(() => expect(routes()).toHaveLength(1));
  await lab.daemonSet?.synced;
}

const routes = () => lab.frr.lines.filter((line) => line.includes(`network ${IP}/32`));
const sessions = () => lab.frr.lines.filter((line) => line.includes('neighbor 10.0.0.1 remote-as'));

/** Has the speaker end; gives how long that took, on its clock. */
async function drained(before: () => Promise<void> = () => Promise.resolve()): Promise<number> {
  const began = lab.clock.now();
  let isOver = false;
  const end = lab.speaker.drain().then(() => (isOver = true));
  await before();
  await eventually(async () => {
    if (!isOver) await lab.clock.advance(100);
    expect(isOver).toBe(true);
  });
  await end;
  return lab.clock.now() - began;
}

const withdrawn = () => eventually(() => expect(routes()).toEqual([]));

describe('routes are withdrawn, with the sessions as they are', () => {
  it('once the DaemonSet is gone, also just after its pods were told to end', async () => {
    await start();
    await drained(() => {
      gone();
      return withdrawn();
    });
    expect(sessions()).toHaveLength(1);
  });

  it('while it is deleted in the foreground, its pods first', async () => {
    await start();
    daemonSet({ deletionTimestamp: '2026-01-01T00:00:00Z' });
    await drained(withdrawn);
  });
});

describe('routes stay, for the next pod takes over', () => {
  it('when the DaemonSet stays: that is waited for no longer than a second', async () => {
    await start();
    expect(await drained()).toBeLessThanOrEqual(1100);
    expect(routes()).toHaveLength(1);
  });

  it('without graceful restart nothing is waited for', async () => {
    await start({ gracefulRestart: false });
    // Nobody moves the clock on.
    await lab.speaker.drain();
    expect(routes()).toHaveLength(1);
  });

  it('when the DaemonSet was never seen: perhaps it may not be', async () => {
    await start({ isThere: false });
    // Nobody moves the clock on.
    await lab.speaker.drain();
    expect(routes()).toHaveLength(1);
  });
});
