/** Runs a program to its end. Argument vectors only: nothing here passes a shell. */
import { spawn } from 'node:child_process';
import { LabError } from '#lab/errors.ts';

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Ends the program with SIGKILL after this many milliseconds (30,000 unless told). */
  readonly timeoutMs?: number;
}

export interface RunResult {
  /** Exit code; 128 + signal is not used: a program ended by a signal has code -1. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Set when the deadline ended it or it could not be started. */
  readonly failure: string | undefined;
}

/** Runs to the end and returns what happened, whatever the exit code. Never rejects. */
export function tryRun(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program = '', ...args] = argv;
  const limit = options.timeoutMs ?? 30_000;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: options.env === undefined ? process.env : { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let failure: string | undefined;
    const timer = setTimeout(() => {
      failure = `not done after ${limit / 1000} s`;
      child.kill('SIGKILL');
      // A child of it may hold the other ends for ever.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, limit);
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
    child.on('error', (error) => (failure = error.message));
    child.on('close', (code) => {
      clearTimeout(timer);
      const text = (parts: Buffer[]) => Buffer.concat(parts).toString('utf8');
      resolve({ code: code ?? -1, stdout: text(stdout), stderr: text(stderr), failure });
    });
  });
}

/**
 * Runs to the end and returns standard output.
 * @throws LabError with the command and its last words when it fails.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await tryRun(argv, options);
  if (result.code === 0 && result.failure === undefined) return result.stdout;
  const words = lastLines(`${result.stdout}${result.stderr}`, 5);
  const why = result.failure ?? `exit code ${result.code}`;
  throw new LabError(`${argv.slice(0, 8).join(' ')}: ${why}${words === '' ? '' : `: ${words}`}`);
}

/** The last non-empty lines of a text, joined for one message. */
export function lastLines(text: string, count: number): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .join('\n');
}
