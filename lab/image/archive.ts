/**
 * Images as a docker archive: one JSON configuration per image, the layers, and manifest.json, in a tar stream (OCI
 * image specification, "Image Configuration"; the layout is what `docker save` writes and `ctr images import` reads).
 */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Layer } from '#lab/image/layers.ts';

export interface Image {
  /** `localhost/NAME:TAG` */
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly user?: string;
  readonly workdir?: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** The image's configuration file. */
export function configOf(image: Image): string {
  return JSON.stringify({
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: {
      Env: Object.entries(image.env).map(([name, value]) => `${name}=${value}`),
      ...(image.command === undefined ? {} : { Cmd: image.command }),
      ...(image.user === undefined ? {} : { User: image.user }),
      ...(image.workdir === undefined ? {} : { WorkingDir: image.workdir }),
      ...(image.labels === undefined ? {} : { Labels: image.labels }),
    },
    rootfs: { type: 'layers', diff_ids: image.layers.map(({ digest }) => digest) },
  });
}

export interface Archive {
  readonly images: readonly Image[];
  /** The argv of a program that writes the archive to its standard output. Layers are read from where they are. */
  readonly stream: readonly string[];
}

/** Writes the small files of the archive into `folder` (emptied first). */
export function writeArchive(folder: string, images: readonly Image[]): Archive {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const configs = images.map((image) => {
    const text = configOf(image);
    const file = `${createHash('sha256').update(text).digest('hex')}.json`;
    writeFileSync(join(folder, file), text);
    return file;
  });
  const manifest = images.map((image, at) => ({
    Config: configs[at],
    RepoTags: [image.name],
    Layers: image.layers.map(({ path }) => basename(path)),
  }));
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const layers = new Set(images.flatMap((image) => image.layers.map(({ path }) => path)));
  const members = [...layers].flatMap((path) => ['-C', dirname(path), basename(path)]);
  const small = [...new Set(configs), 'manifest.json'];
  return { images, stream: ['tar', '-cf', '-', '-C', folder, ...small, ...members] };
}
