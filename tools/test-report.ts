/** What a run of vitest says, read from its JSON report: counts, and what the end of `npm test` repeats. */
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** The fields that are read of what `vitest --reporter=json` writes. */
export interface VitestReport {
  readonly testResults: readonly TestFile[];
}

interface TestFile {
  /** The file's path, absolute. */
  readonly name: string;
  readonly status: string;
  /** Why the file failed as a whole (a hook, an import); empty where only tests failed. */
  readonly message?: string;
  readonly assertionResults: readonly TestCase[];
}

interface TestCase {
  readonly title: string;
  readonly fullName?: string;
  readonly status: string;
  readonly failureMessages?: readonly string[] | null;
}

/** How a part of `npm test` ended. `notes` are lines for the summary. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly notes: readonly string[];
}

/** Lines of a message that are repeated: enough for the reason, and none of the stack below it. */
const messageLines = 12;

/** A project with more failed files than this is broken, not unlucky: no second attempt. */
const maximumAgain = 3;

const passedTest = ({ status }: TestCase) => status === 'passed';
const failedTest = ({ status }: TestCase) => status === 'failed';
const skippedTest = (test: TestCase) => !passedTest(test) && !failedTest(test);

function testsOf({ testResults }: VitestReport): readonly TestCase[] {
  return testResults.flatMap(({ assertionResults }) => assertionResults);
}

/** Titles of the tests that only say why others cannot run on this machine. */
function notRun(report: VitestReport): string[] {
  return testsOf(report)
    .filter((test) => passedTest(test) && test.title.startsWith('NOT RUN: '))
    .map(({ title }) => title);
}

/** The reason alone: no colours, no stack. */
function reason(message: string): string[] {
  const lines = stripVTControlCharacters(message).split('\n');
  const stack = lines.findIndex((line) => /^\s+at .*:\d+:\d+\)?$/u.test(line));
  const end = stack === -1 ? lines.length : stack;
  return lines
    .slice(0, Math.min(end, messageLines))
    .filter((line) => line.trim() !== '')
    .map((line) => `    ${line}`);
}

/**
 * What failed, as lines for the end of the output: file, test and reason; a file that failed as a whole is told
 * once; a file with skipped tests says how many. CI shows the end of a long output only, and a failure without its
 * name helps nobody.
 */
function failures({ testResults }: VitestReport, root: string): string[] {
  return testResults.flatMap((file) => {
    const path = relative(root, file.name);
    const failed = file.assertionResults.filter(failedTest);
    const whole = failed.length === 0 && file.status === 'failed';
    const skipped = file.assertionResults.filter(skippedTest).length;
    return [
      ...(whole ? [`FAILED ${path}`, ...reason(file.message ?? '')] : []),
      ...failed.flatMap(({ title, fullName, failureMessages }) => [
        `FAILED ${path}: ${fullName ?? title}`,
        ...(failureMessages ?? []).flatMap(reason),
      ]),
      ...(skipped > 0 ? [`SKIPPED ${path}: ${skipped} tests`] : []),
    ];
  });
}

/** The files that get a second attempt: those that failed, where they are few; otherwise none. */
export function filesToRepeat({ testResults }: VitestReport): string[] {
  const failed = testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
  return failed.length <= maximumAgain ? failed : [];
}

/** The first run, with the files of the second in place of theirs. */
function merged(first: VitestReport, second: VitestReport): VitestReport {
  const again = new Set(second.testResults.map(({ name }) => name));
  return {
    testResults: [...first.testResults.filter(({ name }) => !again.has(name)), ...second.testResults],
  };
}

/** One run of vitest: its report and its exit code. */
export interface Attempt {
  readonly report: VitestReport;
  readonly exitCode: number;
}

/**
 * The counts of a project. A skipped test counts as failed, and so does a run that ended with another code than 0
 * although no test failed. A test named "NOT RUN: …" counts as neither; its title becomes a note. Where a second
 * attempt was made its results count, and the notes keep what failed at the first (docs/adr/0009).
 */
export function counts(project: string, root: string, first: Attempt, second?: Attempt): Counts {
  const report = second === undefined ? first.report : merged(first.report, second.report);
  const { exitCode } = second ?? first;
  const tests = testsOf(report);
  const failed = tests.filter(failedTest).length;
  const skipped = tests.filter(skippedTest).length;
  const unexplained = exitCode !== 0 && failed === 0 && skipped === 0 ? 1 : 0;
  const told = notRun(report);
  return {
    passed: tests.length - failed - skipped - told.length,
    failed: failed + skipped + unexplained,
    notes: [
      ...(skipped > 0 ? [`${skipped} tests of ${project} were skipped: counted as failed`] : []),
      ...(unexplained > 0
        ? [`vitest ended with exit code ${exitCode} although no test of ${project} failed`]
        : []),
      ...told,
      ...failures(report, root),
      ...(second === undefined ? [] : failures(first.report, root).map((line) => `first attempt: ${line}`)),
    ],
  };
}
