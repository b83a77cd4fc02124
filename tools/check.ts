/**
 * `npm run check`: everything that must hold for each commit on main and needs neither root nor a lab.
 * Prints one line per part and, for a part that failed, its output. `--no-tests` leaves the tests out (npm test
 * runs them as a part of their own).
 */
import { spawn } from 'node:child_process';

interface Part {
  readonly name: string;
  readonly command: readonly string[];
}

const parts: readonly Part[] = [
  { name: 'format', command: ['prettier', '--check', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  {
    name: 'unused',
    command: ['knip', '--no-progress', '--include', 'files,dependencies,unlisted,duplicates'],
  },
  { name: 'tests', command: ['vitest', 'run', '--project', 'pure'] },
];

function run(part: Part): Promise<{ code: number; output: string; seconds: number }> {
  const started = performance.now();
  const [program, ...args] = part.command;
  return new Promise((resolve) => {
    const child = spawn(`node_modules/.bin/${program}`, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) =>
      resolve({ code: code ?? 1, output, seconds: (performance.now() - started) / 1000 }),
    );
  });
}

let failed = 0;
const withTests = !process.argv.includes('--no-tests');
for (const part of parts) {
  if (part.name === 'tests' && !withTests) continue;
  const { code, output, seconds } = await run(part);
  process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${part.name} (${seconds.toFixed(1)} s)\n`);
  if (code !== 0) {
    failed += 1;
    process.stdout.write(output);
  }
}
process.exit(failed === 0 ? 0 : 1);
