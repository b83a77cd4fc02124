/**
 * Images as a tar stream of an OCI image layout (OCI image specification: "Image Layout", "Image Manifest", "Image
 * Configuration"): what `ctr images import` and `docker load` read. Layers that the reader has already may be left out.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Blob, BLOBS } from '#lab/image/layers.ts';

export interface Image {
  /** `localhost/NAME:TAG` */
  readonly name: string;
  readonly layers: readonly Blob[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly user?: string;
  readonly workdir?: string;
}

export interface Archive {
  readonly images: readonly Image[];
  /** The argv of a program that writes the archive to its standard output. Layers are read from where they are. */
  readonly stream: readonly string[];
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const MEDIA = 'application/vnd.oci.image';

function configOf(image: Image): object {
  return {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: {
      Env: Object.entries(image.env).map(([name, value]) => `${name}=${value}`),
      ...(image.command === undefined ? {} : { Cmd: image.command }),
      ...(image.user === undefined ? {} : { User: image.user }),
      ...(image.workdir === undefined ? {} : { WorkingDir: image.workdir }),
      ...(image.labels === undefined ? {} : { Labels: image.labels }),
    },
    rootfs: { type: 'layers', diff_ids: image.layers.map(({ hex }) => `sha256:${hex}`) },
  };
}

function writeBlob(folder: string, content: object): Blob {
  const text = JSON.stringify(content);
  const hex = createHash('sha256').update(text).digest('hex');
  writeFileSync(join(folder, BLOBS, hex), text);
  return { folder, hex, size: Buffer.byteLength(text) };
}

function descriptor(type: string, { hex, size }: Blob): object {
  return { mediaType: `${MEDIA}.${type}`, digest: `sha256:${hex}`, size };
}

/**
 * Writes the small files of the archive into `folder` (emptied first).
 * @param known layers that are left out, since whoever reads the archive has them.
 */
export function writeArchive(folder: string, images: readonly Image[], known: readonly Blob[] = []): Archive {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, BLOBS), { recursive: true });
  const manifests = images.map((image) => {
    const config = writeBlob(folder, configOf(image));
    const manifest = writeBlob(folder, {
      schemaVersion: 2,
      mediaType: `${MEDIA}.manifest.v1+json`,
      config: descriptor('config.v1+json', config),
      layers: image.layers.map((layer) => descriptor('layer.v1.tar', layer)),
    });
    const annotations = { 'io.containerd.image.name': image.name };
    return { ...descriptor('manifest.v1+json', manifest), annotations };
  });
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const left = new Set(known.map(({ hex }) => hex));
  const layers = new Map(images.flatMap((image) => image.layers.map((layer) => [layer.hex, layer])));
  const members = [...layers.values()]
    .filter(({ hex }) => !left.has(hex))
    .flatMap((layer) => ['-C', layer.folder, join(BLOBS, layer.hex)]);
  return {
    images,
    stream: ['tar', '-cf', '-', '-C', folder, 'oci-layout', 'index.json', 'blobs', ...members],
  };
}
