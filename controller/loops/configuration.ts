/**
 * The configuration: all objects at once to pools in force. Problems are isolated per object; each is told in the
 * log and as an Event on its object, the first one also in ConfigurationState (controller.md §4.1).
 */
import { isDeepStrictEqual } from 'node:util';
import type { Effects, Ipam } from '#core/ipam/ipam.ts';
import { brokenPools } from '#core/ipam/broken.ts';
import type { Pool, Problem } from '#core/model/config.ts';
import { Tellings } from '#core/status/tellings.ts';
import type { ServiceView } from '#core/model/views.ts';
import type { ControllerMetrics } from '#controller/metrics.ts';
import type { EventRecorder } from '#runtime/kube/events.ts';
import type { Logger } from '#runtime/log/logger.ts';

export interface Compiled {
  /** Those in force; an object that an edit has made faulty counts as it last was. */
  readonly pools: readonly Pool[];
  /** In the order in which they are to be told. */
  readonly problems: readonly Problem[];
  /** What is probably not meant, and takes nothing out. */
  readonly warnings: readonly Problem[];
}

export interface ConfigurationOptions {
  readonly ipam: Ipam;
  /** Everything in the stores, compiled. */
  readonly compile: () => Compiled;
  readonly services: () => Iterable<ServiceView>;
  /** Uid of the object of a problem, for its Event: by it `kubectl describe` finds the Event. */
  readonly uidOf: (object: Problem['object']) => string | undefined;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly metrics: ControllerMetrics;
  readonly logger: Logger;
  /** Other pools are in force: look at all Services. */
  readonly onChange: (effects: Effects) => void;
  /** The problems as they are now, after each run. */
  readonly onVerdict: (problems: readonly Problem[]) => void;
}

export class ConfigurationLoop {
  readonly #options: ConfigurationOptions;
  #pools: readonly Pool[] | undefined;
  #broken: ReadonlySet<string> = new Set();
  readonly #tellings = new Tellings();

  constructor(options: ConfigurationOptions) {
    this.#options = options;
  }

  /** Compiles and, if the pools differ from those in force, hands them over. Synchronous. */
  reconcile(): void {
    const { ipam, compile, services, metrics, logger, onChange, onVerdict } = this.#options;
    metrics.updates.inc();
    const { pools, problems, warnings } = compile();
    const broken = brokenPools(problems);
    this.#tell(problems, warnings);
    if (!isDeepStrictEqual(pools, this.#pools) || !isDeepStrictEqual(broken, this.#broken)) {
      this.#pools = pools;
      this.#broken = broken;
      logger.info('configuration in force', { pools: pools.map((pool) => pool.name), broken: [...broken] });
      onChange(ipam.configure(pools, services(), broken));
    }
    metrics.configLoaded.set({}, 1);
    metrics.configStale.set({}, problems.length === 0 ? 0 : 1);
    onVerdict(problems);
  }

  /** New ones only. The speakers see the same objects and tell the same: one Event is enough. */
  #tell(problems: readonly Problem[], warnings: readonly Problem[]): void {
    const { events, logger, uidOf } = this.#options;
    for (const { level, line, fields, object, event } of this.#tellings.news(problems, warnings)) {
      logger[level](line, fields);
      events.record({ ...object, uid: uidOf(object) }, { ...event, shared: true });
    }
  }
}
