/** Debian packages the lab needs: found by the command they bring, installed with apt-get when it is missing. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LabError } from '#lab/errors.ts';
import { lastLines, tryRun } from '#lab/process/run.ts';
import type { Reporter } from '#lab/report.ts';

/** Command (or full path) → package. */
const LIGHT: Readonly<Record<string, string>> = {
  flock: 'util-linux',
  nsenter: 'util-linux',
  ip: 'iproute2',
  sysctl: 'procps',
  nft: 'nftables',
  conntrack: 'conntrack',
  openssl: 'openssl',
  curl: 'curl',
  tcpdump: 'tcpdump',
  ndisc6: 'ndisc6',
  arping: 'arping',
  ping: 'iputils-ping',
};

const FULL: Readonly<Record<string, string>> = {
  ...LIGHT,
  containerd: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
};

/** Where a command is, as a shell with the usual system folders would find it. */
export function findCommand(command: string): string | undefined {
  if (command.startsWith('/')) return existsSync(command) ? command : undefined;
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
  return folders.map((folder) => join(folder, command)).find((path) => existsSync(path));
}

/**
 * Installs what is missing of the packages of a level.
 * @throws LabError when a package is missing and apt-get is missing or fails.
 */
export async function ensurePackages(level: 'light' | 'full', report: Reporter): Promise<void> {
  const wanted = Object.entries(level === 'full' ? FULL : LIGHT);
  await installPackages(
    wanted.filter(([command]) => findCommand(command) === undefined).map(([, name]) => name),
    report,
  );
}

/** Installs the named Debian packages (none: does nothing). */
export async function installPackages(names: readonly string[], report: Reporter): Promise<void> {
  const missing = [...new Set(names)].sort();
  if (missing.length === 0) return;
  if (findCommand('apt-get') === undefined)
    throw new LabError(`packages are missing (${missing.join(' ')}) and there is no apt-get: install them`);
  report.step(`installing Debian packages: ${missing.join(' ')}`);
  const apt = ['apt-get', '-q', '-y', '-o', 'DPkg::Lock::Timeout=300'];
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 600_000 };
  await tryRun([...apt, 'update'], options);
  const install = await tryRun([...apt, 'install', '--no-install-recommends', ...missing], options);
  if (install.code !== 0)
    throw new LabError(
      `apt-get could not install ${missing.join(' ')}: ${lastLines(install.stderr, 1)}; install the packages yourself`,
    );
}
