/** What a migration takes away or changes, as manifests that bring it back. */
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { leftoverKinds } from '#cli/migrate/kinds.ts';
import { METALLB_GROUP } from '#core/api/group.ts';
import { metallbResources } from '#core/api/resources.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { apiVersion } from '#runtime/kube/paths.ts';
import type { KubeClient, KubeObject, ResourceType } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';

/** All of MetalLB's in the namespace and in the cluster, with kind and version. Throws KubeError. */
export async function collectBackup(client: KubeClient, namespace: string): Promise<KubeObject[]> {
  const typed = async (type: ResourceType): Promise<KubeObject[]> => {
    const listed = (await unless(404, client.list(type, { namespace }))) ?? [];
    return listed.map((object) => ({ apiVersion: apiVersion(type), kind: type.kind, ...object }));
  };
  const crds = (await typed(kinds.CustomResourceDefinition)).filter(({ metadata }) =>
    metadata.name.endsWith(`.${METALLB_GROUP}`),
  );
  const isOfMetallb = ({ metadata }: KubeObject): boolean =>
    metadata.namespace === namespace || /metallb|frr-k8s/.test(metadata.name);
  const rest = await Promise.all(
    [...leftoverKinds, kinds.Deployment, kinds.DaemonSet, kinds.ValidatingWebhookConfiguration].map(typed),
  );
  const own = await typed(metallbResources.MetalLB);
  return [...crds, ...rest.flat().filter(isOfMetallb), ...own].filter(
    ({ metadata }) => !isMadeByCluster(metadata),
  );
}

/** Kubernetes makes them anew in every namespace. */
function isMadeByCluster({ name }: KubeObject['metadata']): boolean {
  return name === 'kube-root-ca.crt' || name === 'default';
}

export function writeBackup(file: string, objects: readonly KubeObject[]): void {
  // Secrets are among them.
  writeFileSync(file, objects.map((object) => stringify(plain(object))).join('---\n'), { mode: 0o600 });
}

/** Without what the API server fills in. */
function plain(object: KubeObject): object {
  const { metadata, status: _, ...rest } = object;
  const { name, namespace, labels, annotations } = metadata;
  const kept = Object.entries({ name, namespace, labels, annotations }).filter(
    ([, value]) => value !== undefined,
  );
  return { ...rest, metadata: Object.fromEntries(kept) };
}
