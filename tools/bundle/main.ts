/**
 * Writes the bundle of a release, or a catalog of several, into a folder: what a release pipeline calls once it
 * knows the digest of the image it pushed.
 *
 *   node tools/bundle/main.ts FOLDER [--version V] [--image REPOSITORY] [--digest sha256:…] [--replaces V]
 *                                    [--bundle-image REPOSITORY] [--created-at TIME] [--catalog]
 */
import { parseArgs } from 'node:util';
import { bundleFiles, catalogFiles } from '#tools/bundle/producer.ts';
import { currentRelease, type Release } from '#tools/bundle/release.ts';
import { write } from '#tools/generated-file.ts';

const text = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    version: text,
    image: text,
    digest: text,
    replaces: text,
    'bundle-image': text,
    'created-at': text,
    catalog: { type: 'boolean', default: false },
  },
});

function main(): number {
  const [folder] = positionals;
  const { digest = currentRelease.digest } = values;
  if (folder === undefined || !/^(sha256:[0-9a-f]{64})?$/.test(digest)) {
    process.stderr.write('bundle: name a folder; --digest is sha256: and 64 hexadecimal digits\n');
    return 64;
  }
  const release: Release = {
    version: values.version ?? currentRelease.version,
    image: values.image ?? currentRelease.image,
    digest,
    bundleImage: values['bundle-image'] ?? currentRelease.bundleImage,
    replaces: values.replaces ?? currentRelease.replaces,
    createdAt: values['created-at'] ?? currentRelease.createdAt,
  };
  const files = values.catalog ? catalogFiles([release]) : bundleFiles(release);
  for (const path of write(files, folder)) process.stdout.write(`written: ${path}\n`);
  return 0;
}

process.exitCode = main();
