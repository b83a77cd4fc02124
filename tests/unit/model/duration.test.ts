import { describe, expect, it } from 'vitest';
import { isWholeSeconds, parseDuration, wholeSeconds } from '#core/model/duration.ts';

describe('durations in Go notation (api.md 3.3)', () => {
  it.each([
    ['0', 0n],
    ['-0', 0n],
    ['90s', 90_000_000_000n],
    ['1m30s', 90_000_000_000n],
    ['1.5h', 5_400_000_000_000n],
    ['.5s', 500_000_000n],
    ['1.s', 1_000_000_000n],
    ['-2ms', -2_000_000n],
    ['+3us', 3_000n],
    ['7\u00b5s', 7_000n],
    ['7\u03bcs', 7_000n],
    ['1h1ns', 3_600_000_000_001n],
    ['0.3ns', 0n],
  ])('%s', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each([
    '',
    '90',
    '1',
    's',
    '.s',
    '1 s',
    ' 1s',
    '1s ',
    '1d',
    '1s2',
    '--1s',
    '1e3s',
    '300000h30000000h',
    '1S',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('seconds are cut towards zero', () => {
    expect([2_900_000_000n, -900_000_000n].map(wholeSeconds)).toEqual([2, 0]);
    expect([2_000_000_000n, 2_000_000_001n].map(isWholeSeconds)).toEqual([true, false]);
  });
});
