/** Brings images into a node's containerd. */
import { spawn } from 'node:child_process';
import { LabError } from '#lab/errors.ts';
import type { Archive } from '#lab/image/archive.ts';
import { lastLines, tryRun } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';

/** Waits until containerd answers at its socket. `explain` gives its log when it does not. */
export async function waitContainerd(socket: string, explain: () => string): Promise<void> {
  await waitFor(
    `containerd at ${socket}`,
    async () => (await tryRun(['ctr', '-a', socket, 'version'], { timeoutMs: 5000 })).code === 0,
    { deadlineMs: 60_000, intervalMs: 100, explain },
  );
}

/**
 * Imports all images of an archive, the stream going from tar to ctr without a copy on disk.
 * @throws LabError with ctr's or tar's last words.
 */
export async function importImages(socket: string, archive: Archive): Promise<void> {
  const [program = '', ...args] = archive.stream;
  const tar = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ctr = spawn('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'import', '-'], {
    stdio: [tar.stdout, 'ignore', 'pipe'],
  });
  // Only the child reads the pipe from now on: when it ends, tar must notice.
  tar.stdout.destroy();
  const results = await Promise.all([ended(tar), ended(ctr)]);
  const failed = results.find(({ code }) => code !== 0);
  if (failed !== undefined)
    throw new LabError(`images cannot be imported into ${socket}: ${lastLines(failed.words, 3)}`);
}

interface Ending {
  readonly code: number;
  readonly words: string;
}

function ended(child: ReturnType<typeof spawn>): Promise<Ending> {
  let words = '';
  child.stderr?.on('data', (chunk: Buffer) => (words += chunk.toString()));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: -1, words: error.message }));
    child.on('close', (code) => resolve({ code: code ?? -1, words }));
  });
}
