/** One node of the full level: containerd, kubelet and kube-proxy in the node's namespace. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { containerdConfig, kubeletConfig, podNetwork } from '#lab/full/config.ts';
import { nodeFiles, type NodeFiles, nodesFolder } from '#lab/full/files.ts';
import type { NodeFrame } from '#lab/full/frame.ts';
import { importImages, waitContainerd } from '#lab/full/import.ts';
import { copySeed } from '#lab/full/seed.ts';
import type { Archive } from '#lab/image/archive.ts';
import { nodeAddresses, nodeName } from '#lab/net/plan.ts';

/** Files of a node of a lab. */
export function filesOf(lab: NodeFrame, index: number): NodeFiles {
  return nodeFiles(join(nodesFolder(lab.name), nodeName(index)));
}

function writeFiles(lab: NodeFrame, index: number, files: NodeFiles): void {
  for (const folder of [files.containerdState, files.cni, files.kubelet])
    mkdirSync(folder, { recursive: true });
  writeFileSync(files.containerdConfig, containerdConfig(files));
  writeFileSync(join(files.cni, '10-lab.conflist'), podNetwork(lab.name, index, files));
  writeFileSync(files.kubeletConfig, kubeletConfig(files, lab.pki.path('ca.crt')));
}

export interface NodeImages {
  /** Folder of `ensureSeed`: a containerd's files with the stable images in them. */
  readonly seed: string;
  readonly fresh: Archive;
}

/** Starts containerd with all images, the kubelet, which registers the node, and kube-proxy. */
export async function startNode(lab: NodeFrame, index: number, images: NodeImages): Promise<void> {
  const [files, name] = [filesOf(lab, index), nodeName(index)];
  writeFiles(lab, index, files);
  await copySeed(images.seed, files.containerdRoot);
  const argv = ['containerd', '--config', files.containerdConfig];
  const containerd = lab.spawn(name, { name: `containerd-${name}`, argv });
  await waitContainerd(files.socket, () => containerd.logTail());
  const [kubeconfig] = await Promise.all([
    lab.pki.issueKubeconfig({ name, user: `system:node:${name}`, groups: ['system:nodes'] }),
    importImages(files.socket, images.fresh),
  ]);
  lab.spawn(name, { name: `kubelet-${name}`, argv: kubeletCommand(lab, index, kubeconfig) });
  lab.startProxy(index);
}

function kubeletCommand(lab: NodeFrame, index: number, kubeconfig: string): readonly string[] {
  const files = filesOf(lab, index);
  const { ipv4, ipv6 } = nodeAddresses(index);
  return [
    join(lab.bin, 'kubelet'),
    `--config=${files.kubeletConfig}`,
    `--kubeconfig=${kubeconfig}`,
    `--root-dir=${files.kubelet}`,
    `--cert-dir=${join(files.kubelet, 'pki')}`,
    `--hostname-override=${nodeName(index)}`,
    `--node-ip=${ipv4},${ipv6}`,
    '--v=1',
  ];
}
