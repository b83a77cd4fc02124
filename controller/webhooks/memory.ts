/**
 * The objects of the configuration as watches have them, so that a request need not read them all. A watch lags behind
 * what is stored. Whatever is stored was let through here a moment before: a list counts only while its watch has shown
 * everything that was, and only while nobody else answers for the webhooks.
 */
import type { ConfigKind } from '#core/api/ingest.ts';
import { metallbResources } from '#core/api/resources.ts';
import type { AdmissionRequest } from '#core/config/admission.ts';
import { parseResource, type Parsed } from '#core/config/parse.ts';
import { projectNode, type RawObject } from '#core/model/projections.ts';
import type { NodeView } from '#core/model/views.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import type { KubeObject, Store } from '#runtime/kube/types.ts';
import { isOlder } from '#runtime/kube/versions.ts';
import { watchStore, type WatchContext } from '#runtime/kube/watch-store.ts';

interface Stored {
  readonly parsed: Parsed<ConfigKind>;
  readonly content: string;
  readonly resourceVersion: string;
}

/** Let through, and not shown by its watch yet. */
interface Unseen {
  readonly kind: ConfigKind;
  readonly content: string;
  /** The version that it replaces; 0 when there is none. */
  readonly before: string;
  readonly at: number;
}

/** Kinds all of whose writes come by here; BFD profiles are changed without a question (api.md §9.1). */
const KNOWN = ['IPAddressPool', 'L2Advertisement', 'BGPAdvertisement', 'BGPPeer', 'Community'] as const;
export type KnownKind = (typeof KNOWN)[number];
/** The API server gives up on a request by then: what was let through is stored, or will never be. */
const REQUEST_MS = 60_000;

export interface MemoryOptions extends WatchContext {
  readonly namespace: string;
  /** The Service under which the API server calls us and whoever stands beside us. */
  readonly service: string;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export class Memory {
  readonly #now: () => number;
  readonly #namespace: string;
  readonly #objects: ReadonlyMap<ConfigKind, Store<Stored>>;
  readonly #nodes: Store<NodeView>;
  /** Who answers for the webhooks, one list per EndpointSlice. */
  readonly #servers: Store<readonly string[]>;
  readonly #unseen = new Map<string, Unseen>();

  /** Starts to watch. Without the rights to it nothing is ever known here. */
  constructor(transport: Transport, options: MemoryOptions) {
    const { namespace, service, now } = options;
    const feature = 'answers of the webhooks without reading all objects are';
    this.#now = now;
    this.#namespace = namespace;
    this.#objects = new Map(KNOWN.map((kind) => [kind, this.#watch(kind, transport, options, feature)]));
    this.#nodes = watchStore(transport, { type: kinds.Node, project: projectNode, feature }, options);
    const labelSelector = `kubernetes.io/service-name=${service}`;
    this.#servers = watchStore(
      transport,
      { type: kinds.EndpointSlice, namespace, labelSelector, project: serversOf, feature },
      options,
    );
  }

  /** All objects of a kind; undefined when there may be one, or a version of one, that the watch has not shown. */
  objects(kind: ConfigKind): readonly Parsed<ConfigKind>[] | undefined {
    const store = this.#objects.get(kind);
    const isBehind = (): boolean => [...this.#unseen.values()].some((unseen) => unseen.kind === kind);
    if (store?.isSynced !== true || !this.#isAlone() || isBehind()) return undefined;
    return [...store.values()].map(({ parsed }) => parsed);
  }

  /** Nodes change without us at any time: what the watch has is as good as what is read. */
  nodes(): readonly NodeView[] | undefined {
    return this.#nodes.isSynced ? [...this.#nodes.values()] : undefined;
  }

  /** The request was let through: what it brings is stored soon, or never. */
  letThrough({ kind, namespace, name, object, oldObject }: AdmissionRequest): void {
    if (object === undefined || namespace !== this.#namespace) return;
    const content = contentOf(object);
    if (oldObject !== undefined && contentOf(oldObject) === content) return;
    const before = oldObject === undefined ? '0' : versionOf(oldObject);
    this.#unseen.set(`${kind}/${name}`, { kind, content, before, at: this.#now() });
  }

  /** What was read at this moment: what was let through long before, and is not stored otherwise than the watch has it, never will be. */
  wasRead(kind: ConfigKind, objects: readonly KubeObject[], at: number): void {
    for (const [key, unseen] of this.#unseen) {
      if (unseen.kind !== kind || unseen.at + REQUEST_MS > at) continue;
      const name = key.slice(kind.length + 1);
      const read = objects.find(({ metadata }) => metadata.name === name);
      const seen = this.#objects.get(kind)?.get(`${this.#namespace}/${name}`);
      if ((read?.metadata.resourceVersion ?? '') === (seen?.resourceVersion ?? '')) this.#unseen.delete(key);
    }
  }

  #watch(kind: KnownKind, transport: Transport, options: MemoryOptions, feature: string): Store<Stored> {
    const project = (raw: KubeObject): Stored => ({
      parsed: parseResource(kind, raw),
      content: contentOf(raw),
      resourceVersion: versionOf(raw),
    });
    const type = metallbResources[kind];
    const store = watchStore(transport, { type, namespace: options.namespace, project, feature }, options);
    store.onChange(({ now }) => {
      if (now === undefined) return;
      const key = `${kind}/${now.parsed.ref.name}`;
      const unseen = this.#unseen.get(key);
      // An earlier version may have had the same content.
      if (unseen?.content === now.content && isOlder(unseen.before, now.resourceVersion))
        this.#unseen.delete(key);
    });
    return store;
  }

  #isAlone(): boolean {
    return this.#servers.isSynced && new Set([...this.#servers.values()].flat()).size <= 1;
  }
}

/** What the rules look at; written by the API server, which sorts the keys of objects. */
function contentOf(raw: RawObject): string {
  return JSON.stringify([raw['spec'], raw.metadata['labels']]);
}

function versionOf({ metadata }: RawObject): string {
  const version = metadata['resourceVersion'];
  return typeof version === 'string' ? version : '';
}

/** A pod has an entry for each family. */
function serversOf(slice: KubeObject): readonly string[] {
  const endpoints = (slice['endpoints'] ?? []) as readonly {
    readonly addresses: readonly string[];
    readonly targetRef?: { readonly uid?: string };
  }[];
  return endpoints.map(({ addresses, targetRef }) => targetRef?.uid ?? addresses.join());
}
