/** The ledger of the 106 behaviours of operator-packaging.md §10 and of its field cases: each is in the name of a test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { itemsOf, testNames } from '#tests/support/test-names.ts';

const BEHAVIOURS = 106;

const names = testNames([
  'tests/unit/operator',
  'tests/unit/config/metallb.test.ts',
  'tests/unit/status/metallb-conditions.test.ts',
  'tests/unit/tools',
  'tests/integration/operator',
  'tests/integration/olm',
  'tests/e2e/operator.test.ts',
  'tests/e2e/olm.test.ts',
]);

interface Difference {
  readonly why: string;
  /** A test shows, under the number, what happens here; otherwise there is nothing to show. */
  readonly shown: boolean;
}

const nothing = (why: string): Difference => ({ why, shown: false });
const otherwise = (why: string): Difference => ({ why, shown: true });

const noFrrK8s = nothing(
  'our own FRR serves the backend frr-k8s: there is no DaemonSet frr-k8s and no statuscleaner',
);
const noNetworkOperator = nothing(
  'OpenShift: who wants frr-k8s of the network operator sets its provider there; we write nothing into its configuration',
);

/** What we do otherwise on purpose; docs/compatibility.md says it under the number. */
const different: Readonly<Record<number, Difference>> = {
  22: otherwise('an object in another namespace is Degraded and says which namespace counts'),
  24: otherwise('containers speaker and frr of one image; no reloader, no frr-metrics'),
  25: nothing('one image: nothing is copied between containers, so there are no init containers'),
  30: noFrrK8s,
  41: noFrrK8s,
  42: noFrrK8s,
  43: noFrrK8s,
  46: noFrrK8s,
  52: noFrrK8s,
  53: nothing('workloads are made by functions: there is no chart inside of the operator to be missing'),
  54: otherwise('no ports of frr-k8s: 7572, 7573, 9140 and 9141 are not opened by us'),
  57: otherwise('an image reference is used as written: nothing is split, so nothing can be lost'),
  58: otherwise('one image for all, or that of the operator’s own pod'),
  60: noFrrK8s,
  64: otherwise('cipher suites beside TLS 1.3 are accepted and left out, so that the programs start'),
  66: noNetworkOperator,
  67: noNetworkOperator,
  68: noNetworkOperator,
  69: noNetworkOperator,
  82: noFrrK8s,
  89: nothing('nothing cluster-scoped is left: 84 looks for it'),
  90: otherwise('what somebody deletes or changes is put back at once'),
  91: otherwise('replicas are left alone as long as controllerConfig.replicas is not set'),
  103: nothing('MetalLB’s own suite needs container images and a Docker host: not run'),
  104: nothing('there is no separate webhook server under OLM to be started again'),
  105: nothing('nothing waits for a ConfigMap of the operator'),
  106: otherwise('the annotation of the SCC is ours, whatever speakerConfig says'),
};

/** Not there yet: when it is, its line goes. */
const open: Readonly<Record<number, string>> = {
  101: 'an installation by manifest is not upgraded in place by a test',
};

function missing(from: readonly string[]): number[] {
  const covered = new Set(from.flatMap(itemsOf));
  return Array.from({ length: BEHAVIOURS }, (_, index) => index + 1).filter((number) => {
    const needsNone = different[number]?.shown === false || number in open;
    return !needsNone && !covered.has(`${number}`);
  });
}

/** Numbers of what is said to have no test, or not to be there, and has one all the same. */
function contradicted(from: readonly string[]): number[] {
  const covered = new Set(from.flatMap(itemsOf));
  const without = Object.entries(different).filter(([, { shown }]) => !shown);
  const numbers = [...without.map(([number]) => Number(number)), ...Object.keys(open).map(Number)];
  return numbers.filter((number) => covered.has(`${number}`));
}

describe('behaviours of the operator', () => {
  it('each is in the name of a test, or is different on purpose with nothing to show, or is listed as open', () => {
    expect(missing(names)).toEqual([]);
  });

  it('nothing that is listed as having no test has one', () => {
    expect(contradicted(names)).toEqual([]);
  });

  it('each difference is in docs/compatibility.md under its number', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/compatibility.md'), 'utf8');
    const told = [...text.matchAll(/\(operator items? ([\d, ]+)\)/g)].flatMap(([, list = '']) =>
      list.split(', '),
    );
    expect(told.map(Number).sort((a, b) => a - b)).toEqual(Object.keys(different).map(Number));
  });

  it('positive control: a number in no name is noticed, and so is a test for what is said to be missing', () => {
    expect(missing(names.map((name) => name.replace('91, 92:', '92:')))).toEqual([91]);
    expect(contradicted([...names, '43: a status cleaner', '101: an upgrade'])).toEqual([43, 101]);
  });
});

/** Expectations of field cases on real parts; those of C06 and C08 have tests of their own folders. */
const fieldCases = { C02: 4, C08: 5, C09: 5 };

describe('field cases of the operator', () => {
  it('each expectation is in the name of a test on real parts', () => {
    const covered = new Set(
      testNames(['tests/integration/helm', 'tests/integration/operator']).flatMap(itemsOf),
    );
    const wanted = Object.entries(fieldCases).flatMap(([id, count]) =>
      Array.from({ length: count }, (_, index) => `${id} E${index + 1}`),
    );
    expect(wanted.filter((item) => !covered.has(item))).toEqual([]);
  });
});
