/**
 * The root file system with FRR 10.3: Debian trixie, unpacked by apt-get and dpkg-deb alone (private lists; the
 * machine's own package database is untouched, nothing is configured). The product image holds the same content.
 */
import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from '#lab/process/run.ts';
import type { Reporter } from '#lab/report.ts';
import { cached } from '#lab/system/cache.ts';
import { SUITE, unpackPackages } from '#lab/system/unpack.ts';

/** Raise it when the recipe below changes. */
const RECIPE = 1;
/** Of Debian, with all they depend on. `bash`: watchfrr starts daemons through scripts of FRR's that need it. */
export const PACKAGES = [
  'base-files',
  'bash',
  'dash',
  'coreutils',
  'libc-bin',
  'grep',
  'sed',
  'iproute2',
  'procps',
  'frr',
  'libstdc++6',
  'libgcc-s1',
  'ca-certificates',
  'tini',
] as const;
const DROPPED = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
  'usr/share/info',
  'usr/share/lintian',
  'usr/share/bug',
  'usr/share/perl5',
  'usr/share/perl',
  'usr/bin/perl',
  'usr/lib/systemd',
  'var/cache',
  'var/lib/apt',
  'var/run',
  'var/lock',
] as const;
const PAM = 'auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n';

/** User and groups of FRR in the root file system (Debian's package makes them when configured). */
export const FRR_IDS = { uid: 100, gid: 101, vtyGid: 102 } as const;

const FILES: Readonly<Record<string, string>> = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nfrr:x:100:101::/:/bin/false\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\nfrr:x:101:\nfrrvty:x:102:frr,root\n',
  'etc/frr/vtysh.conf': '',
  // Without `other`, vtysh complains about PAM on every call.
  'etc/pam.d/frr': PAM,
  'etc/pam.d/other': PAM,
};

/**
 * The path of the root file system, made when it is not in the cache (about 10 s, 33 MB to fetch). Read only for
 * its users: mount an overlay on it (`FrrRoot`).
 * @throws LabError when apt-get or dpkg-deb is missing or the archive cannot be read.
 */
export async function ensureFrrRootfs(report: Reporter): Promise<string> {
  const content = JSON.stringify([RECIPE, SUITE, PACKAGES, DROPPED, FILES, process.arch]);
  const key = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const entry = await cached(`frr-rootfs-${SUITE}-${key}`, report, async (folder) => {
    report.step('making the FRR root file system (Debian trixie, 33 MB to fetch)');
    await unpackPackages(folder, PACKAGES);
    finish(join(folder, 'root'));
    await run(['chroot', join(folder, 'root'), '/sbin/ldconfig']);
  });
  return join(entry, 'root');
}

/** What the packages' own scripts would have done, as far as FRR needs it. */
function finish(root: string): void {
  for (const path of DROPPED) rmSync(join(root, path), { recursive: true, force: true });
  const libraries = join(root, 'usr/lib');
  for (const triplet of readdirSync(libraries).filter((name) => name.endsWith('-linux-gnu')))
    for (const name of readdirSync(join(libraries, triplet)).filter((entry) => entry.startsWith('perl')))
      rmSync(join(libraries, triplet, name), { recursive: true, force: true });
  for (const path of ['proc', 'sys', 'dev', 'run/lock', 'var/cache', 'root'])
    mkdirSync(join(root, path), { recursive: true });
  if (!existsSync(join(root, 'bin/sh'))) symlinkSync('dash', join(root, 'usr/bin/sh'));
  symlinkSync('../run', join(root, 'var/run'));
  symlinkSync('../run/lock', join(root, 'var/lock'));
  for (const path of ['run/frr', 'var/lib/frr', 'var/log/frr', 'var/tmp/frr', 'etc/frr']) {
    mkdirSync(join(root, path), { recursive: true });
    chownSync(join(root, path), FRR_IDS.uid, FRR_IDS.gid);
  }
  mkdirSync(join(root, 'etc/pam.d'), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(root, path), text);
  writeFileSync(join(root, 'etc/ssl/certs/ca-certificates.crt'), certificates(root));
}

/** All certificates of the package ca-certificates in one file. */
function certificates(root: string): string {
  const folder = join(root, 'usr/share/ca-certificates/mozilla');
  return readdirSync(folder)
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('');
}
