/** How the FRRConfiguration of this node is; the sessions themselves are metrics of frr-k8s (speaker-bgp.md §6.5). */
import type { Gauge, Metrics } from '#runtime/metrics/types.ts';
import type { BgpPort } from '#speaker/ports.ts';

export function frrK8sMetrics(metrics: Metrics, port: BgpPort): void {
  const gauge = (name: string, help: string): Gauge =>
    metrics.gauge({ name: `metallb_frrk8s_${name}`, help });
  const desired = gauge('desired_generation', 'FRRConfigurations that this node was to have.');
  const written = gauge('written_generation', 'The newest FRRConfiguration that is stored.');
  const failing = gauge('write_failing', 'Whether the last write failed: 1 is yes.');
  const refused = gauge('refused_neighbors', 'Neighbours left out, since frr-k8s refuses them.');
  const duration = gauge('write_duration_seconds', 'How long the last write took.');
  const repairs = metrics.counter({
    name: 'metallb_frrk8s_repairs_total',
    help: 'Times that somebody else had changed the FRRConfiguration of this node.',
  });
  metrics.onCollect(() => {
    const { state } = port;
    desired.set({}, state.desired);
    written.set({}, state.applied);
    failing.set({}, state.lastError === undefined ? 0 : 1);
    refused.set({}, state.refused.length);
    duration.set({}, state.lastDurationMs / 1000);
    repairs.set({}, state.repairs);
  });
}
