import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conflictEvent } from '#core/announce/conflict.ts';
import { Claims, claimTiming } from '#core/l2/claim.ts';

const { probes, spacing, retry, defend } = claimTiming;

/** Every step that is due until `until`, with its time. */
function steps(claims: Claims, until: number): string[] {
  const seen: string[] = [];
  for (let at = claims.next(); at !== undefined && at <= until; at = claims.next())
    for (const { key, step } of claims.due(at, 10)) seen.push(`${key} ${step} ${at}`);
  return seen;
}

describe('claiming an address (RFC 5227 §2.1.1, RFC 4862 §5.4)', () => {
  it('probes three times and then claims', () => {
    const claims = new Claims(() => 0);
    claims.begin('a', 0);
    expect(claims.isPending('a')).toBe(true);
    expect(steps(claims, 10_000)).toEqual(['a probe 0', 'a probe 100', 'a probe 200', 'a claim 300']);
    expect(claims.isPending('a')).toBe(false);
    expect(claims.next()).toBeUndefined();
  });

  it('takes a fraction of the time in which a fail-over must be done', () => {
    expect(probes * spacing).toBeLessThan(500);
  });

  it('does not claim what another machine uses, asks again, and claims when it is silent', () => {
    const claims = new Claims(() => 0);
    claims.begin('a', 0);
    claims.due(0, 10);
    expect(claims.withhold('a', 10)).toBe(true);
    expect(claims.withhold('a', 11)).toBe(false);
    expect(steps(claims, 10 + retry)).toEqual([`a probe ${10 + retry}`]);
    expect(claims.withhold('a', 20 + retry)).toBe(false);
    const [first, ...rest] = steps(claims, 100_000);
    expect(first).toBe(`a probe ${20 + 2 * retry}`);
    expect(rest.at(-1)).toBe(`a claim ${20 + 2 * retry + probes * spacing}`);
  });

  it('two that probe at the same time do not meet for ever: the wait differs by chance', () => {
    const numbers = [0.5, 0, 0.25];
    const claims = new Claims(() => numbers.shift() ?? 0);
    for (const key of ['a', 'b', 'c']) claims.begin(key, 0);
    for (const key of ['a', 'b', 'c']) claims.withhold(key, 0);
    expect(claims.next()).toBe(retry);
    expect(claims.due(retry, 10).map(({ key }) => key)).toEqual(['b']);
    expect(claims.next()).toBe(retry + spacing);
    expect(claims.due(retry * 1.125, 10).map(({ key }) => key)).toEqual(['b', 'c']);
    expect(claims.due(retry * 1.25, 10).map(({ key }) => key)).toEqual(['b', 'c', 'a']);
  });

  it('says with the claim that it was contested', () => {
    const claims = new Claims(() => 0);
    claims.begin('a', 0);
    claims.begin('b', 0);
    claims.withhold('a', 0);
    const claimed: string[] = [];
    for (let now = 0; now <= 10_000; now += 10)
      for (const { key, step, contested } of claims.due(now, 10))
        if (step === 'claim') claimed.push(`${key} ${contested}`);
    expect(claimed).toEqual(['b false', 'a true']);
  });

  it('forgets what is not wanted any more; what is held is never withheld', () => {
    const claims = new Claims(() => 0);
    claims.begin('a', 0);
    claims.end('a');
    expect(steps(claims, 10_000)).toEqual([]);
    expect(claims.withhold('a', 0)).toBe(false);
  });

  it('takes no more steps at once than asked for, and none is lost', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 50 }),
        fc.integer({ min: 1, max: 7 }),
        (keys, limit) => {
          const claims = new Claims(() => 0);
          for (const key of keys) claims.begin(key, 0);
          const claimed = new Set<string>();
          for (let at = claims.next(); at !== undefined; at = claims.next()) {
            const due = claims.due(at, limit);
            expect(due.length).toBeLessThanOrEqual(limit);
            for (const { key, step } of due) if (step === 'claim') claimed.add(key);
          }
          expect(claimed).toEqual(new Set(keys));
        },
      ),
    );
  });
});

describe('defending an address (RFC 5227 §2.4 c)', () => {
  it('once in ten seconds', () => {
    const claims = new Claims(() => 0);
    expect(defend).toBe(10_000);
    expect(claims.defend('a', 0)).toBe(true);
    expect(claims.defend('a', 9_999)).toBe(false);
    expect(claims.defend('b', 9_999)).toBe(true);
    expect(claims.defend('a', 10_000)).toBe(true);
  });
});

describe('what users are told', () => {
  it.each(['held', 'withheld', 'over'] as const)('%s', (state) => {
    const conflict = { ip: '192.0.2.5', interface: 'eth0', mac: '02:00:00:00:00:07', state };
    expect(conflictEvent(conflict, 'n1')).toMatchSnapshot();
  });
});
