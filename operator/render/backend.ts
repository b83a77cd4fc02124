/** Which BGP backend is in force, and which engine serves it (architecture, decision 9). */
import { isBgpBackend, type BgpBackend, type MetalLBSpec } from '#core/config/metallb.ts';
import type { RenderOptions } from '#operator/render/manifest.ts';

/** `spec.bgpBackend`, or the platform's default (operator-packaging.md §2.3). The spec is valid already. */
export function effectiveBackend(
  spec: MetalLBSpec,
  options: Pick<RenderOptions, 'platform' | 'frrFromNetworkOperator'>,
): BgpBackend {
  const wanted = spec.bgpBackend ?? '';
  if (isBgpBackend(wanted)) return wanted;
  if (options.platform !== 'openshift') return 'frr';
  return options.frrFromNetworkOperator ? 'frr-k8s-external' : 'frr-k8s';
}

/** One sentence for the Available condition: who does the BGP that this CR asked for. */
export function engineMessage(backend: BgpBackend): string {
  return backend === 'frr-k8s-external'
    ? 'BGP backend frr-k8s-external: served by the frr-k8s that runs outside of MetalLB.'
    : `BGP backend ${backend}: served by the FRR in the speaker's pod.`;
}
