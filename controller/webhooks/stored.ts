/** What is stored at the moment of a request, read from the API server itself: a store may lag behind. */
import type { ConfigKind } from '#core/api/ingest.ts';
import { metallbResources } from '#core/api/resources.ts';
import { listOf, needed } from '#core/config/admission.ts';
import { parseResource } from '#core/config/parse.ts';
import { noResources, type ClusterResources } from '#core/config/resources.ts';
import { projectNode } from '#core/model/projections.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeClient } from '#runtime/kube/types.ts';

type Lister = Pick<KubeClient, 'list'>;

const kindsByList = Object.fromEntries(Object.entries(listOf).map(([kind, list]) => [list, kind])) as Record<
  (typeof listOf)[ConfigKind],
  ConfigKind
>;

/** The resources that judging an object of the kind needs; everything else stays empty. Throws KubeError. */
export async function readStored(
  client: Lister,
  namespace: string,
  kind: ConfigKind,
  signal: AbortSignal,
): Promise<ClusterResources> {
  const parts = await Promise.all(
    needed[kind].map(async (list): Promise<Partial<ClusterResources>> => {
      if (list === 'nodes') return { nodes: (await client.list(kinds.Node, { signal })).map(projectNode) };
      const stored = kindsByList[list];
      const objects = await client.list(metallbResources[stored], { namespace, signal });
      return { [list]: objects.map((object) => parseResource(stored, object)) };
    }),
  );
  return Object.assign({}, noResources(namespace), ...parts) as ClusterResources;
}
