/** A folder with BIRD 2 in it, Debian's package `bird2`: another implementation of a router for our speakers to talk to. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '#lab/process/run.ts';
import type { Reporter } from '#lab/report.ts';
import { cached } from '#lab/system/cache.ts';
import { SUITE, unpackPackages } from '#lab/system/unpack.ts';

/** Raise it when the recipe below changes. */
const RECIPE = 1;
const PACKAGES = ['base-files', 'libc-bin', 'bird2'] as const;

/**
 * The path of the root file system, made when it is not in the cache. Read only for its users: mount an overlay on it
 * (`FrrRoot`).
 * @throws LabError when apt-get or dpkg-deb is missing or the archive cannot be read.
 */
export async function ensureBirdRootfs(report: Reporter): Promise<string> {
  const content = JSON.stringify([RECIPE, SUITE, PACKAGES, process.arch]);
  const key = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const entry = await cached(`bird-rootfs-${SUITE}-${key}`, report, async (folder) => {
    report.step('making the BIRD root file system (Debian trixie)');
    await unpackPackages(folder, PACKAGES);
    for (const path of ['proc', 'sys', 'dev', 'run/bird'])
      mkdirSync(join(folder, 'root', path), { recursive: true });
    await run(['chroot', join(folder, 'root'), '/sbin/ldconfig']);
  });
  return join(entry, 'root');
}
