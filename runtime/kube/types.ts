/**
 * What the programs use of Kubernetes: a client (transport with one shared connection pool), stores filled by
 * reflectors, and writers. The real implementations stand beside this file; tests/support has a fake API server.
 */
import { AppError, type Retry } from '#core/errors.ts';

/** Where a kind lives. `namespaced` kinds take a namespace in the path. */
export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** The part of every object that the runtime itself reads. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface ObjectRef {
  readonly type: ResourceType;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** An answer other than 2xx, or no answer (`status` 0). `reason` is the API's, e.g. `NotFound`, `Conflict`. */
export class KubeError extends AppError {
  readonly status: number;
  readonly reason: string;

  constructor(
    message: string,
    options: { status: number; reason: string; retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super('KUBE', message, {
      retry: retryOf(options.status),
      retryAfterMs: options.retryAfterMs,
      cause: options.cause,
    });
    this.status = options.status;
    this.reason = options.reason;
  }
}

function retryOf(status: number): Retry {
  if (status === 409) return 'soon';
  return status === 400 || status === 403 || status === 404 || status === 422 ? 'never' : 'backoff';
}

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly signal?: AbortSignal;
}

export interface WriteOptions {
  /** Sub-resource, e.g. `status`. */
  readonly subresource?: string;
  readonly fieldManager?: string;
  /** Only asks whether the write would be taken. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface DeleteOptions extends WriteOptions {
  readonly resourceVersion?: string;
  readonly uid?: string;
  /** What becomes of what belongs to the object; `Background` (it goes, too) unless told. */
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/**
 * All calls go through one pool of connections, carry a deadline, and throw KubeError. JSON numbers outside the
 * safe integer range are kept as bigint in both directions (IPAddressPool.status holds int64).
 */
export interface KubeClient {
  get(ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject>;
  /** All objects, paged; for tools and one-off reads. Programs use stores. */
  list(type: ResourceType, options?: ListOptions): Promise<KubeObject[]>;
  /** The same one by one, so that no more than a page of them is in memory. */
  listEach(type: ResourceType, options: ListOptions, visit: (object: KubeObject) => void): Promise<void>;
  create(type: ResourceType, object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** PUT; the object's resourceVersion guards the write. */
  replace(ref: ObjectRef, object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** JSON merge patch (RFC 7386). */
  patch(ref: ObjectRef, body: unknown, options?: WriteOptions): Promise<KubeObject>;
  /** Server-side apply; `fieldManager` is required, `force` defaults to true. */
  apply(
    ref: ObjectRef,
    object: unknown,
    options: WriteOptions & { fieldManager: string; force?: boolean },
  ): Promise<KubeObject>;
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /** Raw POST/GET of any path (token reviews, version, non-resource URLs). */
  request(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): Promise<unknown>;
}

/** A change of one key in a store. `old`/`now` are undefined for added/deleted. */
export interface StoreChange<T> {
  readonly key: string;
  readonly old: T | undefined;
  readonly now: T | undefined;
}

/** A read-only view that a reflector keeps up to date. Views are deep-frozen in tests. */
export interface Store<T> extends ReadonlyMap<string, T> {
  /** Resolves when the first complete list is in. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  /** Grows with each change that was not deep-equal to what was there. */
  readonly version: number;
  /** Called synchronously after each change (not for deep-equal ones). Returns the unsubscribe function. */
  onChange(listener: (change: StoreChange<T>) => void): () => void;
  /** `metadata.uid` of the object behind a view. */
  uidOf(key: string): string | undefined;
  /** Values under an index declared at construction. */
  byIndex(index: string, value: string): readonly T[];
}

export interface WatchOptions<T> {
  readonly type: ResourceType;
  /** Only this namespace; absent: all. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Copies what is kept; undefined skips the object (and removes an earlier view of it). */
  readonly project: (raw: KubeObject) => T | undefined;
  /** What is off while the kind is not installed or not readable, with its verb, for the log: `reservations are`. */
  readonly feature?: string;
  readonly indexes?: Readonly<Record<string, (view: T) => readonly string[]>>;
}
