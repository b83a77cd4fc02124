/**
 * The object `controller` of kind ConfigurationState (controller.md §5.2): made when it is missing, kept as it must
 * be, and written only when the verdict changes.
 */
import { isDeepStrictEqual } from 'node:util';
import { metallbResources } from '#core/api/resources.ts';
import type { Problem } from '#core/model/config.ts';
import { configurationStateStatus, namesOf } from '#core/status/configuration-state.ts';
import type { ConfigurationStateView } from '#controller/loops/views.ts';
import type { KubeClient, Store } from '#runtime/kube/types.ts';
import { done, type Outcome } from '#runtime/queue/types.ts';

const CONTROLLER = { kind: 'controller' } as const;
const { objectName, labels: LABELS, fieldManager } = namesOf(CONTROLLER);

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface ConfigurationStateOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch' | 'apply'>;
  readonly states: Pick<Store<ConfigurationStateView>, 'get'>;
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
  const { client, states, namespace, problems, now } = options;
  const ref = { type: metallbResources.ConfigurationState, namespace, name: objectName };
  const view = states.get(`${namespace}/${objectName}`);
  await ensureMetadata(view, signal, options);
  if (problems === undefined) return done;
  const status = configurationStateStatus(CONTROLLER, problems, view?.status, now());
  if (isDeepStrictEqual(view?.status, status)) return done;
  const body = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'ConfigurationState',
    metadata: { namespace, name: objectName },
    status,
  };
  await client.apply(ref, body, { fieldManager, subresource: 'status', signal });
  return done;
}

async function ensureMetadata(
  view: ConfigurationStateView | undefined,
  signal: AbortSignal,
  { client, namespace, owner }: ConfigurationStateOptions,
): Promise<void> {
  const type = metallbResources.ConfigurationState;
  const owners = owner === undefined ? [] : [owner];
  if (view === undefined) {
    const metadata = { name: objectName, namespace, labels: LABELS, ownerReferences: owners };
    const object = { apiVersion: 'metallb.io/v1beta1', kind: 'ConfigurationState', metadata };
    await client.create(type, object, { signal });
    return;
  }
  const missing = owners.filter(({ uid }) => !view.owners.some((present) => present.uid === uid));
  const foreign = Object.keys(view.labels).filter((name) => !(name in LABELS));
  const labelled =
    foreign.length === 0 && Object.entries(LABELS).every(([name, value]) => view.labels[name] === value);
  if (labelled && missing.length === 0) return;
  const labels = { ...Object.fromEntries(foreign.map((name) => [name, null])), ...LABELS };
  const metadata = { labels, ownerReferences: [...view.owners, ...missing] };
  await client.patch({ type, namespace, name: objectName }, { metadata }, { signal });
}
