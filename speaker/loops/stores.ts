/** What a speaker watches (speaker-l2.md §2.1), each kind projected to what decides. */
import { NODE } from '#core/api/labels.ts';
import { metallbResources } from '#core/api/resources.ts';
import type { ConfigKind } from '#core/api/ingest.ts';
import { parseResource, type Parsed } from '#core/config/parse.ts';
import {
  FRR_EXTRAS,
  projectEndpointSlice,
  projectExtras,
  projectNamespace,
  projectNode,
  projectSecret,
  projectService,
} from '#core/model/projections.ts';
import type {
  EndpointSliceView,
  NamespaceView,
  NodeView,
  SecretView,
  ServiceView,
} from '#core/model/views.ts';
import {
  configurationName,
  frrConfigurationType,
  OTHERS_SELECTOR,
  projectConfiguration,
  projectOther,
  type ConfigurationView,
} from '#core/frrk8s/object.ts';
import type { OtherConfiguration } from '#core/frrk8s/others.ts';
import {
  projectServiceStatus,
  serviceOfStatus,
  type ServiceStatusView,
} from '#core/status/service-status.ts';
import { STATE_FEATURE } from '#core/status/configuration-state.ts';
import {
  projectConfigurationState,
  type ConfigurationStateView,
} from '#core/status/configuration-state-plan.ts';
import {
  projectSessionState,
  sessionStateLabels,
  type SessionStateView,
} from '#core/status/bgp-session-state.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeObject, Store, WatchOptions } from '#runtime/kube/types.ts';
import type { DaemonSetView } from '#speaker/loops/removal.ts';

/** A speaker's pod, as far as the liveness mesh needs it. */
export interface SpeakerPod {
  readonly nodeName: string;
  readonly ip: string;
  /** It was told to end. */
  readonly isLeaving: boolean;
}

export interface SpeakerStores {
  readonly services: Store<ServiceView>;
  /** Index `service`: by the Service they belong to. */
  readonly slices: Store<EndpointSliceView>;
  readonly nodes: Store<NodeView>;
  readonly namespaces: Store<NamespaceView>;
  readonly secrets: Store<SecretView>;
  /** The ConfigMap bgpextras alone. */
  readonly extras: Store<string>;
  /** What users write; objects that do not fit their schema stay, with their problems. */
  readonly config: { readonly [K in ConfigKind]: Store<Parsed<K>> };
  /** Index `service`. */
  readonly l2Statuses: Store<ServiceStatusView>;
  readonly bgpStatuses: Store<ServiceStatusView>;
  /** Our own object alone. */
  readonly states: Store<ConfigurationStateView>;
  /** Undefined where the mesh finds its members by Node. */
  readonly pods: Store<SpeakerPod> | undefined;
}

export interface StoreScope {
  readonly namespace: string;
  readonly nodeName: string;
  /** Label selector of the speaker pods; empty: pods are not watched. */
  readonly podLabels: string;
}

type Watch = <T>(options: WatchOptions<T>) => Store<T>;

export function watchSpeakerStores(
  watch: Watch,
  { namespace, nodeName, podLabels }: StoreScope,
): SpeakerStores {
  const own = { namespace };
  const config = <K extends ConfigKind>(kind: K): Store<Parsed<K>> =>
    watch({ type: metallbResources[kind], ...own, project: (raw) => parseResource(kind, raw) });
  const statuses = (kind: 'ServiceL2Status' | 'ServiceBGPStatus'): Store<ServiceStatusView> =>
    watch({
      type: metallbResources[kind],
      ...own,
      project: projectServiceStatus,
      indexes: { service: (view: ServiceStatusView) => [serviceOfStatus(view)] },
      feature: `the list of who announces a Service (${kind}) is`,
    });
  return {
    services: watch({ type: kinds.Service, project: projectService }),
    slices: watch({
      type: kinds.EndpointSlice,
      project: projectEndpointSlice,
      indexes: { service: (view: EndpointSliceView) => [view.serviceKey] },
    }),
    nodes: watch({ type: kinds.Node, project: projectNode }),
    namespaces: watch({ type: kinds.Namespace, project: projectNamespace }),
    secrets: watch({ type: kinds.Secret, ...own, project: projectSecret }),
    extras: watch({
      type: kinds.ConfigMap,
      ...own,
      fieldSelector: `metadata.name=${FRR_EXTRAS}`,
      project: projectExtras,
    }),
    config: {
      IPAddressPool: config('IPAddressPool'),
      L2Advertisement: config('L2Advertisement'),
      BGPAdvertisement: config('BGPAdvertisement'),
      BGPPeer: config('BGPPeer'),
      BFDProfile: config('BFDProfile'),
      Community: config('Community'),
    },
    l2Statuses: statuses('ServiceL2Status'),
    bgpStatuses: statuses('ServiceBGPStatus'),
    states: watch({
      type: metallbResources.ConfigurationState,
      ...own,
      fieldSelector: `metadata.name=speaker-${nodeName}`,
      feature: STATE_FEATURE,
      project: projectConfigurationState,
    }),
    pods:
      podLabels === ''
        ? undefined
        : watch({ type: kinds.Pod, ...own, labelSelector: podLabels, project: projectPod }),
  };
}

/** The BGPSessionStates of this node, as soon as the kind is there. */
export function watchSessionStates(
  watch: Watch,
  { namespace, nodeName }: Pick<StoreScope, 'namespace' | 'nodeName'>,
): Store<SessionStateView> {
  const { [NODE]: node } = sessionStateLabels(nodeName, '', '');
  return watch({
    type: metallbResources.BGPSessionState,
    namespace,
    labelSelector: `${NODE}=${node}`,
    project: projectSessionState,
    feature: 'the states of BGP sessions are',
  });
}

/** The DaemonSet whose pod we are; undefined where its name is not told. */
export function watchOwnDaemonSet(
  watch: Watch,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Store<DaemonSetView> | undefined {
  if (name === '') return undefined;
  return watch({
    type: kinds.DaemonSet,
    namespace,
    fieldSelector: `metadata.name=${name}`,
    feature: 'the withdrawal of routes from routers with graceful restart, when all is removed, is',
    project: ({ metadata }) => ({ isLeaving: metadata['deletionTimestamp'] !== undefined }),
  });
}

/** The FRRConfigurations in the namespace of an external frr-k8s: that of this node, and those that no speaker wrote. */
export function watchFrrConfigurations(
  watch: Watch,
  { namespace, nodeName }: Pick<StoreScope, 'namespace' | 'nodeName'>,
): { readonly own: Store<ConfigurationView>; readonly others: Store<OtherConfiguration> } {
  const scope = { type: frrConfigurationType, namespace, feature: 'BGP sessions by an external frr-k8s are' };
  return {
    own: watch({
      ...scope,
      fieldSelector: `metadata.name=${configurationName(nodeName)}`,
      project: projectConfiguration,
    }),
    others: watch({ ...scope, labelSelector: OTHERS_SELECTOR, project: projectOther(nodeName) }),
  };
}

/** A pod that is not (or no longer) on the network is no member. */
function projectPod(raw: KubeObject): SpeakerPod | undefined {
  const spec = (raw['spec'] ?? {}) as { readonly nodeName?: string };
  const status = (raw['status'] ?? {}) as { readonly podIP?: string; readonly phase?: string };
  if (spec.nodeName === undefined || status.podIP === undefined) return undefined;
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return undefined;
  const isLeaving = raw.metadata['deletionTimestamp'] !== undefined;
  return { nodeName: spec.nodeName, ip: status.podIP, isLeaving };
}

/** The stores that decisions read: the first decision waits for all of them. */
export function decisiveStores(stores: SpeakerStores): readonly Store<unknown>[] {
  const { services, slices, nodes, namespaces, secrets, extras, config } = stores;
  return [services, slices, nodes, namespaces, secrets, extras, ...Object.values(config)];
}
