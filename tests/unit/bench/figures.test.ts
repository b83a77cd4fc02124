import { describe, expect, it } from 'vitest';
import { distribution, meetsGoal, measuredAt, missedGoals, percentile, withNewer } from '#bench/figures.ts';

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

  it('of parts measured later take the places of those measured before; the others stay, each with its time', () => {
    const figure = { unit: 'ms', size: '1', value: 3, at: '2026-01-01T00:00Z' };
    const known = [
      { ...figure, figure: 'a' },
      { ...figure, figure: 'b' },
    ];
    const measured = ['c', 'a'].map((name) => ({ figure: name, unit: 'ms', size: '1', value: 4 }));
    const all = withNewer(known, measuredAt(measured, new Date('2026-01-02T03:04:05Z')));
    expect(all.map(({ figure: name, value, at }) => [name, value, at])).toEqual([
      ['a', 4, '2026-01-02T03:04Z'],
      ['b', 3, '2026-01-01T00:00Z'],
      ['c', 4, '2026-01-02T03:04Z'],
    ]);
  });
});
