/** Builds Go programs from modules that are pinned by a go.mod and a go.sum of ours. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LabError } from '#lab/errors.ts';
import { lastLines, type RunOptions, tryRun } from '#lab/process/run.ts';
import type { Reporter } from '#lab/report.ts';
import { cacheFolder } from '#lab/system/cache.ts';
import { ensureGo } from '#lab/toolchain/go.ts';

/** No inlining and no debug information: a third less to compile; the programs are a little slower. */
export const CHEAP = ['-trimpath', '-gcflags=all=-l -dwarf=false'] as const;

/** Changes with the module (go.mod, go.sum, main.go if it has one), with these words, and with the machine's architecture. */
export function moduleHash(folder: string, words: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go'].map((name) => join(folder, name)))
    if (existsSync(file)) hash.update(readFileSync(file));
  return hash.update(words.join('\n')).update(process.arch).digest('hex').slice(0, 12);
}

export interface GoBuild {
  /** Names the compiler's cache and is used in messages. */
  readonly name: string;
  /** Folder of go.mod and go.sum. */
  readonly module: string;
  /** What comes after `go build -v`. */
  readonly argv: readonly string[];
  /** The packages among them, to know how much there is to compile. */
  readonly packages: readonly string[];
  /** What else one can do when modules cannot be fetched; may be empty. */
  readonly remedy: string;
  readonly report: Reporter;
  readonly signal: AbortSignal | undefined;
}

/**
 * Fetches the modules and compiles; minutes.
 * @throws LabError when Go is missing, the modules cannot be fetched or do not compile.
 */
export async function buildGo(wanted: GoBuild): Promise<void> {
  const { name, module, argv, report, signal } = wanted;
  const go = await ensureGo(report);
  // Kept when the build is interrupted, so that the next run goes on from there; gigabytes nobody needs afterwards.
  const compilerCache = join(cacheFolder(), `go-build-${name}`);
  const env = {
    CGO_ENABLED: '0',
    GOFLAGS: '-buildvcs=false',
    GOTOOLCHAIN: 'local',
    GOGC: '800',
    GOCACHE: compilerCache,
    GOMODCACHE: join(cacheFolder(), 'go-mod'),
  };
  mkdirSync(compilerCache, { recursive: true });
  const options = { cwd: module, env, timeoutMs: 1_200_000 };
  const count = (await fetchPackages(go, wanted, options)).size;
  report.step(`modules are here; compiling ${count} packages`);
  await compile({
    argv: [go, 'build', '-v', ...argv],
    cwd: module,
    env,
    signal,
    onPackage: (done, last) => report.progress(`compiled ${done} of ${count} packages (${last})`),
  });
  rmSync(compilerCache, { recursive: true });
}

/** Listing what is needed fetches the modules it is in, and no others. */
async function fetchPackages(go: string, wanted: GoBuild, options: RunOptions): Promise<ReadonlySet<string>> {
  const { name, packages, remedy } = wanted;
  const result = await tryRun([go, 'list', '-deps', ...packages], options);
  if (result.code === 0) return new Set(result.stdout.trim().split('\n'));
  const hint = 'check that the Go module proxy can be reached (GOPROXY)';
  throw new LabError(
    `the Go modules of ${name} cannot be fetched (${result.failure ?? lastLines(result.stderr, 1)}): ${[hint, remedy].filter((text) => text !== '').join(', ')}`,
  );
}

interface Compilation {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  /** Called every second. */
  readonly onPackage: (done: number, last: string) => void;
}

/** `go build -v` prints a line per package it compiles. */
async function compile({ argv, cwd, env, signal, onPackage }: Compilation): Promise<void> {
  const [go, ...args] = argv;
  const child = spawn(go, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  });
  const exit = new Promise<number>((resolve) => {
    child.on('error', () => resolve(-1));
    child.on('close', (code) => resolve(code ?? -1));
  });
  const tail: string[] = [];
  let [done, last] = [0, ''];
  const timer = setInterval(() => onPackage(done, last), 1000);
  for await (const line of createInterface({ input: child.stderr })) {
    tail.push(line);
    if (tail.length > 8) tail.shift();
    if (/^[\w./~-]+$/.test(line)) [done, last] = [done + 1, line];
  }
  clearInterval(timer);
  const code = await exit;
  signal?.throwIfAborted();
  if (code !== 0) throw new LabError(`go build failed (exit code ${code}):\n${tail.join('\n')}`);
}
