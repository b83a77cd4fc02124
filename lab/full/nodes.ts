/**
 * The full level's nodes: a real kubelet and containerd in every node namespace. This file is the seam: `startNodes`
 * is called once the control plane, the topology and the router are up; `removeNodes` by whoever takes the lab down,
 * perhaps another process, perhaps after a crash, with all recorded processes already sent SIGKILL.
 */
import { LabError } from '#lab/errors.ts';
import type { Lab } from '#lab/lab.ts';

/** @throws LabError always: the full level is not built yet. */
export function startNodes(lab: Lab): Promise<void> {
  return Promise.reject(new LabError(`lab ${lab.name}: the full level is not built yet, use --light`));
}

/** Removes what nodes leave beside recorded processes, namespaces of the plan and mounts below `folder`. */
export function removeNodes(folder: string): Promise<void> {
  return folder === '' ? Promise.reject(new LabError('no folder')) : Promise.resolve();
}
