/** The operator's own pod tells which image runs here: unless told otherwise, everything it makes runs the same. */
import type { KubeClient } from '#runtime/kube/types.ts';
import { kinds } from '#runtime/kube/kinds.ts';

export interface OwnImage {
  readonly image: string;
  readonly pullPolicy: string;
}

interface PodSpec {
  readonly containers?: readonly {
    readonly name: string;
    readonly image?: string;
    readonly imagePullPolicy?: string;
  }[];
}

/** Image and pull policy of container `manager`, as the Deployment names them. Throws KubeError. */
export async function ownImage(
  client: KubeClient,
  pod: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<OwnImage> {
  const object = await client.get({ type: kinds.Pod, ...pod }, signal);
  const { containers = [] } = (object['spec'] ?? {}) as PodSpec;
  const container = containers.find(({ name }) => name === 'manager') ?? containers[0];
  return { image: container?.image ?? '', pullPolicy: container?.imagePullPolicy ?? '' };
}
