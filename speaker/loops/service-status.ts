/**
 * Writes ServiceL2Status and ServiceBGPStatus of this node (speaker-l2.md §7.3, speaker-bgp.md §7.2), only on change. An
 * object of a node whose speaker fell silent is replaced after a while: most of them are back within seconds, and
 * then nothing needs to be written.
 */
import { l2Interfaces, protocolsOf, type ServiceVerdict } from '#core/announce/verdict.ts';
import { metallbResources } from '#core/api/resources.ts';
import {
  planServiceStatus,
  replacesSilent,
  serviceOfStatus,
  statusLabels,
  type ServiceStatusView,
  type StatusWish,
  type StatusWrite,
} from '#core/status/service-status.ts';
import type { OwnerReference } from '#core/status/configuration-state-plan.ts';
import type { KubeClient, KubeObject, Store } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import { done, type Clock, type Outcome, type WorkQueue } from '#runtime/queue/types.ts';

export interface ServiceStatusOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly nodeName: string;
  /** Our pod: the objects vanish with it. */
  readonly owner: () => Promise<OwnerReference | undefined>;
  readonly stores: Readonly<Record<StatusWish['kind'], Store<ServiceStatusView>>>;
  readonly verdict: (key: string) => ServiceVerdict | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Milliseconds that the object of a silent speaker is left alone: its restart takes less. */
export const PATIENCE_MS = 8_000;

const prefixes = { ServiceL2Status: 'l2-', ServiceBGPStatus: 'bgp-' } as const;

export class ServiceStatusLoop {
  readonly #options: ServiceStatusOptions;
  readonly #queue: WorkQueue;
  /** Until when the objects of silent speakers are left alone, by key. */
  readonly #patience = new Map<string, number>();
  /** Nodes whose speakers were alive in the last pass; undefined: nobody knows. */
  #alive: ReadonlySet<string> | undefined;
  /** The verdicts are those of a node that takes part: before, nothing is known about who announces what. */
  #knows = false;
  /** Keys that wait until it does. */
  readonly #early = new Set<string>();
  /** Keys whose store is not complete, perhaps because its kind is not installed. */
  readonly #waiting = new Set<string>();

  constructor(options: ServiceStatusOptions) {
    this.#options = options;
    const { logger, metrics, stores, nodeName, clock } = options;
    this.#queue = createQueue({
      name: 'service-status',
      handler: (key, signal) => this.#handle(key, signal),
      concurrency: 4,
      logger,
      metrics,
      clock,
    });
    for (const kind of ['ServiceL2Status', 'ServiceBGPStatus'] as const) {
      void stores[kind].synced.then(() => this.#release());
      stores[kind].onChange(({ old, now }) => {
        const view = now ?? old;
        if (view?.labels[statusLabels.node] === nodeName) this.#queue.add(`${kind} ${serviceOfStatus(view)}`);
      });
    }
  }

  /** The verdict of the Service changed. */
  changed(serviceKey: string): void {
    for (const kind of Object.keys(prefixes)) this.#queue.add(`${kind} ${serviceKey}`);
  }

  /** All Services were decided on, with these speakers alive (undefined: nobody knows). */
  passed(alive: ReadonlySet<string> | undefined): void {
    this.#alive = alive;
    this.#knows = alive === undefined || alive.has(this.#options.nodeName);
    if (!this.#knows) return;
    for (const key of this.#early) this.#queue.add(key);
    this.#early.clear();
  }

  close(deadlineMs: number): Promise<void> {
    return this.#queue.drain(deadlineMs);
  }

  #release(): void {
    const keys = [...this.#waiting];
    this.#waiting.clear();
    for (const key of keys) this.#queue.add(key);
  }

  async #handle(key: string, signal: AbortSignal): Promise<Outcome> {
    const [kind, serviceKey] = key.split(' ') as [StatusWish['kind'], string];
    const store = this.#options.stores[kind];
    if (!this.#knows || !store.isSynced) {
      (this.#knows ? this.#waiting : this.#early).add(key);
      return done;
    }
    const wish = { kind, serviceKey, node: this.#options.nodeName, items: this.#items(kind, serviceKey) };
    const existing = store.byIndex('service', serviceKey);
    const wait = this.#waits(key, wish, existing);
    if (wait > 0) return { kind: 'after', ms: wait };
    for (const write of planServiceStatus(wish, existing)) await this.#write(kind, write, signal);
    return done;
  }

  /** Milliseconds for which the object of a node whose speaker fell silent is still left alone. */
  #waits(key: string, wish: StatusWish, existing: readonly ServiceStatusView[]): number {
    const now = this.#options.clock.now();
    const until = this.#patience.get(key) ?? now + PATIENCE_MS;
    this.#patience.delete(key);
    const alive = this.#alive;
    if (alive === undefined || !replacesSilent(wish, existing, alive) || until <= now) return 0;
    this.#patience.set(key, until);
    return until - now;
  }

  #items(kind: StatusWish['kind'], serviceKey: string): readonly string[] | undefined {
    const verdict = this.#options.verdict(serviceKey);
    if (verdict === undefined) return undefined;
    if (kind === 'ServiceL2Status')
      return protocolsOf(verdict).includes('layer2') ? (l2Interfaces(verdict) ?? []) : undefined;
    return verdict.bgp.kind === 'announce' && verdict.bgp.peers.length > 0 ? verdict.bgp.peers : undefined;
  }

  async #write(kind: StatusWish['kind'], write: StatusWrite, signal: AbortSignal): Promise<void> {
    const { client, namespace } = this.#options;
    const type = metallbResources[kind];
    if (write.kind === 'create') {
      const created = await client.create(type, await this.#blank(kind, write), { signal });
      const ref = { type, namespace, name: created.metadata.name };
      await client.patch(ref, { status: write.status }, { subresource: 'status', signal });
      return;
    }
    const ref = { type, namespace, name: write.name };
    const call: Promise<unknown> =
      write.kind === 'delete'
        ? client.delete(ref, { signal })
        : client.patch(ref, { status: write.status }, { subresource: 'status', signal });
    // Where somebody was faster, the store's next change brings the key back.
    await unless(404, call);
  }

  async #blank(
    kind: StatusWish['kind'],
    write: Extract<StatusWrite, { kind: 'create' }>,
  ): Promise<KubeObject> {
    const { namespace } = this.#options;
    const owner = await this.#options.owner();
    const ownerReferences = owner === undefined ? {} : { ownerReferences: [owner] };
    return {
      apiVersion: 'metallb.io/v1beta1',
      kind,
      metadata: {
        name: '',
        generateName: prefixes[kind],
        namespace,
        labels: write.labels,
        ...ownerReferences,
      },
      spec: {},
    };
  }
}
