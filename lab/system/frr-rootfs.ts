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
import { LabError } from '#lab/errors.ts';
import { run, tryRun } from '#lab/process/run.ts';
import type { Reporter } from '#lab/report.ts';
import { cached } from '#lab/system/cache.ts';
import { type DebianArchive, machineArchive } from '#lab/system/debian.ts';
import { findCommand } from '#lab/system/packages.ts';

const SUITE = 'trixie';
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
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
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
    await fetchPackages(folder, sourcesList());
    await unpack(folder);
    finish(join(folder, 'root'));
    await run(['chroot', join(folder, 'root'), '/sbin/ldconfig']);
    rmSync(join(folder, 'apt'), { recursive: true });
  });
  return join(entry, 'root');
}

function sourcesList(): string {
  const missing = ['apt-get', 'dpkg-deb', 'tar'].find((command) => findCommand(command) === undefined);
  if (missing !== undefined)
    throw new LabError(`${missing} is missing: FRR is unpacked from Debian packages and needs it`);
  const archive = machineArchive();
  if (archive === undefined)
    throw new LabError(
      'no Debian archive is named in /etc/apt, so FRR cannot be fetched: name one with METALLB_LAB_DEBIAN=URL',
    );
  return aptLines(archive);
}

function aptLines({ main, security }: DebianArchive): string {
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  return [
    `deb ${signed}${main} ${SUITE} main`,
    `deb ${signed}${main} ${SUITE}-updates main`,
    `deb ${signed}${security} ${SUITE}-security main`,
    '',
  ].join('\n');
}

/** Downloads the packages with all they depend on into `FOLDER/apt/cache/archives`. */
async function fetchPackages(folder: string, sources: string): Promise<void> {
  const apt = join(folder, 'apt');
  for (const part of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(apt, part), { recursive: true });
  writeFileSync(join(apt, 'sources.list'), sources);
  writeFileSync(join(apt, 'status'), '');
  const settings = [
    `Dir::Etc::sourcelist=${apt}/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    'Dir::Etc::preferencesparts=/dev/null',
    `Dir::State::lists=${apt}/lists`,
    `Dir::State::status=${apt}/status`,
    `Dir::Cache=${apt}/cache`,
    'Acquire::Languages=none',
    'APT::Install-Recommends=0',
    'APT::Sandbox::User=root',
  ].flatMap((setting) => ['-o', setting]);
  const limit = { timeoutMs: 600_000 };
  await run(['apt-get', '-qq', ...settings, 'update'], limit);
  await run(['apt-get', '-qq', ...settings, '-y', '--download-only', 'install', ...PACKAGES], limit);
}

/** Unpacks every package into `FOLDER/root` and lists them with versions in `FOLDER/packages.txt`. */
async function unpack(folder: string): Promise<void> {
  const root = join(folder, 'root');
  const archives = join(folder, 'apt/cache/archives');
  mkdirSync(root);
  const debs = readdirSync(archives)
    .filter((file) => file.endsWith('.deb'))
    .sort();
  for (const deb of debs) {
    const layer = join(folder, 'apt/layer.tar');
    const unpacked = await tryRun([
      'sh',
      '-c',
      'dpkg-deb --fsys-tarfile "$1" > "$2"',
      'sh',
      join(archives, deb),
      layer,
    ]);
    if (unpacked.code !== 0) throw new LabError(`${deb} cannot be unpacked: ${unpacked.stderr.trim()}`);
    await run(['tar', '-C', root, '-xf', layer, '--keep-directory-symlink', '--exclude=./usr/share/doc/*']);
  }
  const lines = debs.map((deb) => decodeURIComponent(deb).split('_').slice(0, 2).join(' '));
  writeFileSync(join(folder, 'packages.txt'), `${lines.join('\n')}\n`);
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
