/** The configuration objects of a live cluster, and what their rules look at. */
import { metallbResources } from '#core/api/resources.ts';
import type { Manifest } from '#core/config/validate.ts';
import { FRR_EXTRAS } from '#core/model/projections.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { loadCredentials } from '#runtime/kube/credentials.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { KubeError, type KubeClient, type ResourceType } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';

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

const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
};

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
  announced: 'withServices' | 'withoutServices' = 'withoutServices',
): Promise<Manifest[]> {
  await using credentials = loadCredentials({ kubeconfig });
  const client = createKubeClient(createTransport(credentials, { logger: quiet }));
  const own = READ.map((type): Kind => ({ type, namespace: type.namespaced ? namespace : undefined }));
  const extras = { type: kinds.ConfigMap, namespace, fieldSelector: `metadata.name=${FRR_EXTRAS}` };
  const services = [kinds.Service, kinds.EndpointSlice].map((type): Kind => ({ type, namespace: undefined }));
  const read = announced === 'withServices' ? [...own, extras, ...services] : own;
  const lists = await Promise.all(read.map((kind) => readKind(client, kind)));
  return lists.flat();
}

async function readKind(client: KubeClient, kind: Kind): Promise<Manifest[]> {
  const { type, namespace, fieldSelector } = kind;
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  try {
    const objects = await client.list(type, {
      ...(namespace === undefined ? {} : { namespace }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    });
    return objects.map((object) => ({ ...object, apiVersion, kind: type.kind }));
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return [];
    throw error;
  }
}
