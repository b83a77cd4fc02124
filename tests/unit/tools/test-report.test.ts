import { describe, expect, it } from 'vitest';
import { counts, filesToRepeat, type Attempt } from '#tools/test-report.ts';

type TestFile = Attempt['report']['testResults'][number];

const passed = { title: 'works', fullName: 'suite works', status: 'passed', failureMessages: [] };
const failed = {
  title: 'one UPDATE',
  fullName: 'weights one UPDATE',
  status: 'failed',
  failureMessages: [
    '\u001b[31mAssertionError\u001b[39m: expected 2 to be 1\n\n- 1\n+ 2\n    at /repo/tests/a.test.ts:12:3\n    at more',
  ],
};
const told = [
  'FAILED tests/a.test.ts: weights one UPDATE',
  '    AssertionError: expected 2 to be 1',
  '    - 1',
  '    + 2',
];

function file(name: string, assertionResults: TestFile['assertionResults'], message = ''): TestFile {
  const good = message === '' && assertionResults.every(({ status }) => status !== 'failed');
  return {
    name: `/repo/tests/${name}.test.ts`,
    status: good ? 'passed' : 'failed',
    message,
    assertionResults,
  };
}

const attempt = (exitCode: number, ...testResults: TestFile[]): Attempt => ({
  report: { testResults },
  exitCode,
});

describe('the summary of npm test', () => {
  it('repeats what failed: file, test and reason, without colours and without the stack', () => {
    const first = attempt(1, file('a', [passed, failed]));
    expect(counts('pure', '/repo', first)).toEqual({ passed: 1, failed: 1, notes: told });
  });

  it('names a file that failed before its tests began, and counts it', () => {
    expect(counts('e2e', '/repo', attempt(1, file('b', [], 'the lab did not start')))).toEqual({
      passed: 0,
      failed: 1,
      notes: [
        'vitest ended with exit code 1 although no test of e2e failed',
        'FAILED tests/b.test.ts',
        '    the lab did not start',
      ],
    });
  });

  it('counts a skipped test as failed, and one that only says what this kernel lacks as neither', () => {
    const lacking = { title: 'NOT RUN: VRF', status: 'passed' };
    const skipped = { title: 'waits for better days', status: 'skipped' };
    expect(counts('pure', '/repo', attempt(0, file('c', [passed, lacking, skipped])))).toEqual({
      passed: 1,
      failed: 1,
      notes: [
        '1 tests of pure were skipped: counted as failed',
        'NOT RUN: VRF',
        'SKIPPED tests/c.test.ts: 1 tests',
      ],
    });
  });
});

describe('a second attempt', () => {
  const first = attempt(1, file('a', [passed, failed]), file('d', [passed, passed]));

  it('is for the files that failed, where they are few', () => {
    expect(filesToRepeat(first.report)).toEqual(['/repo/tests/a.test.ts']);
    const many = ['e', 'f', 'g', 'h'].map((name) => file(name, [failed]));
    expect(filesToRepeat({ testResults: many })).toEqual([]);
    expect(filesToRepeat({ testResults: many.slice(1) })).toHaveLength(3);
  });

  it('counts when it passes, and what failed at first is still told', () => {
    const second = attempt(0, file('a', [passed, passed]));
    expect(counts('integration', '/repo', first, second)).toEqual({
      passed: 4,
      failed: 0,
      notes: told.map((line) => `first attempt: ${line}`),
    });
  });

  it('counts when it fails, whatever the first one said of the other tests', () => {
    const second = attempt(1, file('a', [failed, passed]));
    expect(counts('integration', '/repo', first, second)).toMatchObject({ passed: 3, failed: 1 });
  });

  it('that ends with another code than 0 without a failed test is a failure', () => {
    const second = attempt(1, file('a', [passed, passed]));
    expect(counts('integration', '/repo', first, second)).toMatchObject({ passed: 4, failed: 1 });
  });
});
