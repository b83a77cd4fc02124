/** Metrics behind an interface: only runtime/metrics/registry.ts knows prom-client. */

export type LabelValues = Readonly<Record<string, string>>;

export interface Counter {
  inc(labels?: LabelValues, by?: number): void;
  /** Sets an absolute value (for counters read from elsewhere, e.g. FRR). Series with equal labels are replaced. */
  set(labels: LabelValues, value: number): void;
  remove(labels: LabelValues): void;
}

export interface Gauge {
  set(labels: LabelValues, value: number): void;
  remove(labels: LabelValues): void;
  /** Drops all series. */
  reset(): void;
}

export interface Histogram {
  /** Seconds, unless the metric's name says otherwise. */
  observe(labels: LabelValues, value: number): void;
}

export interface MetricSpec {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly buckets?: readonly number[];
}

export interface Metrics {
  counter(spec: MetricSpec): Counter;
  gauge(spec: MetricSpec): Gauge;
  histogram(spec: MetricSpec): Histogram;
  /** Runs before each scrape: for gauges derived from stores. */
  onCollect(update: () => void): void;
  /** Prometheus text format. */
  expose(): Promise<string>;
}
