/** The runtime's own metrics, defined once. MetalLB's names are defined where they are set. */
import type { Counter, Gauge, Histogram, Metrics } from './types.ts';

export interface QueueMetrics {
  readonly depth: Gauge;
  readonly runs: Counter;
  readonly duration: Histogram;
}

export function queueMetrics(metrics: Metrics): QueueMetrics {
  return {
    depth: metrics.gauge({
      name: 'metallb_workqueue_depth',
      help: 'Keys waiting in the work queue, due or not.',
      labels: ['queue'],
    }),
    runs: metrics.counter({
      name: 'metallb_workqueue_runs_total',
      help: 'Handled keys by result: done, soon (conflict), backoff (failed, tried again), never (failed, waits for a change).',
      labels: ['queue', 'result'],
    }),
    duration: metrics.histogram({
      name: 'metallb_workqueue_run_duration_seconds',
      help: 'How long one key took.',
      labels: ['queue'],
      buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
    }),
  };
}

export interface RequestMetrics {
  readonly requests: Counter;
  readonly duration: Histogram;
}

export function requestMetrics(metrics: Metrics): RequestMetrics {
  return {
    requests: metrics.counter({
      name: 'metallb_k8s_client_requests_total',
      help: 'Calls of the API server by method and status code (0: no answer).',
      labels: ['method', 'code'],
    }),
    duration: metrics.histogram({
      name: 'metallb_k8s_client_request_duration_seconds',
      help: 'How long a call of the API server took; watches until their headers came.',
      labels: ['method'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    }),
  };
}

export interface WatchMetrics {
  readonly events: Counter;
  readonly restarts: Counter;
  readonly lastEvent: Gauge;
  readonly objects: Gauge;
}

export function watchMetrics(metrics: Metrics): WatchMetrics {
  return {
    events: metrics.counter({
      name: 'metallb_k8s_client_watch_events_total',
      help: 'Events that reflectors received, by kind of object and type of event.',
      labels: ['kind', 'type'],
    }),
    restarts: metrics.counter({
      name: 'metallb_k8s_client_watch_restarts_total',
      help: 'Ended watches and lists by kind of object and cause.',
      labels: ['kind', 'cause'],
    }),
    lastEvent: metrics.gauge({
      name: 'metallb_k8s_client_watch_last_event_timestamp_seconds',
      help: 'Unix time of the last event or bookmark.',
      labels: ['kind'],
    }),
    objects: metrics.gauge({
      name: 'metallb_k8s_client_store_objects',
      help: 'Objects kept in the store.',
      labels: ['kind'],
    }),
  };
}
