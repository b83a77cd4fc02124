/**
 * The programs of the control plane and the nodes: one binary that is all of etcd, kubectl and kube-*, by the
 * name it is called with (main.go beside this file).
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LabError } from '#lab/errors.ts';
import { lastLines, run, type RunOptions, tryRun } from '#lab/process/run.ts';
import type { Reporter } from '#lab/report.ts';
import { cached, cacheFolder } from '#lab/system/cache.ts';
import { ensureGo } from '#lab/toolchain/go.ts';

export const KUBERNETES_VERSION = 'v1.36.3';

export const PROGRAMS = [
  ...(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const),
  ...(['kube-proxy', 'kubelet', 'kubectl'] as const),
] as const;
export type Program = (typeof PROGRAMS)[number];

const MODULE = import.meta.dirname;

/** No inlining and no debug information: a third less to compile; the programs are a little slower. */
const FLAGS = [
  '-trimpath',
  '-gcflags=all=-l -dwarf=false',
  `-ldflags=${[
    '-s -w',
    ...['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) => [
      `-X ${path}.gitVersion=${KUBERNETES_VERSION}`,
      `-X ${path}.gitMajor=1`,
      `-X ${path}.gitMinor=36`,
      `-X ${path}.gitTreeState=clean`,
      `-X ${path}.gitCommit=lab`,
      `-X ${path}.buildDate=2026-01-01T00:00:00Z`,
    ]),
    '-X go.etcd.io/etcd/api/v3/version.GitSHA=lab',
  ].join(' ')}`,
] as const;

/** Name of the cache entry: changes with the modules, the program and the flags. */
export function cacheKey(): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(MODULE, file)));
  hash.update(FLAGS.join('\n')).update(process.arch);
  return `kubernetes-${KUBERNETES_VERSION}-${hash.digest('hex').slice(0, 12)}`;
}

/**
 * The folder with all programs: `$METALLB_LAB_BIN`, else the cache, else built (minutes, once per machine).
 * @throws LabError when `$METALLB_LAB_BIN` lacks a program, or Go is missing, or the build fails.
 */
export async function ensureBinaries(report: Reporter, signal?: AbortSignal): Promise<string> {
  const own = process.env['METALLB_LAB_BIN'];
  if (own !== undefined) return checkFolder(own);
  return cached(cacheKey(), report, async (folder) => {
    await build(folder, report, signal);
    for (const program of PROGRAMS) symlinkSync('hyper', join(folder, program));
  });
}

function checkFolder(folder: string): string {
  for (const program of PROGRAMS)
    try {
      accessSync(join(folder, program), constants.X_OK);
    } catch {
      throw new LabError(
        `METALLB_LAB_BIN=${folder} has no program ${program}: put it there, or unset the variable to have it built`,
      );
    }
  return folder;
}

async function build(folder: string, report: Reporter, signal: AbortSignal | undefined): Promise<void> {
  const go = await ensureGo(report);
  // Kept when the build is interrupted, so that the next run goes on from there; 3 GB nobody needs afterwards.
  const compilerCache = join(cacheFolder(), 'go-build-kubernetes');
  const env = {
    CGO_ENABLED: '0',
    GOFLAGS: '-buildvcs=false',
    GOTOOLCHAIN: 'local',
    GOGC: '800',
    GOCACHE: compilerCache,
    GOMODCACHE: join(cacheFolder(), 'go-mod'),
  };
  mkdirSync(compilerCache, { recursive: true });
  report.step(
    `building Kubernetes ${KUBERNETES_VERSION} and etcd from source: 5 to 10 minutes, once per machine`,
  );
  const options = { cwd: MODULE, env, timeoutMs: 1_200_000 };
  await fetchModules(go, options);
  const packages = (await run([go, 'list', '-deps', '.'], options)).trim().split('\n').length;
  report.step(`modules are here; compiling ${packages} packages`);
  await compile({
    argv: [go, 'build', '-v', ...FLAGS, '-o', join(folder, 'hyper'), '.'],
    env,
    signal,
    onPackage: (done, last) => report.progress(`compiled ${done} of ${packages} packages (${last})`),
  });
  rmSync(compilerCache, { recursive: true });
  report.step('Kubernetes and etcd are built');
}

async function fetchModules(go: string, options: RunOptions): Promise<void> {
  const result = await tryRun([go, 'mod', 'download'], options);
  if (result.code === 0) return;
  throw new LabError(
    `the Go modules of Kubernetes cannot be fetched (${result.failure ?? lastLines(result.stderr, 1)}): check that the Go module proxy can be reached (GOPROXY), or name a folder with ready-made programs with METALLB_LAB_BIN`,
  );
}

interface Compilation {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  /** Called every second. */
  readonly onPackage: (done: number, last: string) => void;
}

/** `go build -v` prints a line per package it compiles. */
async function compile({ argv, env, signal, onPackage }: Compilation): Promise<void> {
  const [go, ...args] = argv;
  const child = spawn(go, args, {
    cwd: MODULE,
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
