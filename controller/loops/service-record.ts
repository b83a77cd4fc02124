/** The one write that puts a decision on a Service: status and pool annotation together (controller.md §2.4). */
import type { Decision } from '#core/ipam/decide.ts';
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { formatAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';
import type { KubeObject } from '#runtime/kube/types.ts';

/** The whole object with the decided record: the status endpoint takes status and metadata of what it gets. */
export function withRecord(raw: KubeObject, decision: Decision): KubeObject {
  const { [ALLOCATED_FROM_POOL]: _, ...others } = raw.metadata.annotations ?? {};
  const annotations =
    decision.pool === undefined ? others : { ...others, [ALLOCATED_FROM_POOL]: decision.pool };
  const ingress = decision.addresses.map((address) => ({ ip: formatAddress(address) }));
  const status = typeof raw['status'] === 'object' && raw['status'] !== null ? raw['status'] : {};
  return {
    ...raw,
    metadata: { ...raw.metadata, annotations },
    status: { ...status, loadBalancer: ingress.length === 0 ? {} : { ingress } },
  };
}

/**
 * Whole Services as last seen, for those that we are likely to write soon: LoadBalancers without an address. It
 * saves reading a Service back before its first write. Everything else is read when it is needed.
 */
export class RecentServices {
  readonly #raw = new Map<string, KubeObject>();

  saw(raw: KubeObject, view: ServiceView): void {
    if (view.type === 'LoadBalancer' && view.ingress.length === 0) this.#raw.set(view.key, raw);
    else this.#raw.delete(view.key);
  }

  /** The object of exactly this version; forgotten afterwards. */
  take(view: ServiceView): KubeObject | undefined {
    const raw = this.#raw.get(view.key);
    this.#raw.delete(view.key);
    return raw?.metadata.resourceVersion === view.resourceVersion ? raw : undefined;
  }

  forget(key: string): void {
    this.#raw.delete(key);
  }
}
