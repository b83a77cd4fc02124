/** Large batches: vtysh reads them as a file, all daemons at once, instead of line by line through readline. */
import { spawn } from 'node:child_process';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vtyshEnvironment, VtyshError, type VtyshOptions } from '#speaker/frr/vtysh.ts';

const PREFIX = 'metallb-frr-';

/**
 * Feeds commands to `vtysh -f` through a private file that has no name any more when vtysh starts (it may hold
 * passwords). Returns what vtysh said; throws VtyshError when it cannot be run or does not end in time.
 */
export async function runBulk(options: VtyshOptions, commands: readonly string[]): Promise<string> {
  const file = await namelessFile(`${commands.join('\n')}\n`);
  try {
    return await feed(options, file.fd);
  } finally {
    await file.close();
  }
}

/**
 * Memory before disk, since there may be passwords in it; and in a pod, whose root file system is read-only, there is
 * no other place.
 */
async function namelessFile(text: string): Promise<FileHandle> {
  const folder = await mkdtemp(join('/dev/shm', PREFIX)).catch(() => mkdtemp(join(tmpdir(), PREFIX)));
  try {
    const file = await open(join(folder, 'batch'), 'wx+', 0o600);
    await file.write(text, 0);
    return file;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function feed({ argv, deadlineMs }: VtyshOptions, stdin: number): Promise<string> {
  const [program = 'vtysh', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, '-f', '/dev/stdin'], {
      env: vtyshEnvironment(),
      stdio: [stdin, 'pipe', 'pipe'],
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const take = (chunk: string): void => {
      output += chunk;
    };
    child.stdout?.setEncoding('utf8').on('data', take);
    child.stderr?.setEncoding('utf8').on('data', take);
    child.on('error', (error) => reject(new VtyshError(`cannot run ${program}: ${error.message}`)));
    child.on('close', (_code, signal) =>
      signal === null ? resolve(output) : reject(new VtyshError(`no end within ${deadlineMs} ms`)),
    );
  });
}
