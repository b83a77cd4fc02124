/** Metrics on prom-client, which only this file knows. */
import client from 'prom-client';
import type { Counter, Gauge, Histogram, LabelValues, MetricSpec, Metrics } from './types.ts';

/** A registry of its own per program; `processMetrics` adds memory, CPU, event loop delay and GC. */
export function createMetrics(options: { processMetrics?: boolean } = {}): Metrics {
  const registry = new client.Registry();
  if (options.processMetrics === true) client.collectDefaultMetrics({ register: registry });
  return new PrometheusMetrics(registry);
}

class PrometheusMetrics implements Metrics {
  readonly #registry: client.Registry;
  readonly #known = new Map<string, Counter | Gauge | Histogram>();
  readonly #updates: (() => void)[] = [];

  constructor(registry: client.Registry) {
    this.#registry = registry;
  }

  counter(spec: MetricSpec): Counter {
    return this.#once(spec.name, () => counterOf(new client.Counter(this.#configuration(spec))));
  }

  gauge(spec: MetricSpec): Gauge {
    return this.#once(spec.name, () => gaugeOf(new client.Gauge(this.#configuration(spec))));
  }

  histogram(spec: MetricSpec): Histogram {
    return this.#once(spec.name, () => {
      const buckets = spec.buckets === undefined ? {} : { buckets: [...spec.buckets] };
      const metric = new client.Histogram({ ...this.#configuration(spec), ...buckets });
      return { observe: (labels, value) => metric.observe({ ...labels }, value) };
    });
  }

  onCollect(update: () => void): void {
    this.#updates.push(update);
  }

  expose(): Promise<string> {
    for (const update of this.#updates) update();
    return this.#registry.metrics();
  }

  #configuration(spec: MetricSpec) {
    return {
      name: spec.name,
      help: spec.help,
      labelNames: [...(spec.labels ?? [])],
      registers: [this.#registry],
    };
  }

  /** A name asked for again is the same metric: each reflector and queue asks for its own. */
  #once<M extends Counter | Gauge | Histogram>(name: string, make: () => M): M {
    const known = this.#known.get(name) as M | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#known.set(name, made);
    return made;
  }
}

function counterOf(metric: client.Counter): Counter {
  return {
    inc: (labels: LabelValues = {}, by = 1) => metric.inc({ ...labels }, by),
    set: (labels, value) => {
      metric.remove({ ...labels });
      metric.inc({ ...labels }, value);
    },
    remove: (labels) => metric.remove({ ...labels }),
  };
}

function gaugeOf(metric: client.Gauge): Gauge {
  return {
    set: (labels, value) => metric.set({ ...labels }, value),
    remove: (labels) => metric.remove({ ...labels }),
    reset: () => metric.reset(),
  };
}
