/** The status of IPAddressPools follows the counters: written only when it differs, at most one at a time each. */
import type { Ipam } from '#core/ipam/ipam.ts';
import { metallbResources } from '#core/api/resources.ts';
import { poolStatus, samePoolStatus } from '#core/status/pool-status.ts';
import type { ControllerMetrics } from '#controller/metrics.ts';
import type { PoolView } from '#controller/loops/views.ts';
import { KubeError, type KubeClient, type Store } from '#runtime/kube/types.ts';
import { done, type Outcome } from '#runtime/queue/types.ts';

/** A burst of allocations is one write per pool and this many milliseconds. */
export const POOL_STATUS_DELAY_MS = 250;

export interface PoolStatusOptions {
  readonly ipam: Ipam;
  readonly pools: Pick<Store<PoolView>, 'get'>;
  readonly namespace: string;
  readonly client: Pick<KubeClient, 'get' | 'replace'>;
  readonly metrics: ControllerMetrics;
}

/** The handler of the queue `pool-status`; keys are names of pools. */
export async function reconcilePoolStatus(
  name: string,
  signal: AbortSignal,
  options: PoolStatusOptions,
): Promise<Outcome> {
  const { ipam, pools, namespace, client, metrics } = options;
  const view = pools.get(`${namespace}/${name}`);
  const wanted = poolStatus(ipam.allocations.counters(name));
  if (view === undefined || samePoolStatus(view.status, wanted)) return done;
  const ref = { type: metallbResources.IPAddressPool, namespace, name };
  try {
    const raw = await client.get(ref, signal);
    if (samePoolStatus(raw['status'], wanted)) return done;
    const status = poolStatus(ipam.allocations.counters(name));
    await client.replace(ref, { ...raw, status }, { subresource: 'status', signal });
    metrics.statusWrites.inc({ kind: 'IPAddressPool' });
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return done;
    throw error;
  }
  return done;
}
