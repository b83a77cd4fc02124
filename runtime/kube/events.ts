/**
 * core/v1 Events. A repeat of an event is not a new object: `count` grows and `lastTimestamp` moves by PATCH
 * (controller.md 2.10), so the verbs create and patch are enough. An event that each of many processes has to tell
 * is named after its content, so that the first one writes it and the others find it there. Events are written in
 * the background, in order, and never fail their caller.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Logger } from '#runtime/log/logger.ts';
import { sleep, systemClock } from '#runtime/queue/clock.ts';
import { backoffMs, TokenBucket } from '#runtime/queue/rate-limiter.ts';
import type { Clock } from '#runtime/queue/types.ts';
import { KubeError, type KubeClient, type KubeObject, type ResourceType } from './types.ts';
import { unless } from './unless.ts';

export const eventType: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** The object an event is about. */
export interface InvolvedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Other processes see the same and tell it too: one of them is enough. */
  readonly shared?: boolean;
}

export interface EventRecorder {
  /** Plans the write and returns. Drops the event when its object has used up its share. */
  record(object: InvolvedObject, event: EventText): void;
  /** Resolves when everything planned is written or given up, or the deadline passed; later events are dropped. */
  drain(deadlineMs: number): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** `source.component`, e.g. `metallb-controller`. */
  readonly component: string;
  /** `source.host`: the node, where there is one. */
  readonly host?: string;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Wall clock, Unix milliseconds. */
  readonly unixMs?: () => number;
  readonly random?: () => number;
}

/** As client-go: 25 events of one source about one object at once, then one each five minutes. */
const share = { perSecond: 1 / 300, burst: 25 };
const remembered = 4096;
const longestQueue = 1000;
const maxTries = 12;
const retryBackoff = { baseMs: 1000, capMs: 30_000 };
const longestMessage = 1024;

interface Written {
  readonly name: string;
  readonly count: number;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  /** What stands in the API, by the event's identity; least recently used first. */
  readonly #written = new Map<string, Written>();
  readonly #shares = new Map<string, TokenBucket>();
  readonly #stop = new AbortController();
  /** Other processes may record the same event in the same millisecond. */
  readonly #salt = randomUUID();
  #tail: Promise<void> = Promise.resolve();
  #queued = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  record(object: InvolvedObject, event: EventText): void {
    if (this.#stop.signal.aborted) return;
    const { reason, message } = event;
    const { kind, namespace, name } = object;
    if (this.#queued >= longestQueue || !this.#hasShare(object)) {
      this.#options.logger.debug('event dropped', { kind, namespace, name, reason, message });
      return;
    }
    const at = this.#options.unixMs?.() ?? Date.now();
    this.#queued += 1;
    this.#tail = this.#tail.then(async () => {
      await this.#persist(object, event, at);
      this.#queued -= 1;
    });
  }

  async drain(deadlineMs: number): Promise<void> {
    const timeout = new AbortController();
    await Promise.race([this.#tail, sleep(this.#clock, deadlineMs, timeout.signal)]);
    timeout.abort();
    this.#stop.abort();
  }

  #hasShare(object: InvolvedObject): boolean {
    const bucket = recall(this.#shares, identity(object), () => new TokenBucket(share));
    return bucket.tryTake(this.#clock.now());
  }

  /** Writes one event, through an outage of the API server if need be. Never throws. */
  async #persist(object: InvolvedObject, event: EventText, at: number): Promise<void> {
    const { logger, random = Math.random } = this.#options;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#write(object, event, at);
      } catch (error) {
        const again = error instanceof KubeError && error.retry !== 'never' && tries < maxTries;
        if (!again || this.#stop.signal.aborted) {
          const { kind, namespace, name } = object;
          logger.warn('event cannot be written', { kind, namespace, name, reason: event.reason, error });
          return;
        }
        const wait = Math.max(error.retryAfterMs ?? 0, backoffMs(tries, random(), retryBackoff));
        await sleep(this.#clock, wait, this.#stop.signal);
      }
    }
  }

  async #write(object: InvolvedObject, event: EventText, at: number): Promise<void> {
    const key = identity(object, event.type, event.reason, event.message);
    const namespace = object.namespace ?? 'default';
    const before = this.#written.get(key);
    if (before !== undefined) {
      const count = before.count + 1;
      if (await this.#countUp(namespace, before.name, count, at)) {
        return remember(this.#written, key, { name: before.name, count });
      }
    }
    const suffix = event.shared === true ? hashOf(key, 16) : uniqueSuffix(this.#salt + key, at);
    const name = `${eventPrefix(object.name)}.${suffix}`;
    const body = this.#body({ name, namespace }, object, event, at);
    const creation = this.#options.client.create(eventType, body);
    const created = event.shared === true ? await unless(409, creation) : await creation;
    // Said by another process already; when its event has expired, the next one to say it writes it.
    if (created === undefined) return;
    remember(this.#written, key, { name, count: 1 });
  }

  /** False when the event has meanwhile expired (one hour by default). */
  async #countUp(namespace: string, name: string, count: number, at: number): Promise<boolean> {
    try {
      const ref = { type: eventType, namespace, name };
      await this.#options.client.patch(ref, { count, lastTimestamp: seconds(at) });
      return true;
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return false;
      throw error;
    }
  }

  #body(
    metadata: { name: string; namespace: string },
    object: InvolvedObject,
    event: EventText,
    at: number,
  ): KubeObject {
    const { component, host } = this.#options;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata,
      involvedObject: object,
      type: event.type,
      reason: event.reason,
      message: event.message.slice(0, longestMessage),
      source: { component, ...(host === undefined ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host ?? '',
      firstTimestamp: seconds(at),
      lastTimestamp: seconds(at),
      count: 1,
    };
  }
}

/** Short, and no part of something longer: thousands are kept. */
function identity(object: InvolvedObject, ...event: readonly string[]): string {
  const { apiVersion, kind, namespace, name, uid } = object;
  const all = JSON.stringify([apiVersion, kind, namespace, name, uid, ...event]);
  return createHash('sha256').update(all).digest().subarray(0, 18).toString('base64');
}

/** Names must not collide between processes: time and content. */
function uniqueSuffix(key: string, at: number): string {
  return `${Math.floor(at).toString(16)}${hashOf(key, 6)}`;
}

function hashOf(key: string, digits: number): string {
  return createHash('sha256').update(key).digest('hex').slice(0, digits);
}

/** Names of objects may be as long as a name can be: the suffix must fit behind them. */
function eventPrefix(name: string): string {
  return name.slice(0, 220).replace(/[-.]+$/, '');
}

/** metav1.Time. */
function seconds(unixMs: number): string {
  return new Date(unixMs).toISOString().replace(/\.\d+/, '');
}

function remember<T>(cache: Map<string, T>, key: string, value: T): void {
  cache.delete(key);
  cache.set(key, value);
  for (const oldest of cache.keys()) {
    if (cache.size <= remembered) break;
    cache.delete(oldest);
  }
}

function recall<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const value = cache.get(key) ?? make();
  remember(cache, key, value);
  return value;
}
