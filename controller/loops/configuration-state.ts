/**
 * The object `controller` of kind ConfigurationState (controller.md §5.2): made when it is missing, kept as it must
 * be, and written only when the verdict changes.
 */
import { metallbResources } from '#core/api/resources.ts';
import type { Problem } from '#core/model/config.ts';
import {
  planConfigurationState,
  type ConfigurationStateView,
  type OwnerReference,
} from '#core/status/configuration-state-plan.ts';
import type { KubeClient, KubeObject, Store } from '#runtime/kube/types.ts';
import { done, type Outcome } from '#runtime/queue/types.ts';

const CONTROLLER = { kind: 'controller' } as const;

export interface ConfigurationStateOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch' | 'apply'>;
  readonly states: Pick<Store<ConfigurationStateView>, 'get' | 'isSynced'>;
  readonly namespace: string;
  /** Our own pod; undefined when we run by hand. */
  readonly owner: OwnerReference | undefined;
  /** Undefined before the first look at the configuration. */
  readonly problems: readonly Problem[] | undefined;
  readonly now: () => Date;
}

/** The handler of the queue `configuration-state`; it has one key. */
export async function reconcileConfigurationState(
  signal: AbortSignal,
  options: ConfigurationStateOptions,
): Promise<Outcome> {
  const { client, states, namespace, owner, problems, now } = options;
  // Not read yet, or there is no such kind: whoever completes the store adds the key again.
  if (!states.isSynced) return done;
  const type = metallbResources.ConfigurationState;
  const wish = { component: CONTROLLER, namespace, owner, problems, now: now() };
  const plan = planConfigurationState(states.get(`${namespace}/controller`), wish);
  const ref = { type, namespace, name: plan.name };
  const identity = { apiVersion: 'metallb.io/v1beta1', kind: 'ConfigurationState' };
  if (plan.create !== undefined)
    await client.create(type, { ...identity, ...plan.create } as unknown as KubeObject, { signal });
  if (plan.metadata !== undefined) await client.patch(ref, { metadata: plan.metadata }, { signal });
  if (plan.status === undefined) return done;
  const body = { ...identity, metadata: { namespace, name: plan.name }, status: plan.status };
  await client.apply(ref, body, { fieldManager: plan.fieldManager, subresource: 'status', signal });
  return done;
}
