/** A case of `metallb doctor`: what is broken, and what has to be found. */
import { expect } from 'vitest';
import type { Gathered, Result, Severity } from '#core/doctor/check.ts';

export interface Case<F> {
  readonly check: string;
  readonly what: string;
  readonly broken: Partial<F>;
  readonly finds: readonly [severity: Severity, object: string, field: string];
  readonly words: RegExp;
  readonly remedy: RegExp;
}

export function gathered<F extends object>(facts: F): Gathered<F> {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, { value }])) as Gathered<F>;
}

/** The broken thing is found by its check, first and with all its parts, and by no other check. */
export function expectFinding<F>(results: readonly Result[], wanted: Case<F>): void {
  const { check, finds, words, remedy } = wanted;
  const [severity, object, field] = finds;
  const found = results.filter(({ outcome }) => outcome !== 'fine');
  expect(found.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([`${check} found`]);
  const [finding] = found.flatMap(({ findings }) => findings);
  expect(finding).toMatchObject({ severity, object, field });
  expect(finding?.message).toMatch(words);
  expect(finding?.remedy).toMatch(remedy);
}
