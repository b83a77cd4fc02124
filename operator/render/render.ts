/**
 * From a MetalLB object to everything that has to exist because of it. Pure and deterministic: equal input gives
 * byte-equal output, in the order in which it is applied. No other place in the project describes these workloads.
 */
import type { MetalLBSpec } from '#core/config/metallb.ts';
import { effectiveBackend } from '#operator/render/backend.ts';
import { excludeL2ConfigMap } from '#operator/render/config-maps.ts';
import { controllerDeployment, controllerDisruptionBudget } from '#operator/render/controller.ts';
import type { Manifest, OwnerReference, RenderInput, RenderOptions } from '#operator/render/manifest.ts';
import { monitoring } from '#operator/render/monitoring.ts';
import { networkPolicies } from '#operator/render/network.ts';
import { openshiftObjects } from '#operator/render/openshift.ts';
import { rbac } from '#operator/render/rbac.ts';
import { hasFrr, speakerDaemonSet } from '#operator/render/speaker.ts';

/** Who the rendered objects belong to, so that they go when it goes. */
export interface Owners {
  /** The MetalLB object: owner of what is in its namespace. */
  readonly namespaced: OwnerReference;
  /** The Namespace: a cluster-scoped object cannot belong to a namespaced one. */
  readonly cluster: OwnerReference;
}

/** The objects for a valid spec (`validateMetalLB` found nothing). Without owners: for manifests in files. */
export function render(spec: MetalLBSpec, options: RenderOptions, owners?: Owners): Manifest[] {
  const input: RenderInput = { spec, options, backend: effectiveBackend(spec, options) };
  const manifests = [
    ...networkPolicies(input),
    ...rbac(input),
    excludeL2ConfigMap(input),
    ...openshiftObjects(input),
    // First the controller: it makes the Secret that the speakers wait for.
    controllerDeployment(input),
    ...controllerDisruptionBudget(input),
    speakerDaemonSet(input),
    ...monitoring(input, hasFrr(input)),
  ];
  return owners === undefined ? manifests : manifests.map((manifest) => owned(manifest, owners));
}

function owned(manifest: Manifest, owners: Owners): Manifest {
  const owner = manifest.metadata.namespace === undefined ? owners.cluster : owners.namespaced;
  return { ...manifest, metadata: { ...manifest.metadata, ownerReferences: [owner] } };
}
