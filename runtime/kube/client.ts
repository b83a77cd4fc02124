/** Single reads and writes. Programs that follow a kind use stores (watch-store.ts). */
import { apiVersion, collectionPath, objectPath } from './paths.ts';
import type { Transport } from './transport.ts';
import type {
  DeleteOptions,
  KubeClient,
  KubeObject,
  ListOptions,
  ObjectRef,
  ResourceType,
  WriteOptions,
} from './types.ts';

/** A list as the API sends it; `items` of a real server lack kind and apiVersion. */
export interface KubeList {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items: readonly KubeObject[];
}

export const pageSize = 500;

export function createKubeClient(transport: Transport): KubeClient {
  return new RestClient(transport);
}

class RestClient implements KubeClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async get(ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject> {
    return (await this.#transport.call({ method: 'GET', path: objectPath(ref), signal })) as KubeObject;
  }

  async list(type: ResourceType, options: ListOptions = {}): Promise<KubeObject[]> {
    const items: KubeObject[] = [];
    await this.listEach(type, options, (item) => items.push(item));
    return items;
  }

  async listEach(
    type: ResourceType,
    options: ListOptions,
    visit: (object: KubeObject) => void,
  ): Promise<void> {
    let next: string | undefined;
    do {
      const query = {
        limit: String(pageSize),
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        continue: next,
      };
      const path = collectionPath(type, options.namespace);
      const list = (await this.#transport.call({
        method: 'GET',
        path,
        query,
        signal: options.signal,
      })) as KubeList;
      for (const item of list.items ?? []) visit(withType(item, type));
      next = list.metadata.continue;
    } while (next !== undefined && next !== '');
  }

  async create(type: ResourceType, object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const collection = collectionPath(type, object.metadata.namespace);
    // A sub-resource that is created (an eviction, a token) hangs below the object's name.
    const path =
      options.subresource === undefined
        ? collection
        : `${collection}/${object.metadata.name}/${options.subresource}`;
    return this.#write('POST', path, withType(object, type), options);
  }

  async replace(ref: ObjectRef, object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    return this.#write('PUT', objectPath(ref, options.subresource), withType(object, ref.type), options);
  }

  async patch(ref: ObjectRef, body: unknown, options: WriteOptions = {}): Promise<KubeObject> {
    return (await this.#transport.call({
      method: 'PATCH',
      path: objectPath(ref, options.subresource),
      query: { fieldManager: options.fieldManager },
      body,
      contentType: 'application/merge-patch+json',
      signal: options.signal,
    })) as KubeObject;
  }

  async apply(
    ref: ObjectRef,
    object: unknown,
    options: WriteOptions & { fieldManager: string; force?: boolean },
  ): Promise<KubeObject> {
    return (await this.#transport.call({
      method: 'PATCH',
      path: objectPath(ref, options.subresource),
      query: { fieldManager: options.fieldManager, force: String(options.force ?? true) },
      body: object,
      // The body is JSON, which is YAML; servers before 1.33 know only this type.
      contentType: 'application/apply-patch+yaml',
      signal: options.signal,
    })) as KubeObject;
  }

  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const { resourceVersion, uid, propagationPolicy = 'Background' } = options;
    const preconditions = {
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(uid === undefined ? {} : { uid }),
    };
    await this.#transport.call({
      method: 'DELETE',
      path: objectPath(ref, options.subresource),
      body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions, propagationPolicy },
      signal: options.signal,
    });
  }

  async request(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<unknown> {
    return this.#transport.call({ method, path, body, signal });
  }

  async #write(
    method: 'POST' | 'PUT',
    path: string,
    body: KubeObject,
    options: WriteOptions,
  ): Promise<KubeObject> {
    const query = { fieldManager: options.fieldManager, dryRun: options.dryRun === true ? 'All' : undefined };
    return (await this.#transport.call({ method, path, query, body, signal: options.signal })) as KubeObject;
  }
}

/** The object with kind and apiVersion, which items of a list lack. */
export function withType(object: KubeObject, type: ResourceType): KubeObject {
  return object.kind === undefined || object.apiVersion === undefined
    ? { ...object, apiVersion: apiVersion(type), kind: type.kind }
    : object;
}
