/** One node of the full level: containerd, kubelet and kube-proxy in the node's namespace. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { containerdConfig, kubeletConfig, podNetwork } from '#lab/full/config.ts';
import { nodeFiles, type NodeFiles, nodesFolder } from '#lab/full/files.ts';
import { importImages, waitContainerd } from '#lab/full/import.ts';
import type { Archive } from '#lab/image/archive.ts';
import type { Lab } from '#lab/lab.ts';
import { nodeAddresses, nodeName } from '#lab/net/plan.ts';

/** Files of a node of a lab. */
export function filesOf(lab: Lab, index: number): NodeFiles {
  return nodeFiles(join(nodesFolder(lab.name), nodeName(index)));
}

function writeFiles(lab: Lab, index: number, files: NodeFiles): void {
  for (const folder of [files.containerdRoot, files.containerdState, files.cni, files.kubelet])
    mkdirSync(folder, { recursive: true });
  writeFileSync(files.containerdConfig, containerdConfig(files));
  writeFileSync(join(files.cni, '10-lab.conflist'), podNetwork(lab.name, index, files));
  writeFileSync(files.kubeletConfig, kubeletConfig(files, lab.pki.path('ca.crt')));
}

/** Starts containerd. Its images are not there yet. */
export async function startContainerd(lab: Lab, index: number): Promise<void> {
  const files = filesOf(lab, index);
  writeFiles(lab, index, files);
  const name = `containerd-${nodeName(index)}`;
  const daemon = lab.spawn(nodeName(index), {
    name,
    argv: ['containerd', '--config', files.containerdConfig],
  });
  await waitContainerd(files.socket, () => daemon.logTail());
}

/** Imports images and starts the kubelet, which registers the node, and kube-proxy. */
export async function startKubelet(lab: Lab, index: number, images: Archive): Promise<void> {
  const [files, name] = [filesOf(lab, index), nodeName(index)];
  const [kubeconfig] = await Promise.all([
    lab.pki.issueKubeconfig({ name, user: `system:node:${name}`, groups: ['system:nodes'] }),
    importImages(files.socket, images),
  ]);
  const { ipv4, ipv6 } = nodeAddresses(index);
  lab.spawn(name, {
    name: `kubelet-${name}`,
    argv: [
      join(lab.bin, 'kubelet'),
      `--config=${files.kubeletConfig}`,
      `--kubeconfig=${kubeconfig}`,
      `--root-dir=${files.kubelet}`,
      `--cert-dir=${join(files.kubelet, 'pki')}`,
      `--hostname-override=${name}`,
      `--node-ip=${ipv4},${ipv6}`,
      '--v=1',
    ],
  });
  lab.startProxy(index);
}
