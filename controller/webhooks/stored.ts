/** What is stored at the moment of a request: from memory where that is known to be complete, else from the API server. */
import type { ConfigKind } from '#core/api/ingest.ts';
import { metallbResources } from '#core/api/resources.ts';
import { listOf, needed } from '#core/config/admission.ts';
import { parseResource } from '#core/config/parse.ts';
import { noResources, type ClusterResources } from '#core/config/resources.ts';
import { projectNode } from '#core/model/projections.ts';
import type { Memory } from '#controller/webhooks/memory.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeClient } from '#runtime/kube/types.ts';

type List = (typeof needed)[ConfigKind][number];

export interface StoredOptions {
  readonly client: Pick<KubeClient, 'list'>;
  readonly namespace: string;
  /** Absent: everything is read. */
  readonly memory?: Memory | undefined;
  /** Milliseconds, monotonic; as the memory's. */
  readonly now: () => number;
}

export interface Seen {
  /** What judging an object of the kind needs; everything else is empty. */
  readonly resources: ClusterResources;
  /** Some of it is from memory: an object that is gone may still be there. */
  readonly remembered: boolean;
}

const kindsByList = Object.fromEntries(Object.entries(listOf).map(([kind, list]) => [list, kind])) as Record<
  (typeof listOf)[ConfigKind],
  ConfigKind
>;

/** `afresh`: nothing from memory. Throws KubeError. */
export async function readStored(
  options: StoredOptions,
  kind: ConfigKind,
  signal: AbortSignal,
  { afresh }: { readonly afresh: boolean },
): Promise<Seen> {
  const known = needed[kind].map((list) => [list, afresh ? undefined : remembered(options, list)] as const);
  const parts = await Promise.all(
    known.map(async ([list, objects]) => ({ [list]: objects ?? (await read(options, list, signal)) })),
  );
  const resources = Object.assign({}, noResources(options.namespace), ...parts) as ClusterResources;
  return { resources, remembered: known.some(([, objects]) => objects !== undefined) };
}

function remembered({ memory }: StoredOptions, list: List): readonly unknown[] | undefined {
  return list === 'nodes' ? memory?.nodes() : memory?.objects(kindsByList[list]);
}

async function read(
  { client, namespace, memory, now }: StoredOptions,
  list: List,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  if (list === 'nodes') return (await client.list(kinds.Node, { signal })).map(projectNode);
  const kind = kindsByList[list];
  const started = now();
  const objects = await client.list(metallbResources[kind], { namespace, signal });
  memory?.wasRead(kind, objects, started);
  return objects.map((object) => parseResource(kind, object));
}
