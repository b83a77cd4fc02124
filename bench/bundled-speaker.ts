/** The speaker as the image runs it: bundled, with the image's flags and environment. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageSettings } from '#bench/image-settings.ts';
import type { LightSpeakers } from '#lab/demo/light.ts';
import { build } from '#tools/build.ts';

/** Bundles it into a folder of its own, which is removed with the value. */
export async function bundledSpeaker(): Promise<LightSpeakers & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'metallb-bench-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await build(folder, { programs: ['speaker'] });
  } catch (error) {
    await remove();
    throw error;
  }
  const entry = join(folder, 'speaker/main.mjs');
  return { ...imageSettings('speaker'), entry, [Symbol.asyncDispose]: remove };
}
