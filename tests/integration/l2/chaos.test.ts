/** A few rounds of everything that can go wrong: somebody answers again, and in the end one alone. Times: `npm run bench`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHAOS_KINDS, ChaosLab } from '#tests/support/l2-chaos.ts';

const ROUNDS = 2;
let chaos: ChaosLab;
beforeAll(async () => {
  chaos = await ChaosLab.start('mlb-t-chaos', 5);
});
afterAll(() => chaos?.[Symbol.asyncDispose]());

describe('chaos on five nodes', () => {
  it.each(CHAOS_KINDS)(
    '%s: answered again by the winner alone, and by two only while it changes',
    async (kind) => {
      for (let count = 0; count < ROUNDS; count += 1) {
        // `round` rejects unless another one answers while it is wrong (where it should) and the winner alone in the end.
        const round = await chaos.round(kind);
        expect(round.moved || kind === 'flap' || kind === 'restart', JSON.stringify(round)).toBe(true);
        const { others } = await chaos.calm(1_000);
        expect(others, JSON.stringify(round)).toBe(0);
      }
    },
  );
});
