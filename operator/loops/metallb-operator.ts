/**
 * The reconcile loop: one key per MetalLB object, and the key of the one that counts for every change of what we
 * made. It reads the stores, decides by pure functions, applies what differs, and says in the conditions how it went.
 */
import { metallbResources } from '#core/api/resources.ts';
import { AppError } from '#core/errors.ts';
import { validateMetalLB, wrongName, wrongNamespace } from '#core/config/metallb-rules.ts';
import { metallbName } from '#core/config/metallb.ts';
import {
  metallbConditions,
  sameConditions,
  type Condition,
  type MetalLBVerdict,
} from '#core/status/metallb-conditions.ts';
import { metaOf, OperatorBase } from '#operator/operator-base.ts';
import type { Cluster } from '#operator/loops/cluster.ts';
import { fieldManager, Syncer, type SyncResult } from '#operator/loops/sync.ts';
import { LeftConfigurations } from '#operator/loops/left-configurations.ts';
import { foreignNamespace, incorrectName, invalidSpec, verdictOf } from '#operator/loops/verdict.ts';
import { conditionsOf, daemonSetView, deploymentView, specOf } from '#operator/loops/views.ts';
import { effectiveBackend, engineMessage } from '#operator/render/backend.ts';
import type { OwnerReference, RenderOptions } from '#operator/render/manifest.ts';
import { render, type Owners } from '#operator/render/render.ts';
import type { EventRecorder } from '#runtime/kube/events.ts';
import type { KubeClient, KubeObject } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Gauge, Metrics } from '#runtime/metrics/types.ts';
import { done, type Outcome } from '#runtime/queue/types.ts';

export interface MetalLBOperatorParts {
  readonly client: KubeClient;
  readonly cluster: Cluster;
  readonly options: RenderOptions;
  /** Owner of what is cluster-scoped. */
  readonly clusterOwner: OwnerReference;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Puts a key on the queue that calls `reconcile`. */
  readonly enqueue: (key: string) => void;
  /** Told the conditions of the object that counts, or that there is none, whenever they may be other ones. */
  readonly onConditions?: ((conditions: readonly Condition[] | undefined) => void) | undefined;
  /** RFC 3339 with seconds. */
  readonly now: () => string;
}

/** The operator of MetalLB objects, in the frame of the library. */
export class MetalLBOperator extends OperatorBase {
  readonly #parts: MetalLBOperatorParts;
  readonly #syncer: Syncer;
  readonly #left: LeftConfigurations;
  readonly #conditions: Gauge;
  /** Last verdict by key: log and events tell changes only. */
  readonly #said = new Map<string, string>();

  constructor(parts: MetalLBOperatorParts) {
    const { client, cluster, logger, metrics } = parts;
    super({ client, watch: () => cluster.metallbs, logger, fieldManager, types: [metallbResources.MetalLB] });
    this.#parts = parts;
    const writes = metrics.counter({
      name: 'metallb_operator_writes_total',
      help: 'Objects written by kind and action: applied (new or changed by us), repaired (drifted), deleted.',
      labels: ['kind', 'action'],
    });
    this.#conditions = metrics.gauge({
      name: 'metallb_operator_condition',
      help: 'Conditions of the MetalLB object: 1 where True.',
      labels: ['type'],
    });
    this.#syncer = new Syncer({ client, inventory: cluster, logger, writes });
    this.#left = new LeftConfigurations({ client, namespace: parts.options.namespace, logger });
  }

  /** Called by the library's start: from here on every change leads to a reconcile. */
  protected override async init(): Promise<void> {
    const { cluster, enqueue, options } = this.#parts;
    const { group, version, plural } = metallbResources.MetalLB;
    const theOne = `${options.namespace}/${metallbName}`;
    cluster.onChange((kind, name) => {
      this.#syncer.seen(kind, name);
      enqueue(theOne);
    });
    await this.watchResource(
      group,
      version,
      plural,
      ({ meta }) => {
        enqueue(`${meta.namespace}/${meta.name}`);
        return Promise.resolve();
      },
      options.namespace,
    );
    cluster.foreign.onChange(({ key }) => enqueue(key));
    for (const key of [...cluster.metallbs.keys(), ...cluster.foreign.keys()]) enqueue(key);
    // Without the object there is no event, but perhaps something of it is left.
    enqueue(theOne);
  }

  /** Handles one key. Throws AppError when something could not be written, after saying so in the conditions. */
  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const { cluster, options } = this.#parts;
    const object = cluster.metallbs.get(key) ?? cluster.foreign.get(key);
    if (object === undefined) return this.#gone(key, signal);
    // Being deleted in the foreground: the garbage collector takes our objects, so make no new ones.
    if (object.metadata['deletionTimestamp'] !== undefined) return done;
    const { name, namespace = '' } = object.metadata;
    const spec = specOf(object);
    const context = { namespace, name, externalNamespace: options.externalNamespace };
    const misplaced = wrongNamespace(context, options.namespace);
    if (misplaced !== undefined) return this.#sayElsewhere(object, foreignNamespace(misplaced));
    const misnamed = wrongName(context);
    if (misnamed !== undefined) return this.#say(object, incorrectName(misnamed));
    const problems = validateMetalLB(spec, context);
    if (problems.length > 0) return this.#say(object, invalidSpec(problems));
    const result = await this.#syncer.sync(render(spec, options, this.#owners(object)), signal);
    const backend = effectiveBackend(spec, options);
    const verdict = verdictOf(result, this.#workloads(result), engineMessage(backend));
    await this.#say(object, verdict);
    if (backend === 'frr-k8s-external') this.#left.mayExist();
    else if (verdict.kind === 'available') await this.#left.remove(signal);
    return this.#outcome(result);
  }

  async #gone(key: string, signal: AbortSignal): Promise<Outcome> {
    this.#said.delete(key);
    if (key !== `${this.#parts.options.namespace}/${metallbName}`) return done;
    this.#parts.onConditions?.(undefined);
    const result = await this.#syncer.sync([], signal);
    // A speaker that still runs would put its object back.
    const isQuiet = ![...this.#parts.cluster.pods.values()].some(({ component }) => component === 'speaker');
    if (isQuiet) await this.#left.remove(signal);
    return this.#outcome(result);
  }

  #outcome(result: SyncResult): Outcome {
    const [first] = result.failures;
    if (first === undefined) return done;
    const cause = first.error;
    const message = `${result.failures.length} objects could not be written, first ${first.object}`;
    throw cause instanceof AppError
      ? new AppError(cause.code, message, { retry: 'backoff', retryAfterMs: cause.retryAfterMs, cause })
      : new AppError('BUG', message, { retry: 'backoff', cause });
  }

  #workloads(result: SyncResult) {
    const controller = result.live.get('Deployment/controller');
    const speaker = result.live.get('DaemonSet/speaker');
    return {
      controller: controller && deploymentView(controller),
      speaker: speaker && daemonSetView(speaker),
      pods: [...this.#parts.cluster.pods.values()],
    };
  }

  #owners(object: KubeObject): Owners {
    return {
      namespaced: {
        apiVersion: 'metallb.io/v1beta1',
        blockOwnerDeletion: true,
        controller: true,
        kind: 'MetalLB',
        name: object.metadata.name,
        uid: object.metadata.uid ?? '',
      },
      cluster: this.#parts.clusterOwner,
    };
  }

  /** Another operator may act there: whoever has said something about the object goes on doing so. */
  async #sayElsewhere(object: KubeObject, verdict: MetalLBVerdict): Promise<Outcome> {
    const stored = conditionsOf(object);
    const isOurs = stored.some(({ message }) => message === verdict.message);
    return stored.length === 0 || isOurs ? this.#say(object, verdict) : done;
  }

  /** Writes the conditions if they say something new. */
  async #say(object: KubeObject, verdict: MetalLBVerdict): Promise<Outcome> {
    this.#tell(object, verdict);
    const previous = conditionsOf(object);
    const generation = object.metadata.generation ?? 0;
    const conditions = metallbConditions(verdict, previous, { generation, now: this.#parts.now() });
    const { name, namespace } = object.metadata;
    if (name === metallbName && namespace === this.#parts.options.namespace) {
      for (const { type, status } of conditions) this.#conditions.set({ type }, status === 'True' ? 1 : 0);
      this.#parts.onConditions?.(conditions);
    }
    if (sameConditions(conditions, previous)) return done;
    await this.patchResourceStatus(metaOf(metallbResources.MetalLB, object), { conditions });
    return done;
  }

  /** Log and event, when the verdict is another than last time; what pods do meanwhile is in the condition only. */
  #tell(object: KubeObject, verdict: MetalLBVerdict): void {
    const { logger, events } = this.#parts;
    const { namespace, name, uid } = object.metadata;
    const key = `${namespace}/${name}`;
    const aboutPods =
      verdict.kind === 'progressing' || (verdict.kind === 'degraded' && verdict.reason === 'PodsFailing');
    const text = aboutPods ? verdict.reason : JSON.stringify(verdict);
    if (this.#said.get(key) === text) return;
    this.#said.set(key, text);
    const bad = verdict.kind === 'degraded';
    logger[bad ? 'warn' : 'info']('verdict', { metallb: key, ...verdict });
    const about = { apiVersion: 'metallb.io/v1beta1', kind: 'MetalLB', namespace, name, uid };
    const reason = verdict.kind === 'available' ? 'Available' : verdict.reason;
    events.record(about, { type: bad ? 'Warning' : 'Normal', reason, message: verdict.message });
  }
}
