/** The operator's picture of the cluster: stores of the MetalLB objects, of everything we made, and of the pods. */
import { metallbResources } from '#core/api/resources.ts';
import type { PodView } from '#operator/availability.ts';
import type { Inventory, LiveObject } from '#operator/loops/sync.ts';
import { podView, wholeObject } from '#operator/loops/views.ts';
import { operatorRole } from '#operator/render/install.ts';
import { coreKinds } from '#operator/render/kinds.ts';
import { speakerScc } from '#operator/render/speaker.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeObject, ResourceType, Store, WatchOptions } from '#runtime/kube/types.ts';

/** Starts a reflector and gives its store: `watchStore` with transport and context already bound. */
export type Watch = <T>(options: WatchOptions<T>) => Store<T>;

export interface ClusterOptions {
  readonly namespace: string;
  readonly managedBy: string;
  /** Those of `optionalKinds` that the server has. */
  readonly optional: readonly ResourceType[];
  readonly watch: Watch;
}

interface Owner {
  readonly kind?: unknown;
  readonly name?: unknown;
}

export class Cluster implements Inventory {
  readonly types: readonly ResourceType[];
  /** MetalLB objects of our namespace. */
  readonly metallbs: Store<KubeObject>;
  /** MetalLB objects of other namespaces: nobody may act on them, and their users have to be told so. */
  readonly foreign: Store<KubeObject>;
  readonly pods: Store<PodView>;
  readonly #namespace: string;
  readonly #owned: ReadonlyMap<ResourceType, Store<KubeObject>>;

  constructor(options: ClusterOptions) {
    const { namespace, watch } = options;
    this.#namespace = namespace;
    this.types = [...coreKinds, ...options.optional];
    const labelSelector = `app.kubernetes.io/managed-by=${options.managedBy}`;
    this.#owned = new Map(
      this.types.map((type) => {
        const where = type.namespaced ? { namespace } : {};
        return [type, watch({ type, ...where, labelSelector, project: wholeObject })];
      }),
    );
    this.metallbs = watch({ type: metallbResources.MetalLB, namespace, project: wholeObject });
    const fieldSelector = `metadata.namespace!=${namespace}`;
    const feature = 'conditions on MetalLB objects of other namespaces are';
    this.foreign = watch({ type: metallbResources.MetalLB, fieldSelector, feature, project: wholeObject });
    this.pods = watch({ type: kinds.Pod, namespace, labelSelector: 'app=metallb', project: podView });
  }

  /** Resolves when every store has its first complete list; our work does not wait for objects that are not ours. */
  async synced(): Promise<void> {
    const stores = [this.metallbs, this.pods, ...this.#owned.values()];
    await Promise.all(stores.map((store) => store.synced));
  }

  /** Calls back for each change of an object we made or of a pod. */
  onChange(listener: (kind: string, name: string) => void): void {
    for (const [type, store] of this.#owned) {
      store.onChange(({ now, old }) => listener(type.kind, (now ?? old)?.metadata.name ?? ''));
    }
    this.pods.onChange(({ now, old }) => listener('Pod', (now ?? old)?.name ?? ''));
  }

  find(type: ResourceType, namespace: string | undefined, name: string): KubeObject | undefined {
    const key = namespace === undefined ? name : `${namespace}/${name}`;
    return this.#owned.get(type)?.get(key);
  }

  /**
   * What we made and may delete: labelled ours, and belonging to a MetalLB object or, if cluster-scoped, to our
   * ClusterRole or Namespace. The label alone can be anybody's.
   */
  all(): LiveObject[] {
    return [...this.#owned].flatMap(([type, store]) =>
      [...store.values()].filter((object) => this.#isOurs(type, object)).map((object) => ({ type, object })),
    );
  }

  /** An operator in another namespace may share our ClusterRole: what it makes of this sort is named after its own. */
  #isClusterOwner({ kind, name }: Owner, object: KubeObject): boolean {
    const isNamedOurs =
      object.metadata.name.startsWith(`${this.#namespace}:`) || object.metadata.name === speakerScc;
    if (kind === kinds.ClusterRole.kind) return name === operatorRole && isNamedOurs;
    return kind === kinds.Namespace.kind && name === this.#namespace;
  }

  #isOurs(type: ResourceType, object: KubeObject): boolean {
    const owners = object.metadata['ownerReferences'];
    if (!Array.isArray(owners)) return false;
    return owners.some((owner: Owner) =>
      type.namespaced ? owner.kind === metallbResources.MetalLB.kind : this.#isClusterOwner(owner, object),
    );
  }
}
