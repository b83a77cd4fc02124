/**
 * The full level's nodes: a real kubelet and containerd in every node namespace. This file is the seam: `startNodes`
 * is called once the control plane, the topology and the router are up. `removeAllNodes` (remove.ts) takes away what
 * it started: perhaps in another process, perhaps after a crash, with all recorded processes already sent SIGKILL.
 */
import { join } from 'node:path';
import type { NodeFrame } from '#lab/full/frame.ts';
import { importImages } from '#lab/full/import.ts';
import { filesOf, startNode } from '#lab/full/node.ts';
import { assertFull } from '#lab/full/probe.ts';
import { removeAllNodes } from '#lab/full/remove.ts';
import { ensureSeed } from '#lab/full/seed.ts';
import { buildImages, type Images } from '#lab/image/build.ts';
import { waitFor } from '#lab/process/wait.ts';
import type { Reporter } from '#lab/report.ts';

interface NodeStatus {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Indexes of a lab's nodes, from 1. */
function indexes(lab: NodeFrame): readonly number[] {
  return Array.from({ length: lab.nodeCount }, (_, at) => at + 1);
}

/**
 * Builds the images, starts all nodes and waits until they are Ready.
 * @throws LabError naming what this machine lacks, or the node that does not come up, with the end of its log.
 */
export async function startNodes(lab: NodeFrame, report: Reporter): Promise<void> {
  assertFull();
  // A machine that was restarted has lost all records of a lab but kept its nodes' files.
  await removeAllNodes(lab.folder);
  const { stable, fresh } = await imagesOf(lab, report);
  const seed = await ensureSeed(lab, stable, report);
  report.step(`starting ${lab.nodeCount} nodes`);
  await Promise.all(indexes(lab).map((index) => startNode(lab, index, { seed, fresh })));
  await waitReady(lab);
}

function imagesOf(lab: NodeFrame, report: Reporter): Promise<Images> {
  return buildImages({ folder: join(lab.folder, 'images'), report });
}

/**
 * Builds our images anew and imports them; pods that start from now on run the new ones.
 * @throws LabError also when Debian's or Node's layer has changed since the lab came up: start it again then.
 */
export async function reloadImages(lab: NodeFrame, report: Reporter): Promise<void> {
  const { fresh } = await imagesOf(lab, report);
  await Promise.all(indexes(lab).map((index) => importImages(filesOf(lab, index).socket, fresh)));
}

/** Waits until every node is Ready. */
export async function waitReady(lab: NodeFrame, deadlineMs = 90_000): Promise<void> {
  let waiting: readonly string[] = [];
  await waitFor(
    'the nodes to be Ready',
    async () => {
      const { items } = await lab.api.get<{ items: readonly NodeStatus[] }>('/api/v1/nodes');
      const ready = items.filter(({ status }) =>
        status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
      );
      const names = new Set(ready.map(({ metadata }) => metadata.name));
      waiting = indexes(lab)
        .map((index) => `node${index}`)
        .filter((name) => !names.has(name));
      return waiting.length === 0;
    },
    {
      deadlineMs,
      intervalMs: 200,
      explain: () =>
        waiting.map((name) => `${name}: ${lab.daemons.find(`kubelet-${name}`)?.logTail(4)}`).join('\n'),
    },
  );
}
