/** The one writer's side of a store: views by key, indexes, deep-equal suppression, replacement in one step. */
import { isDeepStrictEqual } from 'node:util';
import { keyOf } from './paths.ts';
import type { KubeObject, Store, StoreChange, WatchOptions } from './types.ts';

interface Entry<T> {
  readonly uid: string | undefined;
  readonly view: T;
}

export interface StoreOptions<T> extends Pick<WatchOptions<T>, 'project' | 'indexes'> {
  /** Told what a projection or a listener threw; the store goes on. */
  readonly onError: (error: unknown, key: string) => void;
}

export class ReflectedStore<T> implements Store<T> {
  readonly synced: Promise<void>;
  readonly #options: StoreOptions<T>;
  readonly #views = new Map<string, T>();
  readonly #uids = new Map<string, string | undefined>();
  readonly #indexes = new Map<string, Map<string, Map<string, T>>>();
  readonly #listeners = new Set<(change: StoreChange<T>) => void>();
  #staged: Map<string, Entry<T>> | undefined;
  #resolveSynced!: () => void;
  #isSynced = false;
  #version = 0;

  constructor(options: StoreOptions<T>) {
    this.#options = options;
    for (const index of Object.keys(options.indexes ?? {})) this.#indexes.set(index, new Map());
    this.synced = new Promise((resolve) => {
      this.#resolveSynced = resolve;
    });
  }

  // The reader's side.

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#views.size;
  }

  get(key: string): T | undefined {
    return this.#views.get(key);
  }

  has(key: string): boolean {
    return this.#views.has(key);
  }

  keys(): MapIterator<string> {
    return this.#views.keys();
  }

  values(): MapIterator<T> {
    return this.#views.values();
  }

  entries(): MapIterator<[string, T]> {
    return this.#views.entries();
  }

  [Symbol.iterator](): MapIterator<[string, T]> {
    return this.#views.entries();
  }

  forEach(callback: (value: T, key: string, map: ReadonlyMap<string, T>) => void): void {
    for (const [key, view] of this.#views) callback(view, key, this);
  }

  onChange(listener: (change: StoreChange<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  uidOf(key: string): string | undefined {
    return this.#uids.get(key);
  }

  byIndex(index: string, value: string): readonly T[] {
    const values = this.#indexes.get(index);
    if (values === undefined) throw new RangeError(`store has no index ${index}`);
    return [...(values.get(value)?.values() ?? [])];
  }

  // The reflector's side.

  /** An object was added or changed. */
  put(raw: KubeObject): void {
    const key = keyOf(raw.metadata);
    this.#change(key, this.#project(key, raw));
  }

  /** An object is gone. */
  remove(raw: KubeObject): void {
    this.#change(keyOf(raw.metadata), undefined);
  }

  /** Starts a complete list beside what readers see; an earlier unfinished one is forgotten. */
  beginReplace(): void {
    this.#staged = new Map();
  }

  /** One object of the complete list. */
  stage(raw: KubeObject): void {
    const key = keyOf(raw.metadata);
    const entry = this.#project(key, raw);
    if (entry === undefined) this.#staged?.delete(key);
    else this.#staged?.set(key, entry);
  }

  /** An object of the unfinished list is gone again. */
  unstage(raw: KubeObject): void {
    this.#staged?.delete(keyOf(raw.metadata));
  }

  /** The list is complete: readers see it from one moment to the next, then listeners hear the differences. */
  endReplace(): void {
    const staged = this.#staged ?? new Map<string, Entry<T>>();
    this.#staged = undefined;
    const changes: StoreChange<T>[] = [];
    for (const key of this.#views.keys()) {
      if (!staged.has(key)) changes.push(...this.#write(key, undefined));
    }
    for (const [key, entry] of staged) changes.push(...this.#write(key, entry));
    const first = !this.#isSynced;
    this.#isSynced = true;
    for (const change of changes) this.#notify(change);
    if (first) this.#resolveSynced();
  }

  /** The view of an object. A projection that throws keeps the view we had: one bad object harms only itself. */
  #project(key: string, raw: KubeObject): Entry<T> | undefined {
    const { uid } = raw.metadata;
    const old = this.#views.get(key);
    try {
      const view = this.#options.project(raw);
      if (view === undefined) return undefined;
      // The old view stays the same value while nothing in it changed.
      return { uid, view: old !== undefined && isDeepStrictEqual(old, view) ? old : view };
    } catch (error) {
      this.#options.onError(error, key);
      return old !== undefined && this.#uids.get(key) === uid ? { uid, view: old } : undefined;
    }
  }

  #change(key: string, entry: Entry<T> | undefined): void {
    for (const change of this.#write(key, entry)) this.#notify(change);
  }

  /** Puts an entry in force and returns what changed: another uid is another object, so delete then add. */
  #write(key: string, entry: Entry<T> | undefined): StoreChange<T>[] {
    const old = this.#views.get(key);
    const sameObject = entry?.uid === this.#uids.get(key);
    if (old === entry?.view && (old === undefined || sameObject)) return [];
    this.#unindex(key, old);
    if (entry === undefined) {
      this.#views.delete(key);
      this.#uids.delete(key);
    } else {
      this.#views.set(key, entry.view);
      this.#uids.set(key, entry.uid);
      this.#index(key, entry.view);
    }
    this.#version += 1;
    const now = entry?.view;
    return old === undefined || now === undefined || sameObject
      ? [{ key, old, now }]
      : [
          { key, old, now: undefined },
          { key, old: undefined, now },
        ];
  }

  #index(key: string, view: T): void {
    for (const [name, values] of this.#indexes) {
      for (const value of this.#options.indexes?.[name]?.(view) ?? []) {
        let keys = values.get(value);
        if (keys === undefined) values.set(value, (keys = new Map()));
        keys.set(key, view);
      }
    }
  }

  #unindex(key: string, view: T | undefined): void {
    if (view === undefined) return;
    for (const [name, values] of this.#indexes) {
      for (const value of this.#options.indexes?.[name]?.(view) ?? []) {
        const keys = values.get(value);
        keys?.delete(key);
        if (keys?.size === 0) values.delete(value);
      }
    }
  }

  #notify(change: StoreChange<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#options.onError(error, change.key);
      }
    }
  }
}
