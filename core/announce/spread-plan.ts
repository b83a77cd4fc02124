/** The placing of all Services whose advertisements ask for failover mode Spread; it needs to see all of them at once. */
import type { DecisionContext } from '#core/announce/verdict.ts';
import { spreadItem } from '#core/election/decide-l2.ts';
import { planSpread, type Placeable } from '#core/election/spread.ts';
import { gateService } from '#core/model/service-gate.ts';
import type { EndpointSliceView, ServiceView } from '#core/model/views.ts';

export interface ServiceWithSlices {
  readonly service: ServiceView;
  readonly slices: readonly EndpointSliceView[];
}

/** True when a decision about one Service may depend on all others. */
export function usesSpread({ l2 }: DecisionContext): boolean {
  return l2.advertisements.some(({ failover }) => failover === 'Spread');
}

/** True when decisions depend on what the speakers report that they hold. */
export function usesHolders({ l2 }: DecisionContext): boolean {
  return l2.advertisements.some(({ failover }) => failover !== 'Default');
}

/** The context with the places of all these Services. */
export function withSpread(context: DecisionContext, services: Iterable<ServiceWithSlices>): DecisionContext {
  if (!usesSpread(context)) return context;
  const items: Placeable[] = [];
  for (const { service, slices } of services) {
    const gate = gateService(service, context.bgp.config.pools);
    if (gate.kind === 'stop') continue;
    const request = { service, pool: gate.pool.name, addresses: gate.addresses, slices };
    const item = spreadItem(context.l2, request);
    if (item !== undefined) items.push(item);
  }
  return { ...context, l2: { ...context.l2, spread: planSpread(items) } };
}
