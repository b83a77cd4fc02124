/**
 * `npm test`: everything, on real parts. Runs the parts in order, says how long each took and which level of the
 * lab was exercised, and ends with one line `N passed, N failed`. A test that was skipped counts as failed: a
 * machine that should carry a part and does not is a failure. A test named "NOT RUN: …" stands where this kernel lacks
 * what the tests of one feature need: it is told, and counts as neither.
 *
 *   npm test                 all parts
 *   npm test -- PART...      only these (prepare always runs)
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly notes: readonly string[];
}

interface Part {
  readonly name: string;
  readonly about: string;
  readonly run: (folder: string) => Promise<Counts>;
}

/** Runs a program of this repository with our Node, its output passed through. */
function run(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', (error) => {
      process.stdout.write(`${program}: ${error.message}\n`);
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

async function program(args: readonly string[], note: string): Promise<Counts> {
  const code = await run(process.execPath, args);
  return code === 0
    ? { passed: 1, failed: 0, notes: [] }
    : { passed: 0, failed: 1, notes: [`${note} ended with exit code ${code}`] };
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** Titles of the tests that only say why others cannot run on this machine. */
function notRun({ testResults }: VitestReport): string[] {
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ title, status }) => status === 'passed' && title.startsWith('NOT RUN: '))
    .map(({ title }) => title);
}

async function vitest(project: string, folder: string): Promise<Counts> {
  const file = join(folder, `${project}.json`);
  const code = await run('node_modules/.bin/vitest', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  let report: VitestReport;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch (error) {
    return {
      passed: 0,
      failed: 1,
      notes: [`vitest wrote no report for ${project} (exit code ${code}): ${String(error)}`],
    };
  }
  const skipped = report.numPendingTests + report.numTodoTests;
  const notes = skipped > 0 ? [`${skipped} tests of ${project} were skipped: counted as failed`] : [];
  const unexplained = code !== 0 && report.numFailedTests === 0 && skipped === 0 ? 1 : 0;
  if (unexplained > 0)
    notes.push(`vitest ended with exit code ${code} although no test of ${project} failed`);
  const told = notRun(report);
  const passed = report.numPassedTests - told.length;
  return { passed, failed: report.numFailedTests + skipped + unexplained, notes: [...notes, ...told] };
}

const parts: readonly Part[] = [
  {
    name: 'prepare',
    about: 'Debian packages, Kubernetes programs, Helm and OLM, FRR',
    run: () => program(['lab/prepare/main.ts'], 'the set-up'),
  },
  {
    name: 'check',
    about: 'format, lint, types, generated files',
    run: () => program(['tools/check.ts', '--no-tests'], 'npm run check'),
  },
  { name: 'pure', about: 'tests that need nothing but Node', run: (folder) => vitest('pure', folder) },
  {
    name: 'integration',
    about: 'real kube-apiserver, FRR, packets; light level',
    run: (folder) => vitest('integration', folder),
  },
  {
    name: 'e2e',
    about: 'the demo and its failures, installation by OLM; full level',
    run: (folder) => vitest('e2e', folder),
  },
];

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length > 0) {
    process.stderr.write(
      `npm test: no part is called ${unknown.join(', ')}; there are ${parts.map(({ name }) => name).join(', ')}\n`,
    );
    return 64;
  }
  const folder = mkdtempSync(join(tmpdir(), 'metallb-test-'));
  const lines: string[] = [];
  const total = { passed: 0, failed: 0 };
  for (const part of parts) {
    if (names.length > 0 && part.name !== 'prepare' && !names.includes(part.name)) continue;
    process.stdout.write(`\n=== ${part.name}: ${part.about}\n`);
    const started = performance.now();
    const counts = await part.run(folder);
    const seconds = Math.round((performance.now() - started) / 1000);
    total.passed += counts.passed;
    total.failed += counts.failed;
    lines.push(
      `${part.name.padEnd(12)} ${String(seconds).padStart(5)} s  ${counts.passed} passed, ${counts.failed} failed  (${part.about})`,
    );
    lines.push(...counts.notes.map((note) => `             ${note}`));
    if (part.name === 'prepare' && counts.failed > 0) break;
  }
  rmSync(folder, { recursive: true });
  process.stdout.write(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
