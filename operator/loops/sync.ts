/**
 * Makes the cluster agree with a list of manifests: applies what is new, changed or drifted, deletes what we made and
 * no longer want, and touches nothing else. In steady state it sends nothing.
 */
import { AppError } from '#core/errors.ts';
import { deviation } from '#operator/drift.ts';
import type { Manifest } from '#operator/render/manifest.ts';
import { apiVersion } from '#runtime/kube/paths.ts';
import { KubeError, type KubeClient, type KubeObject, type ResourceType } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Counter } from '#runtime/metrics/types.ts';

export const fieldManager = 'metallb-operator';

/** A live object of a kind we manage, as its store has it. */
export interface LiveObject {
  readonly type: ResourceType;
  readonly object: KubeObject;
}

/** What is in the cluster: only objects with our labels. */
export interface Inventory {
  readonly types: readonly ResourceType[];
  find(type: ResourceType, namespace: string | undefined, name: string): KubeObject | undefined;
  all(): LiveObject[];
}

export interface SyncDeps {
  readonly client: KubeClient;
  readonly inventory: Inventory;
  readonly logger: Logger;
  /** Label `kind`, `action` (applied, repaired, deleted). */
  readonly writes: Counter;
}

/** One object that could not be brought to where it should be. */
export interface SyncFailure {
  readonly object: string;
  readonly error: unknown;
}

export interface SyncResult {
  readonly failures: readonly SyncFailure[];
  /** Wanted, but the cluster does not know the kind: `ServiceMonitor`. */
  readonly unknownKinds: readonly string[];
  /** The objects as the API server last gave them to us, by `kind/name`. */
  readonly live: ReadonlyMap<string, KubeObject>;
}

/** `Deployment/controller`: unique, since everything namespaced lives in one namespace. */
export function objectName(kind: string, name: string): string {
  return `${kind}/${name}`;
}

export class Syncer {
  readonly #deps: SyncDeps;
  /** What was last applied, as text: a change in it is applied even where `deviation` sees none (a removed field). */
  readonly #applied = new Map<string, string>();
  /** Answers to our writes that the stores do not have yet. */
  readonly #answers = new Map<string, KubeObject>();
  /** How often the stores saw each object change. */
  readonly #changes = new Map<string, number>();

  constructor(deps: SyncDeps) {
    this.#deps = deps;
  }

  /** To be called when a store changed: its object is newer than the answer to our write. */
  seen(kind: string, name: string): void {
    const key = objectName(kind, name);
    this.#answers.delete(key);
    this.#changes.set(key, (this.#changes.get(key) ?? 0) + 1);
  }

  /** Applies in order; a failure does not keep the rest from being applied. Prunes only when nothing failed. */
  async sync(manifests: readonly Manifest[], signal: AbortSignal): Promise<SyncResult> {
    const failures: SyncFailure[] = [];
    const unknown = new Set<string>();
    const live = new Map<string, KubeObject>();
    for (const manifest of manifests) {
      const name = objectName(manifest.kind, manifest.metadata.name);
      const type = this.#deps.inventory.types.find((candidate) => isOf(candidate, manifest));
      if (type === undefined) {
        unknown.add(manifest.kind);
        continue;
      }
      try {
        live.set(name, await this.#converge(type, manifest, signal));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        failures.push({ object: name, error });
      }
    }
    if (failures.length === 0) failures.push(...(await this.#prune(manifests, signal)));
    return { failures, unknownKinds: [...unknown], live };
  }

  async #converge(type: ResourceType, manifest: Manifest, signal: AbortSignal): Promise<KubeObject> {
    const { namespace, name } = manifest.metadata;
    const key = objectName(manifest.kind, name);
    const text = JSON.stringify(manifest);
    const current = this.#answers.get(key) ?? this.#deps.inventory.find(type, namespace, name);
    const where = current === undefined ? 'missing' : deviation(manifest, current);
    const unchanged = this.#applied.get(key) === text;
    if (current !== undefined && unchanged && where === undefined) return current;
    const ref = { type, namespace, name };
    const changes = this.#changes.get(key);
    const answer = await this.#deps.client.apply(ref, manifest, { fieldManager, signal });
    const action = unchanged ? 'repaired' : 'applied';
    this.#deps.writes.inc({ kind: manifest.kind, action });
    this.#deps.logger.info('object applied', { object: key, action, deviation: where });
    this.#applied.set(key, text);
    // Events overtake answers: what the store saw meanwhile may be newer than this answer, a deletion for instance.
    if (this.#changes.get(key) === changes) this.#answers.set(key, answer);
    return answer;
  }

  async #prune(manifests: readonly Manifest[], signal: AbortSignal): Promise<SyncFailure[]> {
    const wanted = new Set(manifests.map(({ kind, metadata }) => objectName(kind, metadata.name)));
    const failures: SyncFailure[] = [];
    for (const { type, object } of this.#deps.inventory.all()) {
      const key = objectName(type.kind, object.metadata.name);
      if (wanted.has(key) || object.metadata['deletionTimestamp'] !== undefined) continue;
      try {
        await this.#delete(type, object, signal);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        failures.push({ object: key, error });
      }
    }
    return failures;
  }

  /** The uid keeps us from deleting a successor of the same name. */
  async #delete(type: ResourceType, object: KubeObject, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = object.metadata;
    const key = objectName(type.kind, name);
    try {
      const options = { signal, ...(uid === undefined ? {} : { uid }) };
      await this.#deps.client.delete({ type, namespace, name }, options);
    } catch (error) {
      if (!(error instanceof KubeError) || error.status !== 404) throw error;
    }
    this.#applied.delete(key);
    this.#answers.delete(key);
    this.#deps.writes.inc({ kind: type.kind, action: 'deleted' });
    this.#deps.logger.info('object deleted', { object: key });
  }
}

function isOf(type: ResourceType, manifest: Manifest): boolean {
  return type.kind === manifest.kind && apiVersion(type) === manifest.apiVersion;
}
