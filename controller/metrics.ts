/** The controller's metrics under MetalLB's names (controller.md §3.10), and a few of our own. */
import type { Ipam } from '#core/ipam/ipam.ts';
import type { FamilyCounters } from '#core/ipam/pool-state.ts';
import type { Counter, Gauge, Histogram, Metrics } from '#runtime/metrics/types.ts';

export interface ControllerMetrics {
  readonly updates: Counter;
  readonly updateErrors: Counter;
  readonly configLoaded: Gauge;
  readonly configStale: Gauge;
  /** From hearing of a Service, or of what it waited for, to the write of its address. */
  readonly allocationSeconds: Histogram;
  readonly statusWrites: Counter;
}

export function controllerMetrics(metrics: Metrics, ipam: Ipam): ControllerMetrics {
  poolGauges(metrics, ipam);
  const waiting = metrics.gauge({
    name: 'metallb_allocator_services_waiting',
    help: 'Services that wait for an address, by what they wait for.',
    labels: ['reason'],
  });
  metrics.onCollect(() => {
    waiting.reset();
    for (const [reason, count] of ipam.waiting.counts()) waiting.set({ reason }, count);
  });
  const all: ControllerMetrics = {
    updates: metrics.counter({
      name: 'metallb_k8s_client_updates_total',
      help: 'Reconciles of single Services and of the configuration.',
    }),
    updateErrors: metrics.counter({
      name: 'metallb_k8s_client_update_errors_total',
      help: 'Reconciles that failed.',
    }),
    configLoaded: metrics.gauge({
      name: 'metallb_k8s_client_config_loaded_bool',
      help: '1 once a configuration was in force.',
    }),
    configStale: metrics.gauge({
      name: 'metallb_k8s_client_config_stale_bool',
      help: '1 while some object of the configuration cannot be used.',
    }),
    allocationSeconds: metrics.histogram({
      name: 'metallb_allocator_allocation_duration_seconds',
      help: 'From hearing of a Service without address, or of what it waited for, to having written one.',
      buckets: [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    }),
    statusWrites: metrics.counter({
      name: 'metallb_k8s_client_status_writes_total',
      help: 'Status writes by kind of object.',
      labels: ['kind'],
    }),
  };
  all.updates.inc({}, 0);
  all.updateErrors.inc({}, 0);
  all.configLoaded.set({}, 0);
  all.configStale.set({}, 0);
  return all;
}

function poolGauges(metrics: Metrics, ipam: Ipam): void {
  const gauge = (name: string, help: string): Gauge =>
    metrics.gauge({ name: `metallb_allocator_${name}`, help, labels: ['pool'] });
  const total = gauge('addresses_total', 'Usable addresses of the pool.');
  const total4 = gauge('ipv4_addresses_total', 'Usable IPv4 addresses of the pool.');
  const total6 = gauge('ipv6_addresses_total', 'Usable IPv6 addresses of the pool.');
  const used = gauge('addresses_in_use_total', 'Addresses of the pool in use; a shared one counts once.');
  const used4 = gauge('ipv4_addresses_in_use_total', 'IPv4 addresses of the pool in use.');
  const used6 = gauge('ipv6_addresses_in_use_total', 'IPv6 addresses of the pool in use.');
  const services = gauge('services_allocated_total', 'Services that have addresses of the pool.');
  const reserved = gauge('addresses_reserved', 'Addresses that are reserved and that nobody uses.');
  const gauges = [reserved, total, total4, total6, used, used4, used6, services];
  metrics.onCollect(() => {
    for (const one of gauges) one.reset();
    for (const { name } of ipam.allocations.pools) {
      const { ipv4, ipv6 } = ipam.allocations.counters(name) ?? none;
      const pool = { pool: name };
      total.set(pool, Math.min(Number(ipv4.capacity + ipv6.capacity), Number(MAX)));
      total4.set(pool, Number(ipv4.capacity));
      total6.set(pool, Number(ipv6.capacity));
      used.set(pool, Number(ipv4.inUse + ipv6.inUse));
      used4.set(pool, Number(ipv4.inUse));
      used6.set(pool, Number(ipv6.inUse));
      reserved.set(pool, Number(ipv4.reserved + ipv6.reserved));
      services.set(pool, ipam.allocations.serviceCount(name));
    }
  });
}

const MAX = 9223372036854775807n;
const zero: FamilyCounters = { capacity: 0n, inUse: 0n, reserved: 0n };
const none = { ipv4: zero, ipv6: zero };
