/**
 * Keeps the FRRConfiguration of this node as it should be (speaker-bgp.md §8.1): the external frr-k8s on the node does
 * BGP by it. The first change is written at once, further ones are gathered while a write is under way. In steady
 * state nothing is written. Before the first complete pass over all Services nothing is touched, so a restart
 * never takes routes away (W31).
 */
import { AppError, BugError } from '#core/errors.ts';
import {
  frrConfiguration,
  neighborsText,
  type BuiltConfiguration,
  type ConfigurationContext,
  type NeighborSpec,
} from '#core/frrk8s/configuration.ts';
import { droppedNotes } from '#core/frrk8s/losses.ts';
import {
  configurationLabels,
  configurationName,
  frrConfigurationType as type,
  lostFields,
  meaningOf,
  type ConfigurationView,
} from '#core/frrk8s/object.ts';
import type { OtherConfiguration } from '#core/frrk8s/others.ts';
import type { FrrModel } from '#core/frr/model.ts';
import type { NodeView } from '#core/model/views.ts';
import type { KubeClient, KubeObject, Store, WriteOptions } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import { done, type Clock, type Outcome, type WorkQueue } from '#runtime/queue/types.ts';
import { isolatePeers, isRefusal } from '#speaker/frrk8s/isolate.ts';
import { Pace } from '#speaker/frrk8s/pace.ts';
import { pruneVanished } from '#speaker/frrk8s/vanished.ts';
import { untouchedFrr, type BgpPort, type FrrState } from '#speaker/ports.ts';

export interface WriterOptions {
  readonly client: KubeClient;
  /** The object of this node alone; not synced while the kind is not installed. */
  readonly own: Store<ConfigurationView>;
  /** The objects of `namespace` that no speaker wrote. */
  readonly others: Store<OtherConfiguration>;
  readonly nodes: Store<NodeView>;
  readonly nodeName: string;
  /** Where frr-k8s runs. */
  readonly namespace: string;
  /** Our own namespace. */
  readonly installation: string;
  readonly passwords: ConfigurationContext['passwords'];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const DRAIN_MS = 1000;
/** After a refusal that only others can end. */
const AGAIN_MS = 30_000;
/** Peers that were refused are tried again. */
const REFUSED_AGAIN_MS = 300_000;

/** What the API server made of what was wanted. */
interface Accepted {
  readonly wanted: string;
  readonly stored: string;
}

/** Peers the API server refuses, with its words, and what all neighbours were like then. */
interface Left {
  readonly peers: ReadonlyMap<string, string>;
  readonly neighbors: string;
}

const NONE_LEFT: Left = { peers: new Map(), neighbors: '' };

export class FrrK8sWriter implements BgpPort {
  readonly #options: WriterOptions;
  readonly #queue: WorkQueue;
  readonly #vanished: WorkQueue;
  readonly #name: string;
  readonly #pace: Pace;
  readonly #listeners: ((state: FrrState) => void)[] = [];
  #state: FrrState = untouchedFrr;
  #model: FrrModel | undefined;
  #built: BuiltConfiguration | undefined;
  #accepted: Accepted | undefined;
  #left = NONE_LEFT;
  /** The object was there by our will: without sessions it stays, empty (#147). */
  #isOurs = false;
  /** Changes of the object that the store has told of. */
  #seen = 0;
  /** The store has still to tell of our last write. */
  #isAwaited = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    const { logger, metrics, clock, own, others, nodeName } = options;
    this.#name = configurationName(nodeName);
    this.#pace = new Pace(clock);
    this.#queue = createQueue({
      name: 'frr-configuration',
      handler: (key, signal) => this.#handle(key, signal),
      logger,
      metrics,
      clock,
    });
    this.#vanished = pruneVanished(options);
    own.onChange(() => {
      this.#seen += 1;
      this.#isAwaited = false;
      this.#queue.add('write', { after: this.#pace.untilRepair() });
    });
    others.onChange(() => this.#othersChanged());
    for (const store of [own, others]) void store.synced.then(() => this.#kick());
  }

  get state(): FrrState {
    return this.#state;
  }

  onState(listener: (state: FrrState) => void): void {
    this.#listeners.push(listener);
  }

  setDesired(model: FrrModel): void {
    this.#model = model;
    this.#rebuild();
  }

  async close(): Promise<void> {
    await Promise.all([this.#queue.drain(DRAIN_MS), this.#vanished.drain(0)]);
  }

  /** Works out the object; a new generation when it says something else. */
  #rebuild(): void {
    const built = this.#build(new Set());
    if (built === undefined) return;
    const before = this.#built;
    this.#built = built;
    const isSame = before !== undefined && meaningOf(before.spec) === meaningOf(built.spec);
    if (isSame && meaningOf(before.refused) === meaningOf(built.refused)) return;
    if (!isSame) this.#update({ desired: this.#state.desired + 1 });
    this.#kick();
  }

  /** Undefined while the Node is not known, and before the first model. */
  #build(without: ReadonlySet<string>): BuiltConfiguration | undefined {
    const { nodes, nodeName, others, passwords } = this.#options;
    const node = nodes.get(nodeName);
    if (this.#model === undefined || node === undefined) return undefined;
    return frrConfiguration(this.#model, { node, passwords, others: [...others.values()], without });
  }

  #kick(): void {
    this.#queue.add('write', { after: this.#pace.untilNext() });
  }

  /** What was refused may be taken now, and a router identifier may be needed or in the way. */
  #othersChanged(): void {
    const isWaiting = this.#left.peers.size > 0 || this.#state.lastError !== undefined;
    this.#left = NONE_LEFT;
    this.#rebuild();
    if (isWaiting) this.#kick();
  }

  async #handle(key: string, signal: AbortSignal): Promise<Outcome> {
    const { own, others, logger, clock } = this.#options;
    if (this.#built === undefined) return done;
    if (key === 'again') this.#left = NONE_LEFT;
    if (!own.isSynced || !others.isSynced) {
      const lastError = `${type.plural}.${type.group} cannot be read: is frr-k8s installed?`;
      this.#update(this.#wantsObject() ? { lastError } : { applied: this.#state.desired });
      return done;
    }
    const started = clock.now();
    try {
      await this.#converge(signal);
      this.#update({ lastDurationMs: clock.now() - started });
      if (this.#left.peers.size > 0) this.#queue.add('again', { after: REFUSED_AGAIN_MS });
      return done;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#update({ lastError: error.message });
      if (error.retry !== 'never') throw error;
      logger.error('FRRConfiguration cannot be written', { name: this.#name, error, retryInMs: AGAIN_MS });
      return { kind: 'after', ms: AGAIN_MS };
    }
  }

  #wantsObject(): boolean {
    const { routers = [], bfdProfiles = [] } = this.#built?.spec.bgp ?? {};
    return this.#isOurs || routers.length + bfdProfiles.length > 0;
  }

  async #converge(signal: AbortSignal): Promise<void> {
    const { own, namespace } = this.#options;
    const generation = this.#state.desired;
    const existing = own.get(`${namespace}/${this.#name}`);
    if (!this.#wantsObject()) {
      if (existing !== undefined) await this.#delete(signal);
      return this.#succeed(generation, this.#wanted());
    }
    const wanted = this.#wanted();
    const meaning = meaningOf(wanted.spec);
    const accepted = this.#accepted?.wanted === meaning ? this.#accepted.stored : undefined;
    if (existing !== undefined && isRight(existing, [meaning, accepted])) {
      this.#isOurs = true;
      return this.#succeed(generation, wanted);
    }
    if (accepted !== undefined && this.#isAwaited) return;
    if (accepted !== undefined) this.#noteRepair();
    await this.#write(generation, signal);
  }

  #noteRepair(): void {
    const { logger } = this.#options;
    logger.warn('FRRConfiguration was changed by somebody else; putting it back', { name: this.#name });
    this.#update({ repairs: this.#state.repairs + 1 });
    this.#pace.noteRepair();
  }

  async #delete(signal: AbortSignal): Promise<void> {
    const { client, namespace, logger } = this.#options;
    await unless(404, client.delete({ type, namespace, name: this.#name }, { signal }));
    logger.info('FRRConfiguration deleted: this node has no peers', { name: this.#name });
  }

  /** The object without the peers that are known to be refused. */
  #wanted(): BuiltConfiguration {
    const built = this.#built;
    if (built === undefined) throw new BugError('an object is looked at before it is known');
    const { peers, neighbors } = this.#left;
    if (peers.size === 0) return built;
    if (neighborsText(built.spec) !== neighbors) this.#left = NONE_LEFT;
    return this.#build(new Set(this.#left.peers.keys())) ?? built;
  }

  async #write(generation: number, signal: AbortSignal): Promise<void> {
    this.#pace.noteWrite();
    try {
      await this.#put(this.#wanted(), generation, signal);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await this.#findRefused(error.message, signal);
      await this.#put(this.#wanted(), generation, signal);
    }
  }

  /** The object was refused as a whole: whose peer is it? */
  async #findRefused(message: string, signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const built = this.#built;
    logger.warn('FRRConfiguration refused, looking for the peers that are to blame', { message });
    const refused = await isolatePeers(built?.peers.flat().sort() ?? [], async (without) => {
      const reduced = this.#build(without);
      if (reduced !== undefined) await this.#send(reduced, { dryRun: true, signal });
    });
    if (built === undefined || refused === undefined) throw new AppError('KUBE', message, { retry: 'never' });
    for (const [peer, words] of refused) logger.error('a neighbour is refused', { peer, message: words });
    this.#left = { peers: refused, neighbors: neighborsText(built.spec) };
  }

  async #put(built: BuiltConfiguration, generation: number, signal: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const seen = this.#seen;
    const { before, now } = await this.#send(built, { signal });
    // A write that changes nothing is told to nobody.
    const isChange = before?.metadata.resourceVersion !== now.metadata.resourceVersion;
    this.#isAwaited = isChange && this.#seen === seen;
    this.#isOurs = true;
    this.#accepted = { wanted: meaningOf(built.spec), stored: meaningOf(now['spec']) };
    logger.info('FRRConfiguration written', { name: this.#name, generation });
    logger.debug('content of the FRRConfiguration', { routers: withoutPasswords(built) });
    this.#noteDropped(built, lostFields(built.spec, now['spec']));
    this.#succeed(generation, built);
  }

  /** Creates the object, or replaces its spec and leaves the rest of it alone. */
  async #send(
    { spec }: BuiltConfiguration,
    options: WriteOptions,
  ): Promise<{ readonly before: KubeObject | undefined; readonly now: KubeObject }> {
    const { client, namespace, nodeName, installation } = this.#options;
    const ref = { type, namespace, name: this.#name };
    const labels = configurationLabels(nodeName, installation);
    const before = await unless(404, client.get(ref, options.signal));
    if (before === undefined) {
      const metadata = { namespace, name: this.#name, labels };
      return { before, now: await client.create(type, { metadata, spec }, options) };
    }
    const metadata = { ...before.metadata, labels: { ...before.metadata.labels, ...labels } };
    return { before, now: await client.replace(ref, { ...before, metadata, spec }, options) };
  }

  #noteDropped({ peers }: BuiltConfiguration, paths: readonly string[]): void {
    const notes = droppedNotes(paths, peers);
    if (notes.rest.length > 0)
      this.#options.logger.warn('the FRRConfiguration kind in this cluster lacks fields', {
        fields: notes.rest,
      });
    this.#update({ partial: notes.peers });
  }

  #succeed(generation: number, { refused }: BuiltConfiguration): void {
    const left = [...this.#left.peers].map(([peer, message]) => ({ peer, message }));
    this.#update({ applied: generation, lastError: undefined, refused: [...refused, ...left] });
  }

  #update(part: Partial<FrrState>): void {
    this.#state = { ...this.#state, ...part };
    for (const listener of this.#listeners) listener(this.#state);
  }
}

/** Is what is stored one of these, and ours to recognise? */
function isRight(
  { spec, isLabelled }: ConfigurationView,
  meanings: readonly (string | undefined)[],
): boolean {
  return isLabelled && meanings.includes(meaningOf(spec));
}

function withoutPasswords({ spec }: BuiltConfiguration): unknown {
  const neighbor = (each: NeighborSpec) =>
    each.password === undefined ? each : { ...each, password: '<hidden>' };
  return spec.bgp.routers.map((router) => ({ ...router, neighbors: router.neighbors.map(neighbor) }));
}
