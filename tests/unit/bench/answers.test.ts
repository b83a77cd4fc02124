import { describe, expect, it } from 'vitest';
import { longestDouble, longestPause, type Answer } from '#tests/support/answers.ts';

const by = (who: string, from: number, to: number, every = 10): Answer[] =>
  Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, index) => ({
    at: from + index * every,
    by: who,
  }));
const merged = (...lists: Answer[][]): Answer[] => lists.flat().sort((a, b) => a.at - b.at);

describe('answers', () => {
  it('the longest pause, up to both ends', () => {
    const answers = merged(by('a', 0, 100), by('b', 600, 1_000));
    expect(longestPause(answers, 50, 1_000)).toBe(500);
    expect(longestPause(answers, 650, 1_300)).toBe(300);
    expect(longestPause([], 0, 10)).toBe(10);
  });

  it('a change from one to the other is no double answer', () => {
    expect(longestDouble(merged(by('a', 0, 500), by('b', 510, 900)), { from: 0, to: 900 }, 8)).toBe(0);
  });

  it('the longest time with two answerers', () => {
    const answers = merged(by('a', 0, 500), by('b', 402, 900), by('a', 702, 722));
    expect(longestDouble(answers, { from: 0, to: 900 }, 8)).toBe(102);
    expect(longestDouble(answers, { from: 550, to: 900 }, 8)).toBe(20);
  });
});
