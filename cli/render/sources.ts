/** What is rendered: manifests, a cluster, or manifests as if they had been applied to the cluster. */
import { createdBeside } from '#cli/validate/created.ts';
import { METALLB_GROUP } from '#core/api/group.ts';
import { resourcesOf, type Manifest } from '#core/config/validate.ts';
import type { Snapshot } from '#core/frr/node-model.ts';
import { projectEndpointSlice, projectService } from '#core/model/projections.ts';
import type { NodeView } from '#core/model/views.ts';

/** Kinds that live in MetalLB's namespace when nothing else is said; all others live in `default`. */
function namespaceOf({ apiVersion, kind, metadata }: Manifest, metallb: string): string | undefined {
  if (kind === 'Node' || kind === 'Namespace') return undefined;
  if (metadata.namespace !== undefined) return metadata.namespace;
  const isConfiguration =
    apiVersion.startsWith(`${METALLB_GROUP}/`) || kind === 'Secret' || kind === 'ConfigMap';
  return isConfiguration ? metallb : 'default';
}

/** Manifests on top of a cluster: what the API server keeps (creation, status) is kept, the rest is as written. */
export function overlay(
  cluster: readonly Manifest[],
  files: readonly Manifest[],
  namespace: string,
): Manifest[] {
  const keyOf = (manifest: Manifest): string =>
    `${manifest.kind} ${namespaceOf(manifest, namespace) ?? ''}/${manifest.metadata.name}`;
  const result = new Map(cluster.map((manifest) => [keyOf(manifest), manifest]));
  for (const file of files) {
    const known = result.get(keyOf(file));
    const own = namespaceOf(file, namespace);
    const placed = { ...file.metadata, ...(own === undefined ? {} : { namespace: own }) };
    result.set(keyOf(file), {
      ...file,
      metadata: {
        ...placed,
        ...(cluster.length > 0 ? { creationTimestamp: createdBeside(file, known) } : {}),
      },
      ...(known !== undefined && 'status' in known ? { status: known['status'] } : {}),
    });
  }
  return [...result.values()];
}

/** What a speaker would have in its stores. `nodes` stand in where no Node is among the manifests. */
export function snapshotOf(
  manifests: readonly Manifest[],
  namespace: string,
  nodes: readonly string[],
): Snapshot {
  const resources = resourcesOf(manifests, { namespace, complete: true });
  const known = manifests.some(({ kind, apiVersion }) => kind === 'Node' && apiVersion === 'v1');
  const of = (apiVersion: string, kind: string) =>
    manifests.filter((manifest) => manifest.apiVersion === apiVersion && manifest.kind === kind);
  return {
    resources: known ? resources : { ...resources, nodes: nodes.map(standIn) },
    services: of('v1', 'Service').map(projectService),
    slices: of('discovery.k8s.io/v1', 'EndpointSlice').flatMap((raw) => projectEndpointSlice(raw) ?? []),
  };
}

function standIn(name: string): NodeView {
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' };
  return { name, labels, networkUnavailable: false, internalIPs: [] };
}
