/** What ours must not contradict in the FRRConfigurations of other people (speaker-bgp.md §8.4). */
import { compileSelector, type RawSelector } from '#core/config/selectors.ts';
import { selects, type Selector } from '#core/model/selector.ts';
import type { NodeView } from '#core/model/views.ts';

export interface OtherConfiguration {
  readonly nodeSelector: Selector;
  /** VRFs (empty: the default one) whose router has an `id`. */
  readonly identified: readonly string[];
}

/** True when the object gives the node's router of that VRF a BGP identifier. */
export function setsRouterId(
  { nodeSelector, identified }: OtherConfiguration,
  node: NodeView,
  vrf: string,
): boolean {
  return identified.includes(vrf) && selects(nodeSelector, node.labels);
}

interface RawSpec {
  readonly nodeSelector?: RawSelector;
  readonly bgp?: { readonly routers?: readonly { readonly vrf?: string; readonly id?: string }[] };
}

/** The part of a stored object that counts; what cannot be read of its selector restricts nothing. */
export function otherConfiguration(spec: unknown): OtherConfiguration {
  const { nodeSelector = {}, bgp } = (spec ?? {}) as RawSpec;
  return {
    nodeSelector: compileSelector(nodeSelector, '', 'spec.nodeSelector').selector,
    identified: (bgp?.routers ?? []).filter(({ id = '' }) => id !== '').map(({ vrf = '' }) => vrf),
  };
}
