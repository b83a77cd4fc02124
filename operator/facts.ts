/** What the operator asks the API server before it starts: the platform, its Namespace, its own image. */
import { AppError } from '#core/errors.ts';
import { apiGroups } from '#operator/loops/cluster.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeClient } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { sleep } from '#runtime/queue/clock.ts';
import type { Clock } from '#runtime/queue/types.ts';

export interface ClusterFacts {
  readonly groups: ReadonlySet<string>;
  /** uid of our Namespace. */
  readonly namespaceUid: string;
  readonly own: OwnImage;
}

/** How our own pod gets its image, as its Deployment says; empty when there is no pod. */
export interface OwnImage {
  readonly image: string;
  readonly pullPolicy: string;
  /** Names of Secrets. */
  readonly pullSecrets: readonly string[];
}

export interface FactsOptions {
  readonly client: Pick<KubeClient, 'get' | 'request'>;
  readonly namespace: string;
  /** Our own pod; empty: not in a pod, or its image does not matter. */
  readonly podName: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const retryMs = 2000;

/** Asks until there is an answer: an operator that starts during an outage waits for its end. */
export async function clusterFacts(options: FactsOptions): Promise<ClusterFacts> {
  for (;;) {
    try {
      return await ask(options);
    } catch (error) {
      if (!(error instanceof AppError) || error.retry !== 'backoff' || options.signal.aborted) throw error;
      options.logger.warn('the API server does not answer, asking again', { error });
      await sleep(options.clock, error.retryAfterMs ?? retryMs, options.signal);
    }
  }
}

async function ask({ client, namespace, podName, signal }: FactsOptions): Promise<ClusterFacts> {
  const groups = await apiGroups(client, signal);
  const home = await client.get({ type: kinds.Namespace, name: namespace }, signal);
  const own =
    podName === ''
      ? { image: '', pullPolicy: '', pullSecrets: [] }
      : ownImage(await client.get({ type: kinds.Pod, namespace, name: podName }, signal));
  return { groups, namespaceUid: home.metadata.uid ?? '', own };
}

interface PodSpec {
  readonly containers?: readonly {
    readonly name: string;
    readonly image?: string;
    readonly imagePullPolicy?: string;
  }[];
  readonly imagePullSecrets?: readonly { readonly name?: string }[];
}

function ownImage(pod: Readonly<Record<string, unknown>>): OwnImage {
  const { containers = [], imagePullSecrets = [] } = (pod['spec'] ?? {}) as PodSpec;
  const container = containers.find(({ name }) => name === 'manager') ?? containers[0];
  return {
    image: container?.image ?? '',
    pullPolicy: container?.imagePullPolicy ?? '',
    pullSecrets: imagePullSecrets.flatMap(({ name }) => (name === undefined ? [] : [name])),
  };
}
