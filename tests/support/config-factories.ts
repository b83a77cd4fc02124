/** Configuration objects for tests, as the API server would store them, and their compilation. */
import type { ConfigKind } from '#core/api/ingest.ts';
import { compile, type Compiled } from '#core/config/compile.ts';
import { parseResource } from '#core/config/parse.ts';
import { noResources, type ClusterResources, type Scope } from '#core/config/resources.ts';
import type { NamespaceView, NodeView, SecretView } from '#core/model/views.ts';

export const NAMESPACE = 'metallb-system';

export interface TestObject {
  readonly kind: ConfigKind;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly creationTimestamp: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
}

interface Meta {
  readonly labels?: Readonly<Record<string, string>>;
  /** Minutes after a fixed moment; orders objects by age. */
  readonly age?: number;
}

/** An object of a configuration kind. */
export function object(kind: ConfigKind, name: string, spec?: unknown, meta: Meta = {}): TestObject {
  const created = new Date(Date.UTC(2026, 0, 1, 0, meta.age ?? 0)).toISOString().replace('.000', '');
  return {
    kind,
    metadata: {
      name,
      namespace: NAMESPACE,
      creationTimestamp: created,
      ...(meta.labels === undefined ? {} : { labels: meta.labels }),
    },
    ...(spec === undefined ? {} : { spec }),
  };
}

export const pool = (name: string, addresses: readonly string[], spec: object = {}, meta?: Meta) =>
  object('IPAddressPool', name, { addresses, ...spec }, meta);
export const peer = (name: string, spec: object = {}, meta?: Meta) =>
  object('BGPPeer', name, { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1', ...spec }, meta);
export const bfd = (name: string, spec: object = {}) => object('BFDProfile', name, spec);
export const bgpAdv = (name: string, spec: object = {}, meta?: Meta) =>
  object('BGPAdvertisement', name, spec, meta);
export const l2Adv = (name: string, spec: object = {}) => object('L2Advertisement', name, spec);
export const community = (name: string, communities: readonly object[], meta?: Meta) =>
  object('Community', name, { communities }, meta);

export const node = (name: string, labels: Readonly<Record<string, string>> = {}): NodeView => ({
  name,
  labels: { 'kubernetes.io/hostname': name, ...labels },
  networkUnavailable: false,
  internalIPs: [],
});
export const namespace = (name: string, labels: Readonly<Record<string, string>> = {}): NamespaceView => ({
  name,
  labels,
});

export interface Surroundings {
  readonly nodes?: readonly NodeView[];
  readonly namespaces?: readonly NamespaceView[];
  readonly secrets?: readonly SecretView[];
  readonly scope?: Scope;
}

/** The objects as resources, each parsed as a store would do. */
export function resources(objects: readonly TestObject[], around: Surroundings = {}): ClusterResources {
  const of = <K extends ConfigKind>(kind: K) =>
    objects
      .filter((entry) => entry.kind === kind)
      .map(({ metadata, spec }) => parseResource(kind, { metadata, spec }));
  return {
    ...noResources(NAMESPACE),
    pools: of('IPAddressPool'),
    l2Advertisements: of('L2Advertisement'),
    bgpAdvertisements: of('BGPAdvertisement'),
    peers: of('BGPPeer'),
    bfdProfiles: of('BFDProfile'),
    communities: of('Community'),
    nodes: around.nodes ?? [node('node1'), node('node2')],
    namespaces: around.namespaces ?? [],
    secrets: around.secrets ?? [],
  };
}

/** Compiles the objects, for the whole cluster unless told otherwise. */
export function compiled(objects: readonly TestObject[], around: Surroundings = {}): Compiled {
  return compile(resources(objects, around), around.scope ?? { kind: 'cluster' });
}

/** Codes of the problems, in order. */
export function codes(objects: readonly TestObject[], around: Surroundings = {}): string[] {
  return compiled(objects, around).problems.map(({ code }) => code);
}
