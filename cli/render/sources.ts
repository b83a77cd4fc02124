/** Manifests as what a speaker has in its stores. */
import type { RenderArguments } from '#cli/render/arguments.ts';
import { resourcesOf, type Manifest } from '#core/config/validate.ts';
import type { Snapshot } from '#core/frr/node-model.ts';
import { projectEndpointSlice, projectService } from '#core/model/projections.ts';
import type { NodeView } from '#core/model/views.ts';

/** What a speaker would have in its stores. `nodes` stand in where no Node is among the manifests. */
export function snapshotOf(
  manifests: readonly Manifest[],
  { namespace, nodes, external }: Pick<RenderArguments, 'namespace' | 'nodes' | 'external'>,
): Snapshot {
  const secretPassthrough = external?.secretPassthrough === true && external.namespace !== namespace;
  const resources = { ...resourcesOf(manifests, { namespace, complete: true }), secretPassthrough };
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
