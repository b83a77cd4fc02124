/** The ledger of the 149 behaviours of speaker-bgp.md §9 and of the field cases of BGP: each is in the name of a test that runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { behavioursOf, expectationsOf, namesIn, testNames } from '#tests/support/test-names.ts';

const COUNT = 149;
const names = testNames([
  'tests/unit/bgp',
  'tests/unit/frr',
  'tests/unit/frrk8s',
  'tests/unit/speaker',
  'tests/unit/config',
  'tests/unit/status',
  'tests/contract/frr/suite.ts',
  'tests/integration/frr',
  'tests/integration/frrk8s',
  'tests/integration/speaker',
  'tests/integration/api/webhooks.test.ts',
  'tests/integration/field',
]);

interface Difference {
  readonly why: string;
  /** First cell of the row of docs/compatibility.md that tells users; the row carries the number. */
  readonly row: string;
}

const isolated: Difference = { why: 'one bad object takes out itself alone', row: 'One bad object' };
const served: Difference = { why: 'prefixes are not filtered one by one', row: 'A changed prefix' };
const applied: Difference = {
  why: 'FRR is driven by deltas through vtysh, without a reloader',
  row: 'Reload',
};
const told: Difference = { why: 'gauge and object say what is in force', row: '`config_stale_bool`' };

/** What we do otherwise on purpose; the test of that number says `(ours` and shows what we do. */
const different: Readonly<Record<number, Difference>> = {
  24: { why: 'only the Service without pool stops', row: 'A pool in use is removed' },
  43: { why: 'policy is by class: there are no lists by community', row: 'A changed prefix' },
  44: isolated,
  48: isolated,
  51: isolated,
  52: isolated,
  53: isolated,
  54: { why: 'FRR carries more than 63', row: 'Communities on a route' },
  55: isolated,
  60: isolated,
  61: isolated,
  62: isolated,
  65: isolated,
  70: isolated,
  83: {
    why: 'the two are found to be one neighbour and the junior is told',
    row: 'Two peers with one address',
  },
  87: isolated,
  88: isolated,
  89: { why: 'nothing stays that no object asks for', row: 'The last BFDProfile is deleted' },
  91: applied,
  92: applied,
  93: applied,
  94: applied,
  96: applied,
  98: served,
  99: served,
  109: { why: 'series belong to configured peers', row: 'An unnumbered peer' },
  135: told,
  136: told,
  137: { why: 'it is a problem of the ConfigMap, and of nothing else', row: 'ConfigMap `bgpextras`' },
  139: { why: 'an alias of that name works', row: 'A community with a colon' },
  140: {
    why: 'a decision that comes out the same is no change',
    row: 'A Node joins, leaves or changes labels',
  },
  141: { why: 'the line that FRR adds is rendered', row: '`localASN` towards our own AS' },
  142: served,
  149: { why: 'there is no conversion webhook (ADR 3)', row: 'BGPPeer v1beta1' },
};

/** What is not there yet: whoever builds it takes its number out. */
const notYet: readonly number[] = [];

/** Field cases that concern BGP, and how many expectations each has. */
const fieldCases = { A24: 4, B26: 4 };

const all = Array.from({ length: COUNT }, (_, i) => i + 1);

function missing(from: readonly string[]): number[] {
  const covered = new Set(from.flatMap(behavioursOf));
  return all.filter((number) => !covered.has(number));
}

function invented(from: readonly string[]): number[] {
  return from.flatMap(behavioursOf).filter((number) => number < 1 || number > COUNT);
}

/** The numbers that rows of the docs carry, by the first cell of the row. */
function toldInDocs(text: string): Map<number, string> {
  const rows = text.matchAll(/^\| ([^|]+?) \|.*\(BGP behaviours? ([\d, ]+)\)/gm);
  return new Map(
    [...rows].flatMap(([, row = '', list = '']) =>
      list.split(', ').map((number): [number, string] => [Number(number), row]),
    ),
  );
}

describe('behaviours of BGP', () => {
  it('each is in the name of a test; what is not there yet is counted apart', () => {
    expect(missing(names)).toEqual(notYet);
    expect(invented(names)).toEqual([]);
  });

  it('each difference is in a row of docs/compatibility.md, and says in the name of its test that it is one', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/compatibility.md'), 'utf8');
    const wanted = Object.entries(different).map(([number, { row }]) => [Number(number), row] as const);
    expect([...toldInDocs(text)].sort(([a], [b]) => a - b)).toEqual(wanted);
    const ours = new Set(names.filter((name) => name.includes('(ours')).flatMap(behavioursOf));
    expect(Object.keys(different).filter((number) => !ours.has(Number(number)))).toEqual([]);
    for (const { why } of Object.values(different)) expect(why).not.toBe('');
  });

  it('positive control: a number that is in no name, or in no list of ours, is noticed; so is a test that does not run', () => {
    expect(missing(names.filter((name) => !behavioursOf(name).includes(95)))).toEqual(
      [95, ...notYet].sort((a, b) => a - b),
    );
    expect(invented([...names, '#150 no such item', '#0 nor this'])).toEqual([150, 0]);
    expect(
      namesIn(`it.skip('#1 a', f); it.todo('#2 b'); it('#3 c', f); it.each(rows)('#4 %s', f); it('#5 d', f)`),
    ).toEqual(['#3 c', '#4 %s', '#5 d']);
    expect(toldInDocs('| A | b | c (BGP behaviours 1, 22) |\n| D | e (BGP behaviour 3) | f |')).toEqual(
      new Map([
        [1, 'A'],
        [22, 'A'],
        [3, 'D'],
      ]),
    );
  });
});

describe('field cases of BGP', () => {
  it('each expectation is in the name of a test on real parts', () => {
    const covered = new Set(testNames(['tests/integration/field']).flatMap(expectationsOf));
    const wanted = Object.entries(fieldCases).flatMap(([id, count]) =>
      Array.from({ length: count }, (_, i) => `${id} E${i + 1}`),
    );
    expect(wanted.filter((item) => !covered.has(item))).toEqual([]);
  });

  it('positive control: how names are read', () => {
    expect(expectationsOf('A24 E1 to E3, B26 E4, E5: E6 is not meant')).toEqual([
      'A24 E1',
      'A24 E2',
      'A24 E3',
      'B26 E4',
      'B26 E5',
    ]);
  });
});
