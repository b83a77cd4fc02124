/** Builds the lab's images from the recipe, without a container tool. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LabError } from '#lab/errors.ts';
import { type Archive, writeArchive } from '#lab/image/archive.ts';
import { baseLayer, type Blob, freshLayer, type Placed, stableLayer } from '#lab/image/layers.ts';
import { type Copy, IMAGES, RECIPE } from '#lab/image/recipe.ts';
import type { Reporter } from '#lab/report.ts';
import { build } from '#tools/build.ts';
import { publishedImage } from '#tools/manifests/producer.ts';

const repository = resolve(import.meta.dirname, '../..');
/** What goes into a layer of its own, since it is large and seldom changes. */
const NODE = join(repository, `node_modules/node-linux-${process.arch}/bin/node`);

export interface ImagesOptions {
  /** Where the bundles and the small layers go; emptied first. */
  readonly folder: string;
  readonly report: Reporter;
}

export interface Images {
  /** Debian, FRR and Node: the same for a long time. */
  readonly stable: Archive;
  /** Our own programs, on the layers of `stable`, which are not in it again. */
  readonly fresh: Archive;
}

/**
 * Bundles the programs and makes all images of the lab. Base and Node come from the cache. Ours also goes by the name
 * that a release has, so that the manifests under config/ are applied as they are.
 * @throws LabError when a program does not bundle.
 */
export async function buildImages({ folder, report }: ImagesOptions): Promise<Images> {
  const dist = join(folder, 'dist');
  report.step('building the images');
  await build(dist).catch((error: unknown) => {
    throw new LabError(`the programs do not bundle: ${(error as Error).message}`, { cause: error });
  });
  const [node, ...rest] = RECIPE.copies.map((copy) => placed(copy, dist));
  if (node?.from !== NODE) throw new LabError('lab/image/recipe.ts: the first copy must be Node');
  const base = await baseLayer(report);
  const runtime = await nodeLayer(node, report);
  const app = await freshLayer(join(folder, 'app'), rest);
  const web = join(repository, 'lab/workload/web.ts');
  const workload = await freshLayer(join(folder, 'web'), [{ from: web, to: '/web.ts' }]);
  const { env, labels, user, workdir } = RECIPE;
  const stable = writeArchive(join(folder, 'stable'), [
    { name: IMAGES.pause, layers: [base], env, user, command: ['tini', '--', 'sleep', 'infinity'] },
    { name: IMAGES.runtime, layers: [base, runtime], env, user },
  ]);
  const fresh = writeArchive(
    join(folder, 'fresh'),
    [
      ...[IMAGES.product, publishedImage].map((name) => {
        const layers = [base, runtime, app];
        return { name, layers, env, labels, user, workdir };
      }),
      { name: IMAGES.web, layers: [base, runtime, workload], env, user, command: ['node', '/web.ts'] },
    ],
    [base, runtime],
  );
  return { stable, fresh };
}

function placed({ from, to }: Copy, dist: string): Placed {
  if (from === 'node') return { from: NODE, to };
  return { from: from === 'dist/' ? dist : join(repository, from), to };
}

async function nodeLayer(node: Placed, report: Reporter): Promise<Blob> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(node.from), hash);
  return stableLayer(`node-${hash.digest('hex').slice(0, 12)}`, [node], report);
}
