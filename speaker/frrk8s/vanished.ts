/**
 * FRRConfigurations of nodes that are no more: nothing else deletes them, they may hold passwords, and a new node of
 * the name would begin with them. Only objects with our label are ours.
 */
import { configurationLabels, configurationName, frrConfigurationType as type } from '#core/frrk8s/object.ts';
import type { NodeView } from '#core/model/views.ts';
import type { KubeClient, Store } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import { done, type Clock, type Outcome, type WorkQueue } from '#runtime/queue/types.ts';

/** A Node that is made anew under its name is back long before. */
const GONE_FOR_MS = 300_000;
/** Every speaker sees that a Node is gone; the first one deletes, the others find nothing. */
const SPREAD_MS = 60_000;

export interface VanishedOptions {
  readonly client: KubeClient;
  readonly nodes: Store<NodeView>;
  /** Where frr-k8s runs. */
  readonly namespace: string;
  /** Our own namespace. */
  readonly installation: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1); Math.random by default. */
  readonly random?: () => number;
}

/** Deletes the objects of Nodes that were deleted; ends with the returned queue. */
export function pruneVanished(options: VanishedOptions): WorkQueue {
  const { nodes, clock, logger, random = Math.random } = options;
  const queue = createQueue({
    name: 'frr-configurations-of-vanished-nodes',
    handler: (node, signal) => prune(node, options, signal),
    clock,
    logger,
  });
  nodes.onChange(({ key, now }) => {
    if (now === undefined) queue.add(key, { after: GONE_FOR_MS + random() * SPREAD_MS });
  });
  return queue;
}

async function prune(
  node: string,
  { client, nodes, namespace, installation, logger }: VanishedOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  if (nodes.has(node)) return done;
  const ref = { type, namespace, name: configurationName(node) };
  const object = await unless(404, client.get(ref, signal));
  const { uid, labels = {} } = object?.metadata ?? {};
  const isOurs = Object.entries(configurationLabels(node, installation)).every(
    ([key, value]) => labels[key] === value,
  );
  if (uid === undefined || !isOurs) return done;
  await unless(404, client.delete(ref, { uid, signal }));
  logger.info('FRRConfiguration deleted: its Node is gone', { name: ref.name });
  return done;
}
