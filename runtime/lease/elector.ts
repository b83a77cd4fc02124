/** Holds a Lease through the API (architecture §8). The decisions are core/lease/step.ts. */
import {
  claim,
  defaultTiming,
  leadershipLost,
  observe,
  release,
  step,
  type LeaseRecord,
  type LeaseTiming,
  type Observation,
} from '#core/lease/step.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import {
  KubeError,
  type KubeClient,
  type KubeObject,
  type ObjectRef,
  type ResourceType,
} from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { sleep, systemClock } from '#runtime/queue/clock.ts';
import type { Clock } from '#runtime/queue/types.ts';

export const leaseType: ResourceType = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

export interface ElectorOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Who we are: unique per process, e.g. pod name and a random part. */
  readonly identity: string;
  /** Name of the Deployment that a Lease which we create goes with; empty or not there: the Lease stays. */
  readonly deployment?: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Called once, when leadership is lost. The program must end: never demote in place. */
  readonly onLost: (reason: string) => void;
  readonly timing?: LeaseTiming;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Wall clock in microseconds. */
  readonly unixMicros?: () => number;
}

export interface Elector {
  /** Resolves when we lead; never, if the signal comes first. */
  readonly leading: Promise<void>;
  readonly isLeading: boolean;
  /** The lease is ours by our own clock at this moment: false at once in a process that was stopped for too long. */
  readonly holds: boolean;
  /** Ends the election and sets the lease free if it is ours. Call after the last write. */
  stop(): Promise<void>;
}

/** Starts to compete for the lease. */
export function startElector(options: ElectorOptions): Elector {
  const elector = new LeaseElector(options);
  elector.start();
  return elector;
}

class LeaseElector implements Elector {
  readonly leading: Promise<void>;
  readonly #options: ElectorOptions;
  readonly #timing: LeaseTiming;
  readonly #clock: Clock;
  readonly #ref: ObjectRef;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #resolveLeading!: () => void;
  #loop: Promise<void> | undefined;
  #seen: Observation | undefined;
  #lease: KubeObject | undefined;
  #isLeading = false;
  #renewedAt = 0;

  constructor(options: ElectorOptions) {
    this.#options = options;
    this.#timing = options.timing ?? defaultTiming;
    this.#clock = options.clock ?? systemClock;
    this.#ref = { type: leaseType, namespace: options.namespace, name: options.name };
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.leading = new Promise((resolve) => {
      this.#resolveLeading = resolve;
    });
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  get holds(): boolean {
    return this.#isLeading && !leadershipLost(this.#renewedAt, this.#clock.now(), this.#timing);
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    const record = this.#seen?.record;
    if (!this.#isLeading || record === undefined) return;
    this.#isLeading = false;
    try {
      await this.#write(release(record, this.#unixMicros()), undefined);
      this.#options.logger.info('lease released', { lease: this.#options.name });
    } catch (error) {
      this.#options.logger.warn('lease could not be released, it will expire', {
        lease: this.#options.name,
        error,
      });
    }
  }

  async #run(): Promise<void> {
    const { random = Math.random } = this.#options;
    while (!this.#signal.aborted) {
      const wait = await this.#once();
      if (this.#isLeading && leadershipLost(this.#renewedAt, this.#clock.now(), this.#timing)) {
        return this.#lose('the lease could not be renewed in time');
      }
      // client-go's jitter factor 1.2: contenders do not knock at the same moment.
      const jitter = this.#isLeading ? 1 : 1 + 0.2 * random();
      await sleep(this.#clock, wait * jitter, this.#signal);
    }
  }

  /** One look and, if it is ours to take, one write. Returns how long to wait. */
  async #once(): Promise<number> {
    const { identity, logger, name } = this.#options;
    const started = this.#clock.now();
    try {
      const record = await this.#read();
      this.#seen = observe(this.#seen, record, this.#clock.now());
      const context = { now: this.#clock.now(), leading: this.#isLeading, timing: this.#timing };
      const next = step(identity, this.#seen, context);
      if (next.kind === 'wait') {
        if (this.#isLeading) this.#lose(`the lease was taken by ${next.holder}`);
        return next.ms;
      }
      const ours = claim(identity, record, { timing: this.#timing, unixMicros: this.#unixMicros() });
      await this.#write(ours, this.#deadline());
      this.#renewedAt = started;
      if (next.kind === 'acquire') this.#win(next.reason);
    } catch (error) {
      if (this.#signal.aborted) return 0;
      const conflict = error instanceof KubeError && error.status === 409;
      if (!conflict) logger.warn('lease cannot be read or written', { lease: name, error });
    }
    return this.#timing.retryMs;
  }

  #win(reason: string): void {
    this.#isLeading = true;
    const { identity, logger, name } = this.#options;
    logger.info('leading', { lease: name, identity, reason });
    this.#resolveLeading();
  }

  #lose(reason: string): void {
    this.#isLeading = false;
    this.#stop.abort();
    this.#options.logger.error('leadership lost', { lease: this.#options.name, reason });
    this.#options.onLost(reason);
  }

  /** A write must be over before leadership would be: the rest of the renew deadline, or one lease for a contender. */
  #deadline(): AbortSignal {
    const left = this.#isLeading
      ? this.#renewedAt + this.#timing.renewDeadlineMs - this.#clock.now()
      : this.#timing.renewDeadlineMs;
    return AbortSignal.any([this.#signal, AbortSignal.timeout(Math.max(1, Math.floor(left)))]);
  }

  async #read(): Promise<LeaseRecord | undefined> {
    try {
      this.#lease = await this.#options.client.get(this.#ref, this.#deadline());
      return toRecord(this.#lease);
    } catch (error) {
      if (!(error instanceof KubeError) || error.status !== 404) throw error;
      this.#lease = undefined;
      return undefined;
    }
  }

  async #write(record: LeaseRecord, signal: AbortSignal | undefined): Promise<void> {
    const { client, namespace, name } = this.#options;
    const options = signal === undefined ? {} : { signal };
    const spec = toSpec(record);
    this.#lease =
      this.#lease === undefined
        ? await client.create(
            leaseType,
            { metadata: { namespace, name, ...(await this.#owner()) }, spec },
            options,
          )
        : await client.replace(this.#ref, { ...this.#lease, spec }, options);
    this.#seen = { record, changedAt: this.#clock.now() };
  }

  /**
   * Without it the Lease would outlive us. That it cannot be told is no reason not to lead; but a leader whose Lease
   * and Deployment are both gone is being removed, and makes no new one.
   */
  async #owner(): Promise<{ ownerReferences?: readonly object[] }> {
    const { client, namespace, deployment: name = '', logger } = this.#options;
    if (name === '') return {};
    try {
      const { metadata } = await client.get({ type: kinds.Deployment, namespace, name }, this.#deadline());
      return { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name, uid: metadata.uid }] };
    } catch (error) {
      if (this.#isLeading) throw error;
      logger.debug('the Lease has no owner', { deployment: name, error });
      return {};
    }
  }

  #unixMicros(): number {
    return this.#options.unixMicros?.() ?? Math.round((performance.timeOrigin + performance.now()) * 1000);
  }
}

function toRecord(lease: KubeObject): LeaseRecord {
  const spec = (lease['spec'] ?? {}) as Record<string, unknown>;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    holder: text(spec['holderIdentity']),
    durationSeconds: Number(spec['leaseDurationSeconds'] ?? 0),
    acquireTime: text(spec['acquireTime']),
    renewTime: text(spec['renewTime']),
    transitions: Number(spec['leaseTransitions'] ?? 0),
  };
}

function toSpec(record: LeaseRecord): Record<string, unknown> {
  return {
    holderIdentity: record.holder,
    leaseDurationSeconds: record.durationSeconds,
    acquireTime: record.acquireTime,
    renewTime: record.renewTime,
    leaseTransitions: record.transitions,
  };
}
