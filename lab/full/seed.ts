/**
 * A containerd's files with the stable images imported and unpacked, made once per machine. Every node starts from a
 * copy by hard links: nothing is read, hashed or unpacked again, and nodes share what is in memory of it.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, globSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { containerdBase } from '#lab/full/config.ts';
import type { NodeFrame } from '#lab/full/frame.ts';
import { importImages, waitContainerd } from '#lab/full/import.ts';
import type { Archive } from '#lab/image/archive.ts';
import { run, tryRun } from '#lab/process/run.ts';
import type { Reporter } from '#lab/report.ts';
import { cached } from '#lab/system/cache.ts';

const NO_KUBERNETES = ['io.containerd.grpc.v1.cri'] as const;

/** The folder of the seed for these images and this machine's containerd. */
export async function ensureSeed(lab: NodeFrame, images: Archive, report: Reporter): Promise<string> {
  const version = await run(['containerd', '--version']);
  const content = JSON.stringify([version, images.images], (name, value: unknown) =>
    name === 'folder' ? undefined : value,
  );
  const key = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const folder = await cached(`containerd-${key}`, report, async (fresh) => {
    report.step('unpacking the base images (once per machine)');
    await fill(lab, join(fresh, 'root'), images);
  });
  return join(folder, 'root');
}

/** Runs a containerd of its own on the folder; a program of the lab, so that it never outlives it. */
async function fill(lab: NodeFrame, containerdRoot: string, images: Archive): Promise<void> {
  const folder = join(lab.folder, 'seed');
  const folders = { containerdRoot, containerdState: join(folder, 'state'), socket: join(folder, 'sock') };
  mkdirSync(folders.containerdState, { recursive: true });
  const config = join(folder, 'containerd.toml');
  writeFileSync(config, containerdBase(folders, NO_KUBERNETES));
  const daemon = lab.spawn('node1', { name: 'containerd-seed', argv: ['containerd', '--config', config] });
  await waitContainerd(folders.socket, () => daemon.logTail());
  await importImages(folders.socket, images);
  await daemon.stop('SIGTERM');
  rmSync(folder, { recursive: true });
}

/** Copies the seed: hard links where the file system allows, but databases, which are written in place, for real. */
export async function copySeed(seed: string, target: string): Promise<void> {
  mkdirSync(dirname(target), { recursive: true });
  const linked = await tryRun(['cp', '--archive', '--link', seed, target]);
  if (linked.code !== 0) {
    rmSync(target, { recursive: true, force: true });
    await run(['cp', '--archive', seed, target], { timeoutMs: 300_000 });
  }
  for (const path of globSync(join(target, '*/*.db'))) {
    copyFileSync(path, `${path}.own`);
    renameSync(`${path}.own`, path);
  }
}
