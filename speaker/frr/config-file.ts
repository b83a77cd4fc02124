/** The file FRR reads at a cold start. It holds passwords: mode 0640, replaced as a whole, never half-written. */
import { open, rename } from 'node:fs/promises';

const MODE = 0o640;

/** Writes beside the file, syncs, renames. Throws the file system's error. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', MODE);
  try {
    await file.chmod(MODE);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
