/**
 * The ConfigurationState object of a component (api.md §8.5): made when it is missing, its metadata kept as it must
 * be, its status written only when the verdict changes. Pure: the loops of controller and speaker carry it out.
 */
import type { Problem } from '#core/model/config.ts';
import type { RawObject } from '#core/model/projections.ts';
import {
  configurationStateStatus,
  namesOf,
  type Component,
  type ConfigurationStateStatus,
} from '#core/status/configuration-state.ts';

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** The object and what is ours of it. */
export interface ConfigurationStateView {
  readonly labels: Readonly<Record<string, string>>;
  readonly owners: readonly { readonly uid: string }[];
  readonly status: Parameters<typeof configurationStateStatus>[2];
}

export function projectConfigurationState(raw: RawObject): ConfigurationStateView {
  const owners = raw.metadata['ownerReferences'];
  return {
    labels: { ...(raw.metadata['labels'] as Record<string, string> | undefined) },
    owners: Array.isArray(owners) ? (structuredClone(owners) as { uid: string }[]) : [],
    status: structuredClone(raw['status']) as ConfigurationStateView['status'],
  };
}

export interface ConfigurationStateWish {
  readonly component: Component;
  readonly namespace: string;
  /** The component's pod; undefined when it runs by hand. */
  readonly owner: OwnerReference | undefined;
  /** Undefined before the first look at the configuration. */
  readonly problems: readonly Problem[] | undefined;
  readonly now: Date;
}

export interface ConfigurationStatePlan {
  readonly name: string;
  readonly fieldManager: string;
  /** The object to create. */
  readonly create: object | undefined;
  /** Merge patch of the metadata. */
  readonly metadata: object | undefined;
  /** To be applied to the status sub-resource by `fieldManager`. */
  readonly status: ConfigurationStateStatus | undefined;
}

/** What has to be written, given the object as it is; all undefined when it is as it must be. */
export function planConfigurationState(
  view: ConfigurationStateView | undefined,
  wish: ConfigurationStateWish,
): ConfigurationStatePlan {
  const { objectName: name, labels, fieldManager } = namesOf(wish.component);
  const owners = wish.owner === undefined ? [] : [wish.owner];
  const create =
    view === undefined
      ? { metadata: { name, namespace: wish.namespace, labels, ownerReferences: owners } }
      : undefined;
  const metadata = view && metadataPatch(view, labels, owners);
  return { name, fieldManager, create, metadata, status: newStatus(view, wish) };
}

function metadataPatch(
  view: ConfigurationStateView,
  wanted: Readonly<Record<string, string>>,
  owners: readonly OwnerReference[],
): object | undefined {
  const missing = owners.filter(({ uid }) => !view.owners.some((present) => present.uid === uid));
  const foreign = Object.keys(view.labels).filter((name) => !(name in wanted));
  const labelled = Object.entries(wanted).every(([name, value]) => view.labels[name] === value);
  if (labelled && foreign.length === 0 && missing.length === 0) return undefined;
  const labels = { ...Object.fromEntries(foreign.map((name) => [name, null])), ...wanted };
  return { labels, ownerReferences: [...view.owners, ...missing] };
}

const noVerdict: ConfigurationStateStatus = { result: 'Unknown', errorSummary: '', conditions: [] };

function newStatus(
  view: ConfigurationStateView | undefined,
  { component, problems, now }: ConfigurationStateWish,
): ConfigurationStateStatus | undefined {
  if (problems === undefined) return view?.status?.conditions === undefined ? noVerdict : undefined;
  const status = configurationStateStatus(component, problems, view?.status, now);
  return canonical(view?.status) === canonical(status) ? undefined : status;
}

/** Text that is equal for equal values, whatever the order of their keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
