/** The configuration objects of a live cluster, and what their rules look at. */
import { metallbResources } from '#core/api/resources.ts';
import type { Manifest } from '#core/config/validate.ts';
import { FRR_EXTRAS } from '#core/model/projections.ts';
import { openCluster } from '#cli/open-cluster.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { apiVersion } from '#runtime/kube/paths.ts';
import type { KubeClient, ResourceType } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';

const READ: readonly ResourceType[] = [
  metallbResources.IPAddressPool,
  metallbResources.L2Advertisement,
  metallbResources.BGPAdvertisement,
  metallbResources.BGPPeer,
  metallbResources.BFDProfile,
  metallbResources.Community,
  metallbResources.MetalLB,
  kinds.Node,
  kinds.Namespace,
  kinds.Secret,
];

/** What allocation depends on; Services of all namespaces, no Secrets. */
const ALLOCATED: readonly ResourceType[] = [
  metallbResources.IPAddressPool,
  metallbResources.Community,
  metallbResources.IPReservation,
  kinds.Namespace,
];

/** What a command is about: configuration alone, what speakers announce, or what the controller allocates. */
export type Subject = 'configuration' | 'announcements' | 'allocations';

interface Kind {
  readonly type: ResourceType;
  /** Undefined: of all namespaces. */
  readonly namespace: string | undefined;
  readonly fieldSelector?: string;
}

/** Reads them; kinds that are not installed count as empty. Throws KubeError. */
export async function readCluster(
  kubeconfig: string,
  namespace: string,
  subject: Subject = 'configuration',
): Promise<Manifest[]> {
  await using cluster = await openCluster(kubeconfig);
  return await clusterObjects(cluster.client, namespace, subject);
}

/** The same of a cluster that is open. */
export async function clusterObjects(
  client: KubeClient,
  namespace: string,
  subject: Subject,
): Promise<Manifest[]> {
  const lists = await Promise.all(kindsOf(subject, namespace).map((kind) => readKind(client, kind)));
  return lists.flat();
}

function kindsOf(subject: Subject, namespace: string): Kind[] {
  const own = (types: readonly ResourceType[]) =>
    types.map((type): Kind => ({ type, namespace: type.namespaced ? namespace : undefined }));
  const everywhere = (type: ResourceType): Kind => ({ type, namespace: undefined });
  if (subject === 'configuration') return own(READ);
  if (subject === 'allocations') return [...own(ALLOCATED), everywhere(kinds.Service)];
  const extras = { type: kinds.ConfigMap, namespace, fieldSelector: `metadata.name=${FRR_EXTRAS}` };
  return [...own(READ), extras, everywhere(kinds.Service), everywhere(kinds.EndpointSlice)];
}

async function readKind(client: KubeClient, kind: Kind): Promise<Manifest[]> {
  const { type, namespace, fieldSelector } = kind;
  const list = client.list(type, {
    ...(namespace === undefined ? {} : { namespace }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  });
  const objects = (await unless(404, list)) ?? [];
  return objects.map((object) => ({ ...object, apiVersion: apiVersion(type), kind: type.kind }));
}
