/** What the controller watches, and what it keeps of it (controller.md §1.5). */
import { metallbResources } from '#core/api/resources.ts';
import { parseResource, type Parsed } from '#core/config/parse.ts';
import { projectNamespace, projectService } from '#core/model/projections.ts';
import type { NamespaceView, ServiceView } from '#core/model/views.ts';
import { namesOf, STATE_FEATURE } from '#core/status/configuration-state.ts';
import {
  projectConfigurationState,
  type ConfigurationStateView,
} from '#core/status/configuration-state-plan.ts';
import { projectJudged, type JudgedView } from '#controller/loops/accepted-views.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import type { KubeObject, Store } from '#runtime/kube/types.ts';
import { watchStore, type WatchContext } from '#runtime/kube/watch-store.ts';

/** What a pool says, checked against its schema, and its status beside it. */
export interface PoolView {
  readonly parsed: Parsed<'IPAddressPool'>;
  readonly status: unknown;
}

export interface Stores {
  readonly services: Store<ServiceView>;
  readonly namespaces: Store<NamespaceView>;
  readonly pools: Store<PoolView>;
  readonly communities: Store<JudgedView<'Community'>>;
  readonly configurationStates: Store<ConfigurationStateView>;
}

function projectPool(raw: KubeObject): PoolView {
  return { parsed: parseResource('IPAddressPool', raw), status: structuredClone(raw['status']) };
}

/** Starts all watches. `seen` is told of each raw Service, before anybody hears of its view. */
export function startStores(
  transport: Transport,
  namespace: string,
  context: WatchContext,
  seen: (raw: KubeObject, view: ServiceView) => void,
): Stores {
  const { IPAddressPool, Community, ConfigurationState } = metallbResources;
  return {
    services: watchStore(
      transport,
      {
        type: kinds.Service,
        project: (raw) => {
          const view = projectService(raw);
          seen(raw, view);
          return view;
        },
      },
      context,
    ),
    namespaces: watchStore(transport, { type: kinds.Namespace, project: projectNamespace }, context),
    pools: watchStore(transport, { type: IPAddressPool, namespace, project: projectPool }, context),
    communities: watchStore(
      transport,
      { type: Community, namespace, project: projectJudged('Community') },
      context,
    ),
    configurationStates: watchStore(
      transport,
      {
        type: ConfigurationState,
        namespace,
        fieldSelector: `metadata.name=${namesOf({ kind: 'controller' }).objectName}`,
        project: projectConfigurationState,
        feature: STATE_FEATURE,
      },
      context,
    ),
  };
}

/** The stores that decisions read, by name: addresses wait for all of them, and for no other. */
export function decisiveStores(stores: Stores): readonly (readonly [string, Store<unknown>])[] {
  const { configurationStates: _, ...decisive } = stores;
  return Object.entries(decisive) as readonly (readonly [string, Store<unknown>])[];
}
