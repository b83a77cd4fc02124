/**
 * `npm run generate`: writes every generated file of the repository. With `--check` it writes nothing, names the
 * files that are out of date and exits 1. A new generator is one more line in `generators`.
 */
import { olmFiles } from '#tools/bundle/producer.ts';
import { apiFiles } from '#tools/crds/producer.ts';
import { chartFiles } from '#tools/helm/producer.ts';
import { manifestFiles } from '#tools/manifests/producer.ts';
import { prometheusFiles } from '#tools/monitoring/files.ts';
import { drift, write, type GeneratedFile } from '#tools/generated-file.ts';

const generators: readonly (() => GeneratedFile[])[] = [
  apiFiles,
  manifestFiles,
  prometheusFiles,
  chartFiles,
  olmFiles,
];

/** All generated files, as they should be. */
export function generatedFiles(): GeneratedFile[] {
  return generators.flatMap((generate) => generate());
}

function main(): number {
  const root = `${import.meta.dirname}/..`;
  const check = process.argv.includes('--check');
  const files = generatedFiles();
  const changed = check ? drift(files, root) : write(files, root);
  for (const path of changed) process.stdout.write(`${check ? 'out of date' : 'written'}: ${path}\n`);
  process.stdout.write(
    `${files.length} generated files, ${changed.length} ${check ? 'out of date' : 'written'}\n`,
  );
  return check && changed.length > 0 ? 1 : 0;
}

if (import.meta.main) process.exit(main());
