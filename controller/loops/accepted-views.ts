/** The objects that carry the condition Accepted: what they say, and the condition that stands there. */
import type { ConfigKind } from '#core/api/ingest.ts';
import { metallbResources } from '#core/api/resources.ts';
import { parseResource, type Parsed } from '#core/config/parse.ts';
import { projectSecret } from '#core/model/projections.ts';
import type { SecretView } from '#core/model/views.ts';
import { storedAccepted, type AcceptedKind, type AcceptedView } from '#core/status/accepted.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { optionalStore, type OptionalStore } from '#runtime/kube/optional-store.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import type { KubeObject, Store, WatchOptions } from '#runtime/kube/types.ts';
import type { WatchContext } from '#runtime/kube/watch-store.ts';

/** No status but our condition, and nothing else of the object, is kept. */
export interface JudgedView<K extends ConfigKind> extends AcceptedView {
  readonly parsed: Parsed<K>;
}

export function projectJudged<K extends AcceptedKind>(kind: K): (raw: KubeObject) => JudgedView<K> {
  return (raw) => ({
    parsed: parseResource(kind, raw),
    generation: raw.metadata.generation ?? 0,
    condition: storedAccepted(raw['status']),
  });
}

export interface AcceptanceStores {
  readonly objects: { readonly [K in AcceptedKind]: Store<JudgedView<K>> };
  /** Those that peers may name for their passwords. */
  readonly secrets: Store<SecretView>;
  /** Everything is known by which objects are judged: kinds that are not installed count as known, Secrets do not. */
  readonly complete: Promise<unknown>;
}

/** Starts to watch what the controller does not watch for addresses already. */
export function acceptanceStores(
  transport: Transport,
  namespace: string,
  { communities, ...context }: WatchContext & { readonly communities: Store<JudgedView<'Community'>> },
): AcceptanceStores {
  const watch = <T>(options: Pick<WatchOptions<T>, 'type' | 'project'>): OptionalStore<T> =>
    optionalStore(transport, { ...options, namespace, feature: 'the condition Accepted is' }, context);
  const judged = <K extends AcceptedKind>(kind: K) =>
    watch({ type: metallbResources[kind], project: projectJudged(kind) });
  const BFDProfile = judged('BFDProfile');
  const BGPAdvertisement = judged('BGPAdvertisement');
  const BGPPeer = judged('BGPPeer');
  const L2Advertisement = judged('L2Advertisement');
  const secrets = watch({ type: kinds.Secret, project: projectSecret }).store;
  const known = [BFDProfile, BGPAdvertisement, BGPPeer, L2Advertisement].map(({ isThere }) => isThere);
  return {
    objects: {
      BFDProfile: BFDProfile.store,
      BGPAdvertisement: BGPAdvertisement.store,
      BGPPeer: BGPPeer.store,
      Community: communities,
      L2Advertisement: L2Advertisement.store,
    },
    secrets,
    // Without the Secrets, peers with a password would be called wrong.
    complete: Promise.all([...known, secrets.synced]),
  };
}
