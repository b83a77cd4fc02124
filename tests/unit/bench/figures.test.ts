import { describe, expect, it } from 'vitest';
import { distribution, meetsGoal, missedGoals, percentile } from '#bench/figures.ts';

describe('figures', () => {
  it('take percentiles by nearest rank', () => {
    const samples = Array.from({ length: 100 }, (_, i) => i + 1);
    expect([50, 90, 99, 100].map((p) => percentile(samples, p))).toEqual([50, 90, 99, 100]);
    expect(() => percentile([], 50)).toThrow('no samples');
  });

  it('check goals as comparisons and refuse what is none', () => {
    const figure = { figure: 'x', unit: 'ms', size: '1', value: 300 };
    expect(meetsGoal({ ...figure, goal: '<= 300' })).toBe(true);
    expect(meetsGoal({ ...figure, goal: '< 300' })).toBe(false);
    expect(meetsGoal(figure)).toBe(true);
    expect(() => meetsGoal({ ...figure, goal: 'fast' })).toThrow('not a comparison');
  });

  it('name what misses its goal', () => {
    const figures = distribution('x', { unit: 'ms', size: '3', goal99: '<= 2' }, [1, 2, 3]);
    expect(missedGoals(figures).map(({ figure }) => figure)).toEqual(['x p99']);
  });
});
