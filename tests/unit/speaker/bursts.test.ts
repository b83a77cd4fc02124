/** Many Services that change one after another: what costs by all that is announced is not done for each of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '#tests/support/eventually.ts';
import { FakeSpeaker } from '#tests/support/fake-speaker.ts';

const SERVICES = 250;
const BUSY_MS = 3;
let lab: FakeSpeaker;

beforeEach(async () => {
  lab = await FakeSpeaker.start();
});
afterEach(() => lab[Symbol.asyncDispose]());

/** Handing a plan over takes as long as it does with thousands of addresses. */
function makeSlow(): void {
  const setPlan = lab.l2.setPlan.bind(lab.l2);
  lab.l2.setPlan = (entries) => {
    const until = performance.now() + BUSY_MS;
    while (performance.now() < until);
    setPlan(entries);
  };
}

const ip = (n: number): string => `10.20.30.${n + 1}`;

describe('a burst', () => {
  it('is handed over in a few parts, the last one complete', async () => {
    lab.remove('L2Advertisement', 'ad');
    lab.put('L2Advertisement', 'ad', { nodeSelectors: [{ matchLabels: { host: 'iris1' } }] });
    lab.serving('first', [ip(0)]);
    await lab.expectHeld(ip(0));
    makeSlow();
    const before = lab.l2.plans.length;
    for (let n = 1; n < SERVICES; n += 1) lab.serving(`s${n}`, [ip(n)]);
    await eventually(() => expect(lab.held).toHaveLength(SERVICES), 20_000);
    expect(lab.l2.plans.length - before).toBeLessThan(SERVICES / 3);
  });
});
