/**
 * The condition Accepted on peers, advertisements, BFD profiles and communities. Only who leads does this, and nothing
 * waits for it: where a kind, its status or a right is missing, it is off for that kind and said once.
 */
import { isDeepStrictEqual } from 'node:util';
import { metallbResources } from '#core/api/resources.ts';
import { compileKeeping, type LastGood } from '#core/config/keep.ts';
import type { Parsed } from '#core/config/parse.ts';
import { noResources, type ClusterResources } from '#core/config/resources.ts';
import type { NamespaceView } from '#core/model/views.ts';
import {
  acceptedKinds,
  findingsByObject,
  newAccepted,
  storedAccepted,
  type AcceptedCondition,
  type AcceptedKind,
  type Findings,
} from '#core/status/accepted.ts';
import { wholeSeconds } from '#core/status/transition.ts';
import type { AcceptanceStores, JudgedView } from '#controller/loops/accepted-views.ts';
import { apiVersion } from '#runtime/kube/paths.ts';
import { KubeError, type KubeClient, type Store } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Counter } from '#runtime/metrics/types.ts';
import { done, type Outcome, type WorkQueue } from '#runtime/queue/types.ts';

export interface AcceptanceOptions {
  readonly stores: AcceptanceStores;
  readonly pools: Pick<Store<{ readonly parsed: Parsed<'IPAddressPool'> }>, 'values'>;
  readonly namespaces: Pick<Store<NamespaceView>, 'values'>;
  readonly namespace: string;
  /** What is in the Secrets of peers is not judged. */
  readonly secretPassthrough: boolean;
  readonly client: Pick<KubeClient, 'apply'>;
  readonly writes: Counter;
  readonly logger: Logger;
  readonly now: () => Date;
  /** Its handler is `reconcile`. */
  readonly queue: Pick<WorkQueue, 'add'>;
}

/** The key that means all objects; the others are `Kind/name`. */
const ALL = 'all';
/** The key that means: kinds that were off are tried again. */
const RETRY = 'retry';
/** Objects that are applied together are judged together. */
const JUDGE_AFTER_MS = 100;
/** A CRD or a role that was brought up to date later is noticed within this time. */
const RETRY_MS = 10 * 60_000;

export class AcceptanceLoop {
  readonly #options: AcceptanceOptions;
  readonly #off = new Set<AcceptedKind>();
  readonly #told = new Set<AcceptedKind>();
  #isComplete = false;
  #findings: ReadonlyMap<string, Findings> | undefined;
  #lastGood: LastGood = new Map();

  constructor(options: AcceptanceOptions) {
    this.#options = options;
    const { stores, queue } = options;
    for (const kind of acceptedKinds) {
      stores.objects[kind].onChange(({ key, old, now }) => {
        if (isDeepStrictEqual(old?.parsed, now?.parsed)) queue.add(`${kind}/${nameIn(key)}`);
        else this.configurationChanged();
      });
    }
    stores.secrets.onChange(() => this.configurationChanged());
    void stores.complete.then(() => {
      this.#isComplete = true;
      this.configurationChanged();
    });
  }

  /** Something is different by which objects are judged. */
  configurationChanged(): void {
    if (this.#isComplete) this.#options.queue.add(ALL, { after: JUDGE_AFTER_MS });
  }

  /** Judges all, or writes the condition of one object if it is not there yet. */
  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    if (key === ALL) this.#judge();
    else if (key === RETRY) this.#off.clear();
    else return this.#write(key, signal);
    this.#addUnwritten();
    return done;
  }

  #judge(): void {
    const { lastGood, ...kept } = compileKeeping(this.#resources(), { kind: 'cluster' }, this.#lastGood);
    this.#lastGood = lastGood;
    this.#findings = findingsByObject(kept);
  }

  #addUnwritten(): void {
    const { stores, queue } = this.#options;
    for (const kind of acceptedKinds)
      for (const stored of stores.objects[kind].keys()) {
        const key = `${kind}/${nameIn(stored)}`;
        if (this.#wanted(key) !== undefined) queue.add(key);
      }
  }

  #resources(): ClusterResources {
    const { stores, pools, namespaces, namespace, secretPassthrough } = this.#options;
    const { objects } = stores;
    return {
      ...noResources(namespace),
      secretPassthrough,
      pools: [...pools.values()].map((view) => view.parsed),
      namespaces: [...namespaces.values()],
      secrets: [...stores.secrets.values()],
      peers: parsed(objects.BGPPeer),
      bfdProfiles: parsed(objects.BFDProfile),
      bgpAdvertisements: parsed(objects.BGPAdvertisement),
      l2Advertisements: parsed(objects.L2Advertisement),
      communities: parsed(objects.Community),
    };
  }

  /** What has to be written; undefined also while the object is gone, not judged yet, or its kind is off. */
  #wanted(key: string): AcceptedCondition | undefined {
    const [kind, name] = split(key);
    const { stores, namespace, now } = this.#options;
    const view = stores.objects[kind].get(`${namespace}/${name}`);
    if (view === undefined || this.#findings === undefined || this.#off.has(kind)) return undefined;
    return newAccepted(this.#findings.get(key), view, wholeSeconds(now()));
  }

  async #write(key: string, signal: AbortSignal): Promise<Outcome> {
    const condition = this.#wanted(key);
    if (condition === undefined) return done;
    const [kind, name] = split(key);
    const { client, namespace, writes } = this.#options;
    const type = metallbResources[kind];
    const identity = { apiVersion: apiVersion(type), kind, metadata: { namespace, name } };
    try {
      const answer = await client.apply(
        { type, namespace, name },
        { ...identity, status: { conditions: [condition] } },
        { fieldManager: 'controller', subresource: 'status', signal },
      );
      writes.inc({ kind });
      if (storedAccepted(answer['status']) === undefined) this.#switchOff(kind, 'its CRD has no such status');
    } catch (error) {
      if (!(error instanceof KubeError) || !isForGood(error)) throw error;
      if (error.status !== 404) this.#switchOff(kind, error.message);
    }
    return done;
  }

  #switchOff(kind: AcceptedKind, why: string): void {
    this.#off.add(kind);
    this.#options.queue.add(RETRY, { after: RETRY_MS });
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#options.logger.warn(
      'the condition Accepted is off for a kind: its CRD or our role is of an older release',
      { kind, why },
    );
  }
}

/** The object is gone (404), or the API server will not take the condition until somebody changes the CRD or a role. */
function isForGood({ status, message }: KubeError): boolean {
  return status === 404 || status === 403 || message.includes('field not declared in schema');
}

function parsed<K extends AcceptedKind>(store: Store<JudgedView<K>>): Parsed<K>[] {
  return [...store.values()].map((view) => view.parsed);
}

function nameIn(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

function split(key: string): [AcceptedKind, string] {
  const cut = key.indexOf('/');
  return [key.slice(0, cut) as AcceptedKind, key.slice(cut + 1)];
}
