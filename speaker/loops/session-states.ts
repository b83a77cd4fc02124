/** Writes the BGPSessionState objects of this node, as soon as the kind is installed. */
import { metallbResources } from '#core/api/resources.ts';
import type { SessionReport } from '#core/frr/reconcile.ts';
import {
  planSessionState,
  sessionStateName,
  type SessionStateView,
  type SessionStatus,
} from '#core/status/bgp-session-state.ts';
import type { OwnerReference } from '#core/status/configuration-state-plan.ts';
import type { KubeClient, ObjectRef, Store } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import { done, type Clock, type Outcome, type WorkQueue } from '#runtime/queue/types.ts';

const type = metallbResources.BGPSessionState;

export interface SessionStatesOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly nodeName: string;
  /** Our pod: the objects vanish with it. */
  readonly owner: () => Promise<OwnerReference | undefined>;
  /** The objects of this node; not synced while the kind is not installed. */
  readonly store: Store<SessionStateView>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export class SessionStates {
  readonly #options: SessionStatesOptions;
  readonly #queue: WorkQueue;
  /** By name of the object; undefined before the first look at the sessions. */
  #reports: ReadonlyMap<string, SessionReport> | undefined;
  readonly #writtenAt = new Map<string, number>();

  constructor(options: SessionStatesOptions) {
    this.#options = options;
    const { logger, metrics } = options;
    this.#queue = createQueue({
      name: 'session-states',
      handler: (name, signal) => this.#handle(name, signal),
      logger,
      metrics,
    });
    options.store.onChange(({ old, now }) => {
      const name = (now ?? old)?.name;
      if (name !== undefined) this.#queue.add(name);
    });
    void options.store.synced.then(() => this.#lookAtAll());
  }

  /** The sessions of this node as they are now. */
  report(reports: readonly SessionReport[]): void {
    const { nodeName } = this.#options;
    this.#reports = new Map(
      reports.map((report) => [sessionStateName(nodeName, report.intended.peer), report]),
    );
    this.#lookAtAll();
  }

  close(deadlineMs: number): Promise<void> {
    return this.#queue.drain(deadlineMs);
  }

  #lookAtAll(): void {
    const { store } = this.#options;
    if (!store.isSynced) return;
    const stored = [...store.values()].map(({ name }) => name);
    for (const name of new Set([...(this.#reports?.keys() ?? []), ...stored])) this.#queue.add(name);
  }

  async #handle(name: string, signal: AbortSignal): Promise<Outcome> {
    const { namespace, nodeName, client, clock, store } = this.#options;
    if (!store.isSynced || this.#reports === undefined) return done;
    const existing = store.get(`${namespace}/${name}`);
    const report = this.#reports.get(name);
    const ref = { type, namespace, name };
    // Where somebody else was faster, the store's next change brings the key back.
    if (report === undefined) {
      if (existing !== undefined) await unless(404, client.delete(ref, { signal }));
      return done;
    }
    const writtenAgoMs = clock.now() - (this.#writtenAt.get(name) ?? -Infinity);
    const write = planSessionState(existing, { node: nodeName, report, now: new Date(), writtenAgoMs });
    if (existing !== undefined) await this.#adopt(existing, ref, signal);
    if (write.kind === 'create') await this.#create(ref, write.labels, signal);
    if (write.kind !== 'none') await this.#write(ref, write.status, signal);
    return done;
  }

  async #create(
    { namespace, name }: ObjectRef,
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const owner = await this.#options.owner();
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels };
    const owned = owner === undefined ? metadata : { ...metadata, ownerReferences: [owner] };
    const object = { apiVersion: 'metallb.io/v1beta1', kind: type.kind, metadata: owned, spec: {} };
    await this.#options.client.create(type, object, { signal });
  }

  /** The object of an earlier pod of ours becomes this pod's, before it goes with the other. */
  async #adopt(existing: SessionStateView, ref: ObjectRef, signal: AbortSignal): Promise<void> {
    const owner = await this.#options.owner();
    if (owner === undefined || existing.ownerUids.includes(owner.uid)) return;
    await unless(
      404,
      this.#options.client.patch(ref, { metadata: { ownerReferences: [owner] } }, { signal }),
    );
  }

  async #write(ref: ObjectRef, status: SessionStatus, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#options;
    await unless(404, client.patch(ref, { status }, { subresource: 'status', signal }));
    this.#writtenAt.set(ref.name, clock.now());
  }
}
