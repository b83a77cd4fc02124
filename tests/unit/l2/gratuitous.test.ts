import { describe, expect, it } from 'vitest';
import { GratuitousSchedule, type GratuitousTiming } from '#core/l2/gratuitous.ts';

/** Runs the schedule for `until` ms and returns the moments at which each address is announced. */
function rounds(schedule: GratuitousSchedule, until: number): Record<string, number[]> {
  const sent: Record<string, number[]> = {};
  for (let now = schedule.next(); now !== undefined && now <= until; now = schedule.next())
    for (const ip of schedule.due(now, 1)) (sent[ip] ??= []).push(now);
  return sent;
}

const periodic: GratuitousTiming = { rounds: 2, spacing: 1_000, period: 60_000 };

describe('gratuitous schedule (speaker-l2.md §5.5)', () => {
  it('101: at once, then every 1.1 s, five rounds within 5 s', () => {
    const schedule = new GratuitousSchedule();
    schedule.start('a', 100);
    expect(rounds(schedule, 1e6)).toEqual({ a: [100, 1_200, 2_300, 3_400, 4_500] });
  });

  it('103: stops in the middle of a burst when the address is withdrawn', () => {
    const schedule = new GratuitousSchedule();
    schedule.start('a', 0);
    expect(rounds(schedule, 1_100)).toEqual({ a: [0, 1_100] });
    schedule.stop('a');
    expect(schedule.next()).toBeUndefined();
  });

  it('102: a new start begins a new burst', () => {
    const schedule = new GratuitousSchedule();
    schedule.start('a', 0);
    expect(rounds(schedule, 1_100)).toEqual({ a: [0, 1_100] });
    schedule.start('a', 1_500);
    expect(rounds(schedule, 1e6)).toEqual({ a: [1_500, 2_600, 3_700, 4_800, 5_900] });
  });

  it('goes on slowly when a period is set', () => {
    const schedule = new GratuitousSchedule(periodic);
    schedule.start('a', 0);
    schedule.start('b', 10);
    expect(rounds(schedule, 121_010)).toEqual({
      a: [0, 1_000, 61_000, 121_000],
      b: [10, 1_010, 61_010, 121_010],
    });
  });

  it('gives out no more than asked for, oldest first', () => {
    const schedule = new GratuitousSchedule();
    for (const ip of ['a', 'b', 'c']) schedule.start(ip, 0);
    expect(schedule.due(5, 2)).toEqual(['a', 'b']);
    expect(schedule.next()).toBe(0);
    expect(schedule.due(5, 2)).toEqual(['c']);
    expect(schedule.next()).toBe(1_105);
  });
});
