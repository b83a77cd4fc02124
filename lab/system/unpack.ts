/**
 * Debian packages without a Debian: fetched with all they depend on and unpacked into a folder by apt-get and dpkg-deb
 * alone (private lists; the machine's own package database is untouched, nothing is configured or started).
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '#lab/errors.ts';
import { run, tryRun } from '#lab/process/run.ts';
import { type DebianArchive, machineArchive } from '#lab/system/debian.ts';
import { findCommand } from '#lab/system/packages.ts';

export const SUITE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Unpacks packages of `SUITE` into `FOLDER/root`, and lists them with versions in `FOLDER/packages.txt`.
 * @throws LabError when apt-get or dpkg-deb is missing or the archive cannot be read.
 */
export async function unpackPackages(folder: string, packages: readonly string[]): Promise<void> {
  await fetchPackages(folder, packages);
  await unpack(folder);
  rmSync(join(folder, 'apt'), { recursive: true });
}

function sourcesList(): string {
  const missing = ['apt-get', 'dpkg-deb', 'tar'].find((command) => findCommand(command) === undefined);
  if (missing !== undefined)
    throw new LabError(`${missing} is missing: Debian packages are fetched and unpacked with it`);
  const archive = machineArchive();
  if (archive === undefined)
    throw new LabError(
      'no Debian archive is named in /etc/apt, so its packages cannot be fetched: name one with METALLB_LAB_DEBIAN=URL',
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
async function fetchPackages(folder: string, packages: readonly string[]): Promise<void> {
  const apt = join(folder, 'apt');
  for (const part of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(apt, part), { recursive: true });
  writeFileSync(join(apt, 'sources.list'), sourcesList());
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
  await run(['apt-get', '-qq', ...settings, '-y', '--download-only', 'install', ...packages], limit);
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
