import { describe, expect, it } from 'vitest';
import { fuzzFrames } from '#tests/support/frame-fuzzer.ts';

const FRAMES = 10_000_000;
const SEED = 20_261_125;

describe('fuzz', () => {
  it(`${FRAMES} mutated frames: no crash, and every answer answers a question for a held address`, () => {
    const { answers, wrong, looks } = fuzzFrames(FRAMES, SEED);
    expect(wrong).toBe(0);
    expect(answers).toBeGreaterThan(FRAMES / 100);
    expect(looks).toBeGreaterThan(0);
  });
});
