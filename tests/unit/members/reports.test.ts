import { expect, it } from 'vitest';
import { LATELY_MS, reportOf, Reports } from '#core/members/reports.ts';

const IP = '192.0.2.77';

it('an address is the cluster’s while somebody holds it and for a while afterwards', () => {
  const reports = new Reports();
  expect(reports.wasHeld(IP, 0)).toBe(false);
  reports.set('a', reportOf([], [IP]), 0);
  expect(reports.wasHeld(IP, 10 * LATELY_MS)).toBe(true);
  reports.set('a', reportOf([], []), 10 * LATELY_MS);
  expect(reports.heldBy(IP)).toEqual([]);
  expect(reports.wasHeld(IP, 11 * LATELY_MS - 1)).toBe(true);
  expect(reports.wasHeld(IP, 11 * LATELY_MS)).toBe(false);
});

it('counts from the last time it was let go, also by a node that is forgotten', () => {
  const reports = new Reports();
  reports.set('a', reportOf([], [IP]), 0);
  reports.set('a', reportOf([], []), 1_000);
  reports.set('b', reportOf([], [IP]), 2_000);
  reports.set('c', reportOf([], ['192.0.2.78']), 2_000);
  reports.set('b', undefined, 3_000);
  reports.set('c', undefined, 3_000 + LATELY_MS);
  expect(reports.wasHeld(IP, 3_000 + LATELY_MS - 1)).toBe(false);
  expect(reports.wasHeld('192.0.2.78', 3_000 + LATELY_MS)).toBe(true);
});
