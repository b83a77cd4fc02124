import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  claim,
  defaultTiming,
  leadershipLost,
  microTime,
  observe,
  release,
  step,
  type LeaseRecord,
} from '#core/lease/step.ts';

const record = (over: Partial<LeaseRecord> = {}): LeaseRecord => ({
  holder: 'other',
  durationSeconds: 15,
  acquireTime: 'a',
  renewTime: 'r1',
  transitions: 3,
  ...over,
});
const context = (now: number, leading = false) => ({ now, leading, timing: defaultTiming });

describe('lease step (architecture §8)', () => {
  it('takes a lease that is absent, free, or ours from an earlier life', () => {
    const at = (found: LeaseRecord | undefined) => step('me', observe(undefined, found, 0), context(0));
    expect(at(undefined)).toEqual({ kind: 'acquire', reason: 'absent' });
    expect(at(record({ holder: '' }))).toEqual({ kind: 'acquire', reason: 'free' });
    expect(at(record({ holder: 'me' }))).toEqual({ kind: 'acquire', reason: 'ours' });
  });

  it('renews while leading', () => {
    const seen = observe(undefined, record({ holder: 'me' }), 0);
    expect(step('me', seen, context(0, true))).toEqual({ kind: 'renew' });
  });

  it('waits for another holder by our own clock, whatever its time stamps say', () => {
    const ancient = record({ renewTime: '1970-01-01T00:00:00.000000Z' });
    const seen = observe(undefined, ancient, 1000);
    expect(step('me', seen, context(1000))).toEqual({ kind: 'wait', ms: 2000, holder: 'other' });
    expect(step('me', observe(seen, ancient, 15_000), context(15_000))).toMatchObject({
      kind: 'wait',
      ms: 1000,
    });
    expect(step('me', observe(seen, ancient, 16_000), context(16_000))).toEqual({
      kind: 'acquire',
      reason: 'expired',
    });
  });

  it('counts anew from each renewal that it sees', () => {
    const first = observe(undefined, record(), 0);
    const renewed = observe(first, record({ renewTime: 'r2' }), 14_000);
    expect(step('me', renewed, context(20_000))).toMatchObject({ kind: 'wait' });
    expect(observe(renewed, record({ renewTime: 'r2' }), 20_000)).toBe(renewed);
  });

  it('gives up leadership before anybody else may take the lease', () => {
    expect(leadershipLost(0, 9_999, defaultTiming)).toBe(false);
    expect(leadershipLost(0, 10_000, defaultTiming)).toBe(true);
    expect(defaultTiming.renewDeadlineMs).toBeLessThan(defaultTiming.leaseMs);
  });

  it('counts transitions between holders only', () => {
    const now = { timing: defaultTiming, unixMicros: 0 };
    expect(claim('me', undefined, now)).toMatchObject({ holder: 'me', transitions: 0, durationSeconds: 15 });
    expect(claim('me', record(), now)).toMatchObject({ holder: 'me', transitions: 4 });
    expect(claim('me', record({ holder: 'me' }), now)).toMatchObject({ transitions: 3, acquireTime: 'a' });
  });

  it('is released by an empty holder for one second', () => {
    expect(release(record({ holder: 'me' }), 0)).toMatchObject({
      holder: '',
      durationSeconds: 1,
      transitions: 3,
    });
  });

  it('writes MicroTime with six digits', () => {
    expect(microTime(1_764_000_000_123_456)).toBe('2025-11-24T16:00:00.123456Z');
    expect(microTime(1_764_000_000_000_007)).toBe('2025-11-24T16:00:00.000007Z');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e15 }), (micros) => {
        expect(microTime(micros)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      }),
    );
  });

  it('never has two leaders, however their clocks differ', () => {
    const skew = fc.integer({ min: -1e9, max: 1e9 });
    const moves = fc.array(fc.record({ who: fc.constantFrom(0, 1), ms: fc.integer({ min: 0, max: 4000 }) }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(skew, moves, (skew, moves) => {
        const nodes = [
          { me: 'a', offset: 0, leading: false, renewedAt: 0, seen: observe(undefined, undefined, 0) },
          { me: 'b', offset: skew, leading: false, renewedAt: 0, seen: observe(undefined, undefined, 0) },
        ];
        let lease: LeaseRecord | undefined;
        let time = 0;
        for (const { who, ms } of moves) {
          time += ms;
          const node = nodes[who]!;
          const now = time + node.offset;
          node.seen = observe(node.seen, lease, now);
          const next = step(node.me, node.seen, { now, leading: node.leading, timing: defaultTiming });
          if (next.kind !== 'wait') {
            lease = claim(node.me, lease, { timing: defaultTiming, unixMicros: Math.abs(now) * 1000 + who });
            node.seen = { record: lease, changedAt: now };
            node.leading = true;
            node.renewedAt = now;
          } else node.leading = false;
          const leaders = nodes.filter(
            ({ leading, offset, renewedAt }) =>
              leading && !leadershipLost(renewedAt, time + offset, defaultTiming),
          );
          expect(leaders.length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
