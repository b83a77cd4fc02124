/** The ledger of the 124 behaviours of speaker-l2.md §9 and of the field cases of Layer 2: each is in the name of a test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { itemsOf, testNames } from '#tests/support/test-names.ts';

const names = testNames([
  'tests/unit/election',
  'tests/unit/l2',
  'tests/unit/speaker/announcing.test.ts',
  'tests/unit/speaker/l2-status.test.ts',
  'tests/integration/l2',
  'tests/integration/field/l2-behaviours.test.ts',
]);

/** What we do otherwise on purpose, and why; the test of that number shows what we do. */
const different: Readonly<Record<number, string>> = {
  74: 'a new configuration is used at once, only the Service without pool stops: nothing else has to wait for the controller',
  78: 'Services are not ignored before the first pass but part of it, and all is handed over at once, so that no order matters',
  84: 'where another candidate has the interface it takes over, and the one that lacks it still says announceFailed',
  102: 'a reconcile that changes nothing starts no burst: busy Services would broadcast all the time (W16)',
  106: 'the answer overrides, so that a cache entry of the node before is replaced at once (W2)',
  107: 'answered: RFC 4861 lets the option be missing, and a probe must be answered to defend the address (W4, W6)',
  108: 'answered: neighbours that verify reachability would drop the entry (W4)',
  124: 'the stale gauge is 0 again: nothing is stale',
};

function missing(from: readonly string[]): number[] {
  const covered = new Set(from.flatMap(itemsOf));
  return Array.from({ length: 124 }, (_, index) => index + 1).filter((number) => !covered.has(`${number}`));
}

/** How many expectations each field case of Layer 2 has. */
const fieldCases = { A10: 6, A22: 5, A26: 5, B03: 5, B17: 5, B18: 4, B20: 5, B22: 6, B30: 5 };

describe('field cases of Layer 2', () => {
  it('each expectation is in the name of a test on real parts', () => {
    const covered = new Set(testNames(['tests/integration/field']).flatMap(itemsOf));
    const wanted = Object.entries(fieldCases).flatMap(([id, count]) =>
      Array.from({ length: count }, (_, index) => `${id} E${index + 1}`),
    );
    expect(wanted.filter((item) => !covered.has(item))).toEqual([]);
  });
});

describe('behaviours of Layer 2', () => {
  it('each is in the name of a test', () => {
    expect(missing(names)).toEqual([]);
  });

  it('each difference is in docs/compatibility.md under its number', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/compatibility.md'), 'utf8');
    const told = [...text.matchAll(/\(behaviours? ([\d, ]+)\)/g)].flatMap(([, list = '']) =>
      list.split(', '),
    );
    expect(told.map(Number).sort((a, b) => a - b)).toEqual(Object.keys(different).map(Number));
  });

  it('each difference says in the name of its test that it is one', () => {
    const better = names.filter((name) => name.includes('(better')).flatMap(itemsOf);
    expect(Object.keys(different).filter((number) => !better.includes(number))).toEqual([]);
  });

  it('positive control: a number in no name is noticed', () => {
    expect(missing(names.filter((name) => !itemsOf(name).includes('91')))).toEqual([91]);
  });
});
