/** The pod a program runs in, as the owner of what it writes: such objects vanish with the pod. */
import { kinds } from './kinds.ts';
import type { KubeClient } from './types.ts';
import { unless } from './unless.ts';

export interface PodOwner {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly name: string;
  readonly uid: string;
}

/**
 * A function that asks for the pod until it is known, and then never again. It resolves to undefined when the
 * program runs outside a pod (empty name), or the pod does not exist; any other failure is thrown (KubeError).
 */
export function ownPod(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  name: string,
): () => Promise<PodOwner | undefined> {
  let known: PodOwner | undefined;
  return async () => {
    if (name === '' || known !== undefined) return known;
    const pod = await unless(404, client.get({ type: kinds.Pod, namespace, name }));
    if (pod !== undefined) known = { apiVersion: 'v1', kind: 'Pod', name, uid: pod.metadata.uid ?? '' };
    return known;
  };
}
