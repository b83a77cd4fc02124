/** Folders of a test, gone when it has ended. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new folder with these files, by name; to be called in a test. */
export function temporaryFolder(name: string, files: Readonly<Record<string, string>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), `metallb-${name}-`));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}
