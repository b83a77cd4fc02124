/** Where a node of the full level keeps its files. Not below /run, which is small on many machines. */
import { basename, join } from 'node:path';

const ROOT = '/var/lib/metallb-ts-lab';

/** Folder of all nodes of a lab. Also found from the lab's own folder, whose last part is its name. */
export function nodesFolder(labName: string): string {
  return join(ROOT, labName);
}

export function nodesFolderOf(labFolder: string): string {
  return nodesFolder(basename(labFolder));
}

export interface NodeFiles {
  readonly folder: string;
  readonly socket: string;
  readonly containerdConfig: string;
  readonly containerdRoot: string;
  readonly containerdState: string;
  /** runc's own state, one folder per container below `k8s.io`. */
  readonly runc: string;
  readonly cni: string;
  readonly ipam: string;
  readonly kubelet: string;
  readonly kubeletConfig: string;
  readonly podLogs: string;
}

/** @param folder of one node: `nodesFolder(NAME)/nodeN`. */
export function nodeFiles(folder: string): NodeFiles {
  const at = (path: string) => join(folder, path);
  return {
    folder,
    socket: at('containerd.sock'),
    containerdConfig: at('containerd.toml'),
    containerdRoot: at('containerd/root'),
    containerdState: at('containerd/state'),
    runc: at('runc'),
    cni: at('cni'),
    ipam: at('ipam'),
    kubelet: at('kubelet'),
    kubeletConfig: at('kubelet.json'),
    podLogs: at('podlogs'),
  };
}

/** The root of all labs' nodes. */
export const NODES_ROOT = ROOT;
