/** Layers of images: uncompressed tar files, made by tar(1) so that equal content gives equal bytes. */
import { createHash } from 'node:crypto';
import { cpSync, createReadStream, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from '#lab/process/run.ts';
import type { Reporter } from '#lab/report.ts';
import { cached } from '#lab/system/cache.ts';
import { ensureFrrRootfs } from '#lab/system/frr-rootfs.ts';

/** A file of an image, named by its content as in an OCI image layout: `FOLDER/blobs/sha256/HEX`. */
export interface Blob {
  readonly folder: string;
  /** SHA-256 of the file, in hexadecimal. */
  readonly hex: string;
  /** Bytes. */
  readonly size: number;
}

/** A file or folder of this machine and where it goes in the image. */
export interface Placed {
  readonly from: string;
  readonly to: string;
}

export const BLOBS = 'blobs/sha256';
const REPRODUCIBLE = ['--sort=name', '--mtime=@0', '--numeric-owner', '--one-file-system'] as const;
const OWNED_BY_ROOT = ['--owner=0', '--group=0', '--mode=u=rwX,go=rX'] as const;

/** Packs a folder into `FOLDER/blobs/sha256/HEX`. */
async function pack(root: string, folder: string, options: readonly string[]): Promise<Blob> {
  mkdirSync(join(folder, BLOBS), { recursive: true });
  const aside = join(folder, `${process.pid}-${basename(root)}.tar`);
  await run(['tar', ...REPRODUCIBLE, ...options, '-C', root, '-cf', aside, '.'], { timeoutMs: 120_000 });
  const hash = createHash('sha256');
  await pipeline(createReadStream(aside), hash);
  const hex = hash.digest('hex');
  renameSync(aside, join(folder, BLOBS, hex));
  return blobIn(folder, hex);
}

function blobIn(folder: string, hex: string): Blob {
  return { folder, hex, size: statSync(join(folder, BLOBS, hex)).size };
}

/** The only layer in a folder of the cache, made there when the folder is new. */
async function cachedLayer(
  key: string,
  report: Reporter,
  make: (folder: string) => Promise<unknown>,
): Promise<Blob> {
  const folder = await cached(key, report, async (fresh) => {
    await make(fresh);
  });
  return blobIn(folder, readdirSync(join(folder, BLOBS))[0] ?? '');
}

/** Debian with FRR: the very root file system that the lab's router runs in. */
export async function baseLayer(report: Reporter): Promise<Blob> {
  const root = await ensureFrrRootfs(report);
  return cachedLayer(`layer-${basename(dirname(root))}`, report, (folder) => pack(root, folder, []));
}

/** Files of which a new version is rare; `key` names the version. */
export async function stableLayer(key: string, files: readonly Placed[], report: Reporter): Promise<Blob> {
  return cachedLayer(`layer-${key}`, report, (folder) => freshLayer(folder, files));
}

/** Files as they are now, owned by root. */
export async function freshLayer(folder: string, files: readonly Placed[]): Promise<Blob> {
  const root = join(folder, 'content');
  rmSync(root, { recursive: true, force: true });
  for (const { from, to } of files) {
    const target = join(root, to);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(from, target, { recursive: true });
  }
  const layer = await pack(root, folder, OWNED_BY_ROOT);
  rmSync(root, { recursive: true });
  return layer;
}
