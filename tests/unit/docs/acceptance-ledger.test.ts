/** The ledger of the 174 acceptance criteria of controller.md §8 and of its field cases: each is in the name of a test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { itemsOf, namesIn, testNames } from '#tests/support/test-names.ts';

const names = testNames([
  'tests/unit/ipam',
  'tests/unit/controller',
  'tests/unit/config/acceptance.test.ts',
  'tests/unit/status/configuration-state.test.ts',
  'tests/integration/controller',
  'tests/integration/api/webhooks.test.ts',
  'tests/integration/field',
]);

/** What we do otherwise, as docs/compatibility.md says; the test of that name shows what we do. */
const different: Readonly<Record<number, string>> = {
  135: 'a release wakes whom it helps instead of a pass over all Services',
  136: 'a failure repeats that Service instead of the pass',
  139: 'handing over pools has no outcome but success',
  145: 'only the later pool is out',
  150: 'only that alias is out',
  151: 'large communities are fine under every backend',
  163: 'a failure of the run does not exist; an unreadable object is a problem of its own',
};

function missing(from: readonly string[]): number[] {
  const covered = new Set(from.flatMap(itemsOf));
  return Array.from({ length: 174 }, (_, index) => index + 1).filter((number) => !covered.has(`${number}`));
}

/** Field cases that concern addresses, and how many expectations each has; the steps of B04 and B10 count as such. */
const fieldCases = { A06: 4, A08: 4, A20: 7, B04: 1, B06: 5, B09: 4, B10: 6, C12: 5 };

describe('field cases of addresses', () => {
  it('each expectation is in the name of a test on real parts', () => {
    const covered = new Set(testNames(['tests/integration/field']).flatMap(itemsOf));
    const wanted = Object.entries(fieldCases).flatMap(([id, count]) =>
      Array.from({ length: count }, (_, index) => `${id} E${index + 1}`),
    );
    expect(wanted.filter((item) => !covered.has(item))).toEqual([]);
  });
});

describe('acceptance criteria of the controller', () => {
  it('each is in the name of a test', () => {
    expect(missing(names)).toEqual([]);
  });

  it('each difference is in docs/compatibility.md under its number', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/compatibility.md'), 'utf8');
    const told = [...text.matchAll(/\(items? ([\d, ]+)\)/g)].flatMap(([, list = '']) => list.split(', '));
    expect(told.map(Number).sort((a, b) => a - b)).toEqual(Object.keys(different).map(Number));
  });

  it('positive control: a number in no name is noticed, and how names are read', () => {
    expect(missing(names.filter((name) => !itemsOf(name).includes('173')))).toEqual([173]);
    const source = `it.each<[string, X]>([
      ['73 no keys', {}],
      [
        '78 both', 'it(1)', [3]],
    ])('%s: %j', () => {});
    it('4.2: a section', f); it(\`5, Q9, A06 E2: \${x}\`, f); it.each([1])('6: %s', f)`;
    expect(namesIn(source)).toEqual([
      '73 no keys: %j',
      '78 both: %j',
      '4.2: a section',
      '5, Q9, A06 E2: ${x}',
      '6: %s',
    ]);
    expect(namesIn(source).map(itemsOf)).toEqual([['73'], ['78'], [], ['5', 'A06 E2'], ['6']]);
  });
});
