/**
 * `npm test`: everything, on real parts. Runs the parts in order, says how long each took and which level of the
 * lab was exercised, repeats what failed and why, and ends with one line `N passed, N failed`. A test that was
 * skipped counts as failed: a machine that should carry a part and does not is a failure. A test named "NOT RUN: …"
 * stands where this kernel lacks what the tests of one feature need: it is told, and counts as neither. Files of the
 * parts that wait for real time get a second attempt, alone, which is told (docs/adr/0009).
 *
 *   npm test                 all parts
 *   npm test -- PART...      only these (prepare always runs)
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { counts, filesToRepeat, type Attempt, type Counts, type VitestReport } from './test-report.ts';

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

/** One run of vitest; a text where it left no report. */
async function attempt(project: string, folder: string, files: readonly string[]): Promise<Attempt | string> {
  const file = join(folder, `${project}${files.length === 0 ? '' : '-again'}.json`);
  const exitCode = await run('node_modules/.bin/vitest', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...(files.length === 0 ? [] : ['--no-file-parallelism', ...files]),
  ]);
  try {
    return { report: JSON.parse(readFileSync(file, 'utf8')) as VitestReport, exitCode };
  } catch (error) {
    return `vitest wrote no report for ${project} (exit code ${exitCode}): ${String(error)}`;
  }
}

/** Runs a project. With `again`, few files that failed get a second attempt, one after the other (docs/adr/0009). */
async function vitest(project: string, folder: string, again: boolean): Promise<Counts> {
  const first = await attempt(project, folder, []);
  if (typeof first === 'string') return { passed: 0, failed: 1, notes: [first] };
  const files = again ? filesToRepeat(first.report) : [];
  if (files.length === 0) return counts(project, process.cwd(), first);
  process.stdout.write(`\n=== ${project}, second attempt: ${files.join(', ')}\n`);
  const second = await attempt(project, folder, files);
  if (typeof second === 'string') return { passed: 0, failed: 1, notes: [second] };
  return counts(project, process.cwd(), first, second);
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
  { name: 'pure', about: 'tests that need nothing but Node', run: (folder) => vitest('pure', folder, false) },
  {
    name: 'integration',
    about: 'real kube-apiserver, FRR, packets; light level',
    run: (folder) => vitest('integration', folder, true),
  },
  {
    name: 'e2e',
    about: 'the demo and its failures, installation by OLM; full level',
    run: (folder) => vitest('e2e', folder, true),
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
    const ended = await part.run(folder);
    const seconds = Math.round((performance.now() - started) / 1000);
    total.passed += ended.passed;
    total.failed += ended.failed;
    lines.push(
      `${part.name.padEnd(12)} ${String(seconds).padStart(5)} s  ${ended.passed} passed, ${ended.failed} failed  (${part.about})`,
    );
    lines.push(...ended.notes.map((note) => `             ${note}`));
    if (part.name === 'prepare' && ended.failed > 0) break;
  }
  rmSync(folder, { recursive: true });
  process.stdout.write(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
