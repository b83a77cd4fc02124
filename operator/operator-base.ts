/**
 * The frame that @dot-i/k8s-operator gives an operator (init, start, stop; events on resources), on our own watch
 * and our own writers: the library's end the process on every broken connection and swallow failed writes
 * (architecture §9, option C). The only file that imports the library.
 */
import library, {
  ResourceEventType,
  ResourceMetaImpl,
  type OperatorLogger,
  type ResourceEvent,
  type ResourceMeta,
} from '@dot-i/k8s-operator';
import type { Logger } from '#runtime/log/logger.ts';
import { apiVersion } from '#runtime/kube/paths.ts';
import type { KubeClient, KubeObject, ObjectRef, ResourceType, Store } from '#runtime/kube/types.ts';

// The package is CommonJS: seen from a module, its class is the default of the default.
const Operator = library.default;

export interface OperatorParts {
  readonly client: KubeClient;
  /** A store of whole objects, kept up to date by a reflector. */
  readonly watch: (type: ResourceType, namespace: string | undefined) => Store<KubeObject>;
  readonly logger: Logger;
  /** Field manager of writes to the watched resource. */
  readonly fieldManager: string;
  /** Resources by plural name, for the library's way to name them. */
  readonly types: readonly ResourceType[];
}

export abstract class OperatorBase extends Operator {
  readonly #parts: OperatorParts;

  constructor(parts: OperatorParts) {
    super(libraryLogger(parts.logger));
    this.#parts = parts;
  }

  /** Events come from a store: complete after every reconnect, deletions included, never twice the same. */
  // oxlint-disable-next-line max-params -- the library's signature
  protected override async watchResource(
    group: string,
    version: string,
    plural: string,
    onEvent: (event: ResourceEvent) => Promise<void>,
    namespace?: string,
  ): Promise<void> {
    const type = this.#typeOf(`${plural}.${group === '' ? version : `${group}/${version}`}`);
    const store = this.#parts.watch(type, namespace);
    store.onChange(({ old, now }) => {
      const object = now ?? old;
      if (object === undefined) return;
      const event = { type: eventType(old, now), object: typed(type, object), meta: metaOf(type, object) };
      onEvent(event).catch((error: unknown) => this.#parts.logger.error('event handler failed', { error }));
    });
    await store.synced;
  }

  protected override async setResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    return this.patchResourceStatus(meta, status);
  }

  /** The resourceVersion goes with the write: a status computed from a stale object is refused (409). */
  protected override async patchResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    const ref = this.#refOf(meta);
    const body = { metadata: { resourceVersion: meta.resourceVersion }, status };
    const { client, fieldManager } = this.#parts;
    return metaOf(ref.type, await client.patch(ref, body, { subresource: 'status', fieldManager }));
  }

  protected override async setResourceFinalizers(meta: ResourceMeta, finalizers: string[]): Promise<void> {
    const body = { metadata: { finalizers, resourceVersion: meta.resourceVersion } };
    const { client, fieldManager } = this.#parts;
    await client.patch(this.#refOf(meta), body, { fieldManager });
  }

  #refOf(meta: ResourceMeta): ObjectRef {
    return { type: this.#typeOf(meta.id), namespace: meta.namespace, name: meta.name };
  }

  #typeOf(id: string): ResourceType {
    const type = this.#parts.types.find((candidate) => idOf(candidate) === id);
    if (type === undefined) throw new Error(`resource ${id} is not declared`);
    return type;
  }
}

/** The meta that the library's methods take, from an object of a store. */
export function metaOf(type: ResourceType, object: KubeObject): ResourceMeta {
  return ResourceMetaImpl.createWithId(idOf(type), typed(type, object));
}

/** In the library's type, whose times are Date objects; what travels is JSON, where they are texts. */
function typed(type: ResourceType, object: KubeObject): ResourceEvent['object'] {
  const whole: unknown = { ...object, apiVersion: apiVersion(type), kind: type.kind };
  return whole as ResourceEvent['object'];
}

function idOf(type: ResourceType): string {
  return `${type.plural}.${apiVersion(type)}`;
}

function eventType(old: unknown, now: unknown): ResourceEventType {
  if (now === undefined) return ResourceEventType.Deleted;
  return old === undefined ? ResourceEventType.Added : ResourceEventType.Modified;
}

function libraryLogger(logger: Logger): OperatorLogger {
  return {
    debug: (message) => logger.debug(message),
    info: (message) => logger.info(message),
    warn: (message) => logger.warn(message),
    error: (message) => logger.error(message),
  };
}
