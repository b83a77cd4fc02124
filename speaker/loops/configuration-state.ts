/** Writes the object `speaker-NODE` of kind ConfigurationState (api.md §8.5). */
import { metallbResources } from '#core/api/resources.ts';
import type { Problem } from '#core/model/config.ts';
import {
  planConfigurationState,
  type ConfigurationStateView,
  type OwnerReference,
} from '#core/status/configuration-state-plan.ts';
import type { KubeClient, KubeObject, Store } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import { done, type Outcome, type WorkQueue } from '#runtime/queue/types.ts';

export interface ConfigurationStateOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly nodeName: string;
  readonly owner: () => Promise<OwnerReference | undefined>;
  /** Our own object alone. */
  readonly states: Store<ConfigurationStateView>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export class ConfigurationStateLoop {
  readonly #options: ConfigurationStateOptions;
  readonly #queue: WorkQueue;
  #problems: readonly Problem[] | undefined;

  constructor(options: ConfigurationStateOptions) {
    this.#options = options;
    const { logger, metrics, states } = options;
    const handler = (_key: string, signal: AbortSignal): Promise<Outcome> => this.#reconcile(signal);
    this.#queue = createQueue({ name: 'configuration-state', handler, logger, metrics });
    states.onChange(() => this.#queue.add('state'));
    void states.synced.then(() => this.#queue.add('state'));
  }

  /** The problems of the configuration as it is now. */
  report(problems: readonly Problem[]): void {
    this.#problems = problems;
    this.#queue.add('state');
  }

  close(deadlineMs: number): Promise<void> {
    return this.#queue.drain(deadlineMs);
  }

  async #reconcile(signal: AbortSignal): Promise<Outcome> {
    const { client, namespace, nodeName, owner, states } = this.#options;
    if (!states.isSynced) return done;
    const type = metallbResources.ConfigurationState;
    const component = { kind: 'speaker', node: nodeName } as const;
    const wish = { component, namespace, owner: await owner(), problems: this.#problems, now: new Date() };
    const plan = planConfigurationState(states.get(`${namespace}/speaker-${nodeName}`), wish);
    const ref = { type, namespace, name: plan.name };
    if (plan.create !== undefined) await client.create(type, plan.create as KubeObject, { signal });
    if (plan.metadata !== undefined) await client.patch(ref, { metadata: plan.metadata }, { signal });
    if (plan.status === undefined) return done;
    const body = {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'ConfigurationState',
      metadata: { namespace, name: plan.name },
      status: plan.status,
    };
    await client.apply(ref, body, { fieldManager: plan.fieldManager, subresource: 'status', signal });
    return done;
  }
}
