/** What the operator asks the API server before it starts: the platform, its Namespace, its own image. */
import { AppError } from '#core/errors.ts';
import { discover, type Discovery } from '#operator/discovery.ts';
import { operatorRole } from '#operator/render/install.ts';
import type { OwnerReference } from '#operator/render/manifest.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { apiVersion } from '#runtime/kube/paths.ts';
import type { KubeClient, KubeObject } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { sleep } from '#runtime/queue/clock.ts';
import type { Clock } from '#runtime/queue/types.ts';

export interface ClusterFacts extends Discovery {
  /** What cluster-scoped objects belong to (docs/adr/0002). */
  readonly clusterOwner: OwnerReference;
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
  const discovery = await discover(client, signal);
  const home = await client.get({ type: kinds.Namespace, name: namespace }, signal);
  const own =
    podName === ''
      ? { image: '', pullPolicy: '', pullSecrets: [] }
      : ownImage(await client.get({ type: kinds.Pod, namespace, name: podName }, signal));
  return { ...discovery, clusterOwner: await clusterOwner(client, home, signal), own };
}

/**
 * Our own ClusterRole: it goes when the operator is uninstalled, and what grants rights by our hand goes with it. Where
 * there is none of that name, or we may not see it, our Namespace.
 */
async function clusterOwner(
  client: FactsOptions['client'],
  { metadata }: KubeObject,
  signal: AbortSignal,
): Promise<OwnerReference> {
  const ask = client.get({ type: kinds.ClusterRole, name: operatorRole }, signal);
  const role = await unless(403, unless(404, ask));
  if (role?.metadata.uid !== undefined)
    return {
      apiVersion: apiVersion(kinds.ClusterRole),
      kind: kinds.ClusterRole.kind,
      name: operatorRole,
      uid: role.metadata.uid,
    };
  return { apiVersion: 'v1', kind: 'Namespace', name: metadata.name, uid: metadata.uid ?? '' };
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
