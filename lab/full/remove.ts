/**
 * Removes what the nodes of a lab leave besides recorded processes: containers with their shims, cgroups, mounts and
 * network namespaces, entries that plugins and kubelets make in folders of the machine, and the nodes' own files.
 * Everything is found from those files, so it works after a crash too.
 */
import { existsSync, globSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { unmountBelow } from '#lab/frr/root.ts';
import { networkName } from '#lab/full/config.ts';
import { nodeFiles, type NodeFiles, NODES_ROOT, nodesFolderOf } from '#lab/full/files.ts';
import { identify, isAlive, type ProcessId, signal } from '#lab/process/identity.ts';
import { tryRun } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';

/** Where containerd's shims are recorded, one folder per container or sandbox. */
function bundlesOf(files: NodeFiles): readonly string[] {
  return globSync(join(files.containerdState, 'io.containerd.runtime.v2.task/k8s.io/*'));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Shims are started with containerd's socket as an argument. */
function shimsOf(files: NodeFiles): readonly ProcessId[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      const argv = readIfThere(`/proc/${pid}/cmdline`).split('\0');
      return argv[argv.indexOf('-address') + 1] === files.socket && argv[0]?.includes('containerd-shim');
    })
    .map((pid) => identify(Number(pid)))
    .filter((id) => id !== undefined);
}

async function removeContainers(files: NodeFiles): Promise<void> {
  const root = join(files.runc, 'k8s.io');
  const containers = existsSync(root) ? readdirSync(root) : [];
  await Promise.all(containers.map((id) => tryRun(['runc', '--root', root, 'delete', '--force', id])));
}

/** Names of the namespaces that containerd made for pods (in /run/netns: `cni-UUID`) in a text that names them. */
function podNamespaces(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/netns\/(cni-[0-9a-f-]+)"/g)].map(([, name = '']) => name))];
}

/** Links that kubelets make in /var/log/containers, whatever their own folder is. */
function removeLogLinks(folder: string): void {
  const links = '/var/log/containers';
  for (const name of existsSync(links) ? readdirSync(links) : []) {
    const path = join(links, name);
    if (linkTarget(path).startsWith(`${folder}/`)) rmSync(path, { force: true });
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

const CNI_CACHE = '/var/lib/cni/results';

/** Entries of the network plugins' cache (`NETWORK-CONTAINER-INTERFACE`) of a lab's own network. */
function cachedResults(labName: string): readonly string[] {
  const own = new RegExp(`^${networkName(labName).replaceAll('.', '\\.')}-[0-9a-f]{64}-`);
  return existsSync(CNI_CACHE) ? readdirSync(CNI_CACHE).filter((name) => own.test(name)) : [];
}

/** Removes those, the pod namespaces they name, and the entries of the same containers' loopback. */
async function removePodNetworks(labName: string): Promise<void> {
  for (const name of cachedResults(labName)) {
    const path = join(CNI_CACHE, name);
    await removeNamespaces(podNamespaces(readIfThere(path)));
    const container = /[0-9a-f]{64}/.exec(name)?.[0] ?? '';
    for (const file of [path, join(CNI_CACHE, `cni-loopback-${container}-lo`)]) rmSync(file, { force: true });
  }
}

async function removeNamespaces(names: readonly string[]): Promise<void> {
  for (const name of names) await tryRun(['ip', 'netns', 'delete', name]);
}

/** Removes folders that are empty: somebody else's content stays. */
function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders)
    try {
      rmdirSync(folder);
    } catch {
      // Not there, or in use.
    }
}

async function removeNode(files: NodeFiles): Promise<void> {
  const bundles = bundlesOf(files);
  const namespaces = bundles.flatMap((bundle) => podNamespaces(readIfThere(join(bundle, 'config.json'))));
  const shimSockets = bundles.map((bundle) => readIfThere(join(bundle, 'address')).replace('unix://', ''));
  const shims = shimsOf(files);
  for (const shim of shims) signal(shim, 'SIGKILL');
  await removeContainers(files);
  await waitFor(`the shims of ${files.folder} to end`, () => shims.every((shim) => !isAlive(shim)), {
    intervalMs: 10,
  });
  for (const socket of shimSockets) if (socket !== '') rmSync(socket, { force: true });
  await removeNamespaces(namespaces);
  await unmountBelow(files.folder);
  rmSync(files.folder, { recursive: true, force: true });
}

/** @param labFolder the lab's own folder (its name tells where the nodes' files are). */
export async function removeAllNodes(labFolder: string): Promise<void> {
  const folder = nodesFolderOf(labFolder);
  if (!existsSync(folder)) return;
  removeLogLinks(folder);
  await Promise.all(readdirSync(folder).map((name) => removeNode(nodeFiles(join(folder, name)))));
  await removePodNetworks(basename(labFolder));
  rmSync(folder, { recursive: true, force: true });
  removeEmpty([NODES_ROOT]);
  if (!existsSync(NODES_ROOT)) removeShared();
}

const SHARED_FOLDERS = [
  '/run/containerd/s',
  '/run/containerd',
  '/var/log/containers',
  CNI_CACHE,
  '/var/lib/cni',
  '/var/lib/kubelet/device-plugins',
  '/var/lib/kubelet',
] as const;

/** What all labs have in common in folders that programs do not let one choose; called when the last one goes. */
function removeShared(): void {
  rmSync('/var/lib/kubelet/device-plugins/kubelet.sock', { force: true });
  removeEmpty([...globSync('/sys/fs/cgroup/{,*/}k8s.io'), ...SHARED_FOLDERS]);
}
