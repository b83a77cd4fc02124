/** Generated files: what they are, how they are written, and how drift is found. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface GeneratedFile {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly content: string;
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Paths whose file under `root` is missing or differs from what would be generated. */
export function drift(files: readonly GeneratedFile[], root: string): string[] {
  return files.filter(({ path, content }) => contentOf(join(root, path)) !== content).map(({ path }) => path);
}

/** Writes the files that drifted and returns their paths. */
export function write(files: readonly GeneratedFile[], root: string): string[] {
  const stale = drift(files, root);
  for (const { path, content } of files.filter((file) => stale.includes(file.path))) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return stale;
}
