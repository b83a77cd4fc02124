/** Which addresses are probed before they are claimed: a fail-over never waits for that. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LATELY_MS } from '#core/members/reports.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { FakeSpeaker, MINE } from '#tests/support/fake-speaker.ts';

let lab: FakeSpeaker;
beforeEach(async () => {
  lab = await FakeSpeaker.start();
  lab.members.setAlive('iris1', 'iris2');
  lab.serving('web', [MINE]);
  await lab.expectHeld(MINE);
});
afterEach(() => lab[Symbol.asyncDispose]());

/** Gives the address up and takes it again; what is probed then. */
async function again(giveUp: () => void, take: () => void): Promise<string[]> {
  giveUp();
  await lab.expectHeld();
  lab.l2.probed.clear();
  take();
  await lab.expectHeld(MINE);
  return [...lab.l2.probed];
}

const cutOff = (): void => lab.members.isolate();
const back = (): void => {
  lab.members.phase = 'member';
  lab.members.setAlive('iris1', 'iris2');
};

it('the first time, and when nobody has held it for a while', async () => {
  expect([...lab.l2.probed]).toEqual([MINE]);
  const late = (): void => {
    lab.members.now += LATELY_MS;
    back();
  };
  expect(await again(cutOff, late)).toEqual([MINE]);
});

it('not after this node was cut off for a moment, whoever held it meanwhile', async () => {
  expect(await again(cutOff, back)).toEqual([]);
  const afterOther = (): void => {
    lab.members.report('iris2', { held: [MINE] });
    lab.members.report('iris2', { held: [] });
    lab.members.now += LATELY_MS - 1;
    back();
  };
  expect(await again(cutOff, afterOther)).toEqual([]);
});

it('again where another machine used it the last time, also a moment after the Service was deleted', async () => {
  lab.l2.conflict({ ip: MINE, interface: 'eth0', mac: '02:00:00:00:00:66', state: 'withheld' });
  const remove = (): void => lab.fake.remove(kinds.Service, 'default/web');
  const create = (): void => lab.serving('web', [MINE]);
  expect(await again(remove, create)).toEqual([MINE]);
  lab.l2.conflict({ ip: MINE, interface: '', mac: '', state: 'over' });
  expect(await again(remove, create)).toEqual([]);
});
