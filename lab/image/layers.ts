/** Layers of images: uncompressed tar files, made by tar(1) so that equal content gives equal bytes. */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from '#lab/process/run.ts';
import type { Reporter } from '#lab/report.ts';
import { cached } from '#lab/system/cache.ts';
import { ensureFrrRootfs } from '#lab/system/frr-rootfs.ts';

export interface Layer {
  /** The tar file; its base name is its name in an archive. */
  readonly path: string;
  /** `sha256:…` of the file: the "diff id" of the image specification. */
  readonly digest: string;
}

/** A file or folder of this machine and where it goes in the image. */
export interface Placed {
  readonly from: string;
  readonly to: string;
}

const REPRODUCIBLE = ['--sort=name', '--mtime=@0', '--numeric-owner', '--one-file-system'] as const;
const OWNED_BY_ROOT = ['--owner=0', '--group=0', '--mode=u=rwX,go=rX'] as const;

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest('hex')}`;
}

async function pack(root: string, path: string, options: readonly string[]): Promise<void> {
  await run(['tar', ...REPRODUCIBLE, ...options, '-C', root, '-cf', path, '.'], { timeoutMs: 120_000 });
}

/** The layer in a folder of the cache, made by `make(path of the tar file)` when it is not there. */
async function cachedLayer(
  key: string,
  name: string,
  report: Reporter,
  make: (path: string) => Promise<void>,
): Promise<Layer> {
  const folder = await cached(key, report, async (fresh) => {
    const path = join(fresh, name);
    await make(path);
    writeFileSync(join(fresh, 'digest'), await digestOf(path));
  });
  return { path: join(folder, name), digest: readFileSync(join(folder, 'digest'), 'utf8') };
}

/** Debian with FRR: the very root file system that the lab's router runs in. */
export async function baseLayer(report: Reporter): Promise<Layer> {
  const root = await ensureFrrRootfs(report);
  const key = `image-${basename(dirname(root))}`;
  return cachedLayer(key, 'base.tar', report, (path) => pack(root, path, []));
}

/** Files of which a new version is rare; `key` names the version. */
export async function stableLayer(
  key: string,
  name: string,
  files: readonly Placed[],
  report: Reporter,
): Promise<Layer> {
  return cachedLayer(`image-${key}`, name, report, (path) => packPlaced(files, path));
}

/** Files as they are now: `FOLDER/NAME`. */
export async function freshLayer(folder: string, name: string, files: readonly Placed[]): Promise<Layer> {
  const path = join(folder, name);
  await packPlaced(files, path);
  return { path, digest: await digestOf(path) };
}

async function packPlaced(files: readonly Placed[], path: string): Promise<void> {
  const root = `${path}.content`;
  for (const { from, to } of files) {
    const target = join(root, to);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(from, target, { recursive: true });
  }
  await pack(root, path, OWNED_BY_ROOT);
  rmSync(root, { recursive: true });
}
