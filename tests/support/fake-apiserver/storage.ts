/** The objects of a fake API server, their resource versions and the log that watches read. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { keyOf } from '#runtime/kube/paths.ts';
import type { KubeObject } from '#runtime/kube/types.ts';

export interface LogEntry {
  readonly resource: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  /** Before the change, for selectors. */
  readonly old: KubeObject | undefined;
  readonly resourceVersion: number;
}

/** What a write was refused with; becomes a metav1.Status. */
export class Refusal extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export class Storage {
  readonly log: LogEntry[] = [];
  /** Watches from versions before this one are answered 410. */
  compactedBelow = 0;
  onChange: (entry: LogEntry) => void = () => undefined;
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  #resourceVersion = 1000;

  get resourceVersion(): number {
    return this.#resourceVersion;
  }

  /** In key order, as etcd lists. */
  all(resource: string): KubeObject[] {
    const entries = [...this.#of(resource)].sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.map(([, object]) => object);
  }

  get(resource: string, key: string): KubeObject {
    const object = this.#of(resource).get(key);
    if (object === undefined) throw new Refusal(404, 'NotFound', `${resource} "${key}" not found`);
    return object;
  }

  find(resource: string, key: string): KubeObject | undefined {
    return this.#of(resource).get(key);
  }

  create(resource: string, given: KubeObject): KubeObject {
    const generateName = given.metadata['generateName'];
    const name = given.metadata.name || `${String(generateName)}${randomUUID().slice(0, 5)}`;
    const key = keyOf({ ...given.metadata, name });
    if (this.find(resource, key) !== undefined) {
      throw new Refusal(409, 'AlreadyExists', `${resource} "${key}" already exists`);
    }
    const metadata = {
      ...given.metadata,
      name,
      uid: randomUUID(),
      generation: 1,
      creationTimestamp: new Date().toISOString().replace(/\.\d+/, ''),
    };
    return this.#write(resource, 'ADDED', { ...given, metadata });
  }

  /** Writes `next` over the object; the caller has merged. Stale resource versions are refused. */
  update(resource: string, key: string, next: KubeObject): KubeObject {
    const old = this.get(resource, key);
    const { resourceVersion } = next.metadata;
    if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion) {
      throw new Refusal(409, 'Conflict', `${resource} "${key}": the object has been modified`);
    }
    const { uid, creationTimestamp, generation = 1, deletionTimestamp } = old.metadata;
    const grown = !isDeepStrictEqual(old['spec'], next['spec']);
    const metadata = {
      ...next.metadata,
      resourceVersion: old.metadata.resourceVersion,
      uid,
      creationTimestamp,
      generation: grown ? generation + 1 : generation,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    };
    const object = { ...next, metadata } as KubeObject;
    if (isDeepStrictEqual(object, old)) return old;
    if (deletionTimestamp !== undefined && finalizers(object).length === 0) return this.#drop(resource, key);
    return this.#write(resource, 'MODIFIED', object);
  }

  remove(
    resource: string,
    key: string,
    preconditions: { uid?: string; resourceVersion?: string } = {},
  ): KubeObject {
    const old = this.get(resource, key);
    for (const [name, value] of Object.entries(preconditions)) {
      if (old.metadata[name] !== value) {
        throw new Refusal(409, 'Conflict', `${resource} "${key}": precondition ${name} failed`);
      }
    }
    if (finalizers(old).length === 0) return this.#drop(resource, key);
    const deletionTimestamp = new Date().toISOString().replace(/\.\d+/, '');
    return this.#write(resource, 'MODIFIED', { ...old, metadata: { ...old.metadata, deletionTimestamp } });
  }

  #drop(resource: string, key: string): KubeObject {
    const old = this.get(resource, key);
    this.#of(resource).delete(key);
    return this.#record(resource, 'DELETED', old, old);
  }

  #write(resource: string, type: 'ADDED' | 'MODIFIED', object: KubeObject): KubeObject {
    const key = keyOf(object.metadata);
    const written = this.#record(resource, type, object, this.find(resource, key));
    this.#of(resource).set(key, written);
    return written;
  }

  #record(
    resource: string,
    type: LogEntry['type'],
    given: KubeObject,
    old: KubeObject | undefined,
  ): KubeObject {
    this.#resourceVersion += 1;
    const metadata = { ...given.metadata, resourceVersion: String(this.#resourceVersion) };
    const object = { ...given, metadata };
    const entry = { resource, type, object, old, resourceVersion: this.#resourceVersion };
    this.log.push(entry);
    // Listeners hear of it after the caller has stored it.
    queueMicrotask(() => this.onChange(entry));
    return object;
  }

  #of(resource: string): Map<string, KubeObject> {
    let objects = this.#objects.get(resource);
    if (objects === undefined) this.#objects.set(resource, (objects = new Map()));
    return objects;
  }
}

function finalizers(object: KubeObject): readonly unknown[] {
  const { finalizers: given } = object.metadata;
  return Array.isArray(given) ? given : [];
}
