/** The moves themselves: one write each, then waiting for what the speakers say about it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { L2_NODE } from '#core/api/annotations.ts';
import { DRAIN, NODE, SERVICE_NAME, SERVICE_NAMESPACE } from '#core/api/labels.ts';
import { metallbResources } from '#core/api/resources.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeClient, KubeObject } from '#runtime/kube/types.ts';

export interface Cluster {
  readonly client: KubeClient;
  readonly metallbNamespace: string;
  readonly dryRun: boolean;
  readonly timeoutMs: number;
  readonly write: (text: string) => void;
}

export type Outcome = 'done' | 'timeout';

const LOOK_EVERY = 50;

/** Asks for the node, or, without one, takes the wish back. Throws KubeError when Service or node do not exist. */
export async function moveService(
  cluster: Cluster,
  service: { readonly namespace: string; readonly name: string },
  node: string | undefined,
): Promise<Outcome> {
  const { client } = cluster;
  const text = `${service.namespace}/${service.name}`;
  const ref = { type: kinds.Service, ...service };
  await client.get(ref);
  if (node !== undefined) await client.get({ type: kinds.Node, name: node });
  const selector = `${SERVICE_NAMESPACE}=${service.namespace},${SERVICE_NAME}=${service.name}`;
  const before = await announcers(cluster, selector);
  const wish = node === undefined ? 'goes where it would by itself' : `moves to node ${node}`;
  cluster.write(`${text}, announced by ${list(before)}, ${wish}${cluster.dryRun ? ' (dry run)' : ''}\n`);
  if (cluster.dryRun) return 'done';
  await client.patch(ref, { metadata: { annotations: { [L2_NODE.name]: node ?? null } } });
  if (node === undefined) return 'done';
  return waitFor(cluster, `${text} is announced by node ${node}`, async () => {
    const now = await announcers(cluster, selector);
    return now.length === 1 && now[0] === node ? undefined : `announced by ${list(now)}`;
  });
}

/** Moves everything away from the node, or lets it come back. Throws KubeError when the node does not exist. */
export async function emptyNode(cluster: Cluster, node: string, away: boolean): Promise<Outcome> {
  const { client } = cluster;
  const ref = { type: kinds.Node, name: node };
  await client.get(ref);
  const before = await announced(cluster, `${NODE}=${node}`);
  const wish = away ? 'is emptied' : 'may announce again';
  cluster.write(
    `node ${node}, which announces ${list(before)}, ${wish}${cluster.dryRun ? ' (dry run)' : ''}\n`,
  );
  if (cluster.dryRun) return 'done';
  await client.patch(ref, { metadata: { labels: { [DRAIN]: away ? 'true' : null } } });
  if (!away) return 'done';
  return waitFor(cluster, `node ${node} announces nothing by Layer 2`, async () => {
    const now = await announced(cluster, `${NODE}=${node}`);
    return now.length === 0 ? undefined : `it still announces ${list(now)}; is there another node that may?`;
  });
}

async function waitFor(
  { timeoutMs, write }: Cluster,
  what: string,
  missing: () => Promise<string | undefined>,
): Promise<Outcome> {
  const started = performance.now();
  for (;;) {
    const lack = await missing();
    const ms = Math.round(performance.now() - started);
    if (lack === undefined) {
      write(`${what} after ${ms} ms\n`);
      return 'done';
    }
    if (ms > timeoutMs) {
      write(`not done after ${ms} ms: ${lack}\n`);
      return 'timeout';
    }
    await sleep(LOOK_EVERY);
  }
}

async function statuses(cluster: Cluster, labelSelector: string): Promise<KubeObject[]> {
  return cluster.client.list(metallbResources.ServiceL2Status, {
    namespace: cluster.metallbNamespace,
    labelSelector,
  });
}

async function announcers(cluster: Cluster, selector: string): Promise<string[]> {
  const found = await statuses(cluster, selector);
  return found.map(({ metadata }) => label(metadata.labels, NODE)).sort();
}

async function announced(cluster: Cluster, selector: string): Promise<string[]> {
  const found = await statuses(cluster, selector);
  return found
    .map(({ metadata: { labels } }) => `${label(labels, SERVICE_NAMESPACE)}/${label(labels, SERVICE_NAME)}`)
    .sort();
}

function label(labels: unknown, name: string): string {
  return (labels as Readonly<Record<string, string>> | undefined)?.[name] ?? '';
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
