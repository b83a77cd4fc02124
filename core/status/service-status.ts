/**
 * ServiceL2Status and ServiceBGPStatus (api.md §4.8): what the objects of one Service should be on this node, and
 * the writes that lead there from what exists. Lists are sorted and equal objects are left alone.
 */
import { NODE, SERVICE_NAME, SERVICE_NAMESPACE } from '#core/api/labels.ts';
import type { Labels } from '#core/model/selector.ts';

export const statusLabels = {
  node: NODE,
  serviceName: SERVICE_NAME,
  serviceNamespace: SERVICE_NAMESPACE,
} as const;

/** What is kept of a ServiceL2Status or ServiceBGPStatus. */
export interface ServiceStatusView {
  readonly name: string;
  readonly labels: Labels;
  readonly ownerUids: readonly string[];
  /** The status without its fixed fields: interface names or peer names, as stored. */
  readonly items: readonly string[];
  /** `status.node`; empty while the status was not written. */
  readonly node: string;
  readonly creationTimestamp: string;
}

export interface StatusWish {
  readonly kind: 'ServiceL2Status' | 'ServiceBGPStatus';
  /** `namespace/name` of the Service. */
  readonly serviceKey: string;
  readonly node: string;
  /** Interface names (empty: all) or peer names; undefined: this node does not announce the Service. */
  readonly items: readonly string[] | undefined;
}

type StatusBody = Readonly<Record<string, unknown>>;

/** A created object gets its status by a second write: the API server drops it at creation. */
export type StatusWrite =
  | { readonly kind: 'create'; readonly labels: Labels; readonly status: StatusBody }
  | {
      readonly kind: 'write-status';
      readonly name: string;
      readonly status: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'delete'; readonly name: string };

/** Key of the index over existing objects: `namespace/name` of the Service they speak of; empty without labels. */
export function serviceOfStatus(view: ServiceStatusView): string {
  const namespace = view.labels[statusLabels.serviceNamespace];
  const name = view.labels[statusLabels.serviceName];
  return namespace === undefined || name === undefined ? '' : `${namespace}/${name}`;
}

/**
 * The writes for one Service. `existing` are the objects of this kind for the Service, of every node. An
 * announcing node keeps its oldest object; for Layer 2 it also removes those of other nodes, since one node
 * owns the Service. A node that does not announce removes only its own.
 */
export function planServiceStatus(wish: StatusWish, existing: readonly ServiceStatusView[]): StatusWrite[] {
  const mine = existing.filter((view) => view.labels[statusLabels.node] === wish.node).toSorted(olderFirst);
  const remove = (views: readonly ServiceStatusView[]): StatusWrite[] =>
    views.map(({ name }) => ({ kind: 'delete', name }));
  if (wish.items === undefined) return remove(mine);
  const foreign =
    wish.kind === 'ServiceL2Status'
      ? existing.filter((view) => view.labels[statusLabels.node] !== wish.node)
      : [];
  const [kept, ...surplus] = mine;
  const writes = remove([...surplus, ...foreign]);
  const items = [...new Set(wish.items)].toSorted();
  if (kept === undefined)
    return [...writes, { kind: 'create', labels: labelsOf(wish), status: statusOf(wish, items) }];
  const same =
    kept.node === wish.node &&
    kept.items.length === items.length &&
    kept.items.every((item, i) => item === items[i]);
  return same
    ? writes
    : [...writes, { kind: 'write-status', name: kept.name, status: statusOf(wish, items) }];
}

/** The node would put its object in the place of one whose node is silent, and of no other. */
export function replacesSilent(
  wish: StatusWish,
  existing: readonly ServiceStatusView[],
  alive: ReadonlySet<string>,
): boolean {
  if (wish.kind !== 'ServiceL2Status' || wish.items === undefined || existing.length === 0) return false;
  return existing.every(({ labels }) => {
    const node = labels[statusLabels.node] ?? '';
    return node !== wish.node && !alive.has(node);
  });
}

function labelsOf(wish: StatusWish): Labels {
  const [namespace = '', name = ''] = wish.serviceKey.split('/');
  return {
    [statusLabels.node]: wish.node,
    [statusLabels.serviceName]: name,
    [statusLabels.serviceNamespace]: namespace,
  };
}

function statusOf(wish: StatusWish, items: readonly string[]): StatusBody {
  const [serviceNamespace = '', serviceName = ''] = wish.serviceKey.split('/');
  const listed =
    wish.kind === 'ServiceL2Status' ? { interfaces: items.map((name) => ({ name })) } : { peers: items };
  return { node: wish.node, serviceName, serviceNamespace, ...listed };
}

function olderFirst(a: ServiceStatusView, b: ServiceStatusView): number {
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

interface RawStatus {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly [field: string]: unknown;
}

/** From the stored object of either kind to the view. */
export function projectServiceStatus(raw: RawStatus): ServiceStatusView {
  const status = (raw['status'] ?? {}) as Readonly<Record<string, unknown>>;
  const listed = (status['interfaces'] ?? status['peers'] ?? []) as readonly (
    string | { readonly name: string }
  )[];
  const owners = (raw.metadata['ownerReferences'] ?? []) as readonly { readonly uid: string }[];
  return {
    name: raw.metadata.name,
    labels: (raw.metadata['labels'] ?? {}) as Labels,
    ownerUids: owners.map(({ uid }) => uid),
    items: listed.map((item) => (typeof item === 'string' ? item : item.name)),
    node: typeof status['node'] === 'string' ? status['node'] : '',
    creationTimestamp:
      typeof raw.metadata['creationTimestamp'] === 'string' ? raw.metadata['creationTimestamp'] : '',
  };
}
