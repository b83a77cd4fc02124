/**
 * What is built or unpacked once per machine and version: `$METALLB_LAB_CACHE`, else `$XDG_CACHE_HOME/metallb-ts`,
 * else `~/.cache/metallb-ts`. An entry appears whole (built aside, renamed) and is built by one run at a time.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LabError } from '#lab/errors.ts';
import type { Reporter } from '#lab/report.ts';

export function cacheFolder(): string {
  const { METALLB_LAB_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  const folder = own ?? join(xdg ?? join(homedir(), '.cache'), 'metallb-ts');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * The folder of a cache entry, built by `build(folder)` when it is not there. `key` must change with whatever
 * changes the content. Other runs that want the same entry wait.
 */
export async function cached(
  key: string,
  report: Reporter,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const entry = join(cacheFolder(), key);
  if (existsSync(entry)) return entry;
  await using lock = await lockFile(`${entry}.lock`, () =>
    report.step(`another run is making ${key}: waiting for it`),
  );
  if (existsSync(entry)) return entry;
  const aside = `${entry}.partial`;
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  await build(aside);
  renameSync(aside, entry);
  lock.forgetFile();
  return entry;
}

interface FileLock extends AsyncDisposable {
  /** Removes the lock's file: nobody needs it any more once the entry is there. */
  forgetFile(): void;
}

/** Holds flock(1) on a file through a child process: the kernel lets go of it however we end. */
function lockFile(path: string, onWait: () => void): Promise<FileLock> {
  const child = spawn('flock', [path, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const waiting = setTimeout(onWait, 500);
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(waiting);
      reject(new LabError(`cannot lock ${path}: ${why}`));
    };
    child.on('error', (error) => fail(`${error.message} (flock of util-linux is needed)`));
    child.on('exit', (code) => fail(`flock ended with ${code}`));
    child.stdout.once('data', () => {
      clearTimeout(waiting);
      resolve({
        forgetFile: () => rmSync(path, { force: true }),
        [Symbol.asyncDispose]: async () => {
          child.stdin.end();
          await closed;
        },
      });
    });
  });
}
