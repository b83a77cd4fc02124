/** Creates, replaces, patches, applies and deletes of a fake API server. */
import { keyOf } from '#runtime/kube/paths.ts';
import type { KubeObject } from '#runtime/kube/types.ts';
import { applyPatch, mergePatch } from './merge.ts';
import type { Route } from './routes.ts';
import { Refusal, type Storage } from './storage.ts';

export interface Write {
  readonly method: string;
  readonly route: Route;
  readonly body: unknown;
  readonly contentType: string;
}

export class Writes {
  readonly #storage: Storage;
  /** What each field manager applied last, per object and sub-resource. */
  readonly #applied = new Map<string, unknown>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  perform(write: Write): unknown {
    switch (write.method) {
      case 'POST':
        return this.#create(write);
      case 'PUT':
        return this.#update(write, write.body as KubeObject);
      case 'PATCH':
        return write.contentType.includes('apply-patch') ? this.#apply(write) : this.#patch(write);
      case 'DELETE':
        return this.#delete(write);
      default:
        throw new Refusal(405, 'MethodNotAllowed', write.method);
    }
  }

  #create({ route, body }: Write): KubeObject {
    const given = body as KubeObject;
    const namespace = route.namespace ?? given.metadata.namespace;
    const metadata = { ...given.metadata, ...(namespace === undefined ? {} : { namespace }) };
    // The status of a new object is the server's business.
    return this.#storage.create(route.resource, without({ ...given, metadata }, 'status'));
  }

  #patch(write: Write): KubeObject {
    const old = this.#storage.get(write.route.resource, keyIn(write.route));
    return this.#update(write, mergePatch(old, write.body) as KubeObject);
  }

  #apply(write: Write): KubeObject {
    const { route, body } = write;
    const manager = route.query.get('fieldManager');
    if (manager === null || manager === '') throw new Refusal(400, 'BadRequest', 'fieldManager is required');
    const key = keyIn(route);
    const memory = JSON.stringify([route.resource, key, route.subresource, manager]);
    const old = this.#storage.find(route.resource, key);
    const before = old === undefined ? undefined : this.#applied.get(memory);
    this.#applied.set(memory, body);
    const namespace = route.namespace === undefined ? {} : { namespace: route.namespace };
    const start = old ?? { metadata: { name: route.name ?? '', ...namespace } };
    const next = applyPatch(start, before, body) as KubeObject;
    if (old !== undefined) return this.#update(write, next);
    return this.#storage.create(route.resource, without(next, 'status'));
  }

  /** Through `status` only the status changes (of Services also the metadata), elsewhere everything but the status. */
  #update({ route }: Write, next: KubeObject): KubeObject {
    const key = keyIn(route);
    const old = this.#storage.get(route.resource, key);
    if (route.subresource !== 'status') {
      const status = old['status'] === undefined ? {} : { status: old['status'] };
      return this.#storage.update(route.resource, key, { ...without(next, 'status'), ...status });
    }
    const { resourceVersion, annotations } = next.metadata;
    const metadata = {
      ...old.metadata,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(route.resource === '/v1/services' && annotations !== undefined ? { annotations } : {}),
    };
    return this.#storage.update(route.resource, key, { ...old, metadata, status: next['status'] });
  }

  #delete({ route, body }: Write): unknown {
    const { preconditions } = (body ?? {}) as { preconditions?: { uid?: string; resourceVersion?: string } };
    this.#storage.remove(route.resource, keyIn(route), preconditions);
    return { kind: 'Status', status: 'Success' };
  }
}

function keyIn(route: Route): string {
  return keyOf({ namespace: route.namespace, name: route.name ?? '' });
}

function without(object: KubeObject, field: string): KubeObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== field)) as KubeObject;
}
