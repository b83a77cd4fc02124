/**
 * What the controller would do, without a cluster: the same decisions (core/ipam/ipam.ts) in the same order, on
 * copies of the Services, until nobody is left to look at.
 */
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { compatible } from '#core/ipam/allocations.ts';
import { compareAge } from '#core/ipam/age.ts';
import { handles, type Decision } from '#core/ipam/decide.ts';
import { Ipam } from '#core/ipam/ipam.ts';
import { poolReserved, type RefusalCode } from '#core/ipam/refusal.ts';
import { claimOf, requestedPool } from '#core/ipam/request.ts';
import type { Reservation } from '#core/ipam/reservations.ts';
import type { Pool } from '#core/model/config.ts';
import { formatAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';

export interface SimulationInput {
  readonly pools: readonly Pool[];
  /** Names of pools that have problems. */
  readonly broken: ReadonlySet<string>;
  readonly services: readonly ServiceView[];
  readonly reservations: readonly Reservation[];
  readonly lbClass: string;
}

export interface Outcome {
  /** `namespace/name`. */
  readonly service: string;
  readonly change: 'keeps' | 'gains' | 'moves' | 'loses' | 'waits';
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly pool: string | undefined;
  readonly reason: string;
  /** Why it waits, also for a second address; undefined when it has all that it asks for. */
  readonly waitsFor: RefusalCode | undefined;
  /** Events that the controller would write, oldest first. */
  readonly events: readonly string[];
  /** For each pool, what speaks for or against it, as things are in the end. */
  readonly pools: readonly { readonly name: string; readonly verdict: string }[];
}

/** One outcome for each Service that is ours and is, or was, a load balancer; by key. */
export function simulate(input: SimulationInput): Outcome[] {
  const run = new Run(input);
  return input.services
    .filter((service) => handles(service, input.lbClass))
    .filter(({ type, ingress }) => type === 'LoadBalancer' || ingress.length > 0)
    .map((service) => run.outcome(service))
    .sort((a, b) => (a.service < b.service ? -1 : 1));
}

class Run {
  readonly #ipam: Ipam;
  readonly #views: Map<string, ServiceView>;
  readonly #events = new Map<string, string[]>();
  readonly #last = new Map<string, Decision>();

  constructor({ pools, broken, services, reservations, lbClass }: SimulationInput) {
    this.#ipam = new Ipam(lbClass);
    this.#views = new Map(services.map((service) => [service.key, service]));
    for (const reservation of reservations) this.#ipam.reserve(reservation.name, reservation);
    const { wake } = this.#ipam.configure(pools, services, broken);
    const queue = [...services.toSorted(compareAge).map(({ key }) => key), ...wake];
    for (let key = queue.shift(); key !== undefined; key = queue.shift()) queue.push(...this.#look(key));
  }

  outcome(service: ServiceView): Outcome {
    const { key } = service;
    const before = service.ingress.map(({ ip }) => ip);
    const view = this.#views.get(key) ?? service;
    const after = view.ingress.map(({ ip }) => ip);
    const waitsFor = this.#ipam.waiting.get(key)?.code;
    return {
      service: key,
      change: changeOf(before, after),
      before,
      after,
      pool: view.annotations[ALLOCATED_FROM_POOL],
      reason: this.#last.get(key)?.reason ?? '',
      waitsFor,
      events: this.#events.get(key) ?? [],
      pools: this.#ipam.allocations.pools.map((pool) => ({
        name: pool.name,
        verdict: this.#verdict(pool, view),
      })),
    };
  }

  /** Decides and writes; whom to look at next. */
  #look(key: string): readonly string[] {
    const view = this.#views.get(key);
    if (view === undefined) return [];
    const { decision, wake } = this.#ipam.decide(view);
    const told = decision.events.map(({ reason, message }) => `${reason}: ${message}`);
    if (told.length > 0) this.#events.set(key, [...(this.#events.get(key) ?? []), ...told]);
    this.#last.set(key, decision);
    if (decision.kind !== 'assign' && decision.kind !== 'clear') return wake;
    this.#views.set(key, written(view, decision));
    return [...wake, ...this.#ipam.recorded(key).wake];
  }

  #verdict(pool: Pool, view: ServiceView): string {
    const claim = claimOf(view);
    const named = requestedPool(view);
    if (view.annotations[ALLOCATED_FROM_POOL] === pool.name) return 'in use by the Service';
    if (named !== '' && named !== pool.name) return `the Service asks for pool ${JSON.stringify(named)}`;
    if (!compatible(pool, claim)) return poolReserved(pool, claim).message;
    if (named === '' && !pool.autoAssign) return 'autoAssign is false: a Service must ask for it';
    const counters = this.#ipam.allocations.counters(pool.name);
    const free = (['ipv4', 'ipv6'] as const).map((family) => {
      const { capacity = 0n, inUse = 0n, reserved = 0n } = counters?.[family] ?? {};
      return `${capacity - inUse - reserved} of ${capacity} ${family === 'ipv4' ? 'IPv4' : 'IPv6'}`;
    });
    return `eligible: ${free.join(' and ')} addresses free`;
  }
}

function written(view: ServiceView, { addresses, pool }: Decision): ServiceView {
  const { [ALLOCATED_FROM_POOL]: _, ...others } = view.annotations;
  return {
    ...view,
    annotations: pool === undefined ? others : { ...others, [ALLOCATED_FROM_POOL]: pool },
    ingress: addresses.map((address) => ({
      ip: formatAddress(address),
      hostname: '',
      ipMode: 'VIP',
      hasPorts: false,
    })),
  };
}

function changeOf(before: readonly string[], after: readonly string[]): Outcome['change'] {
  if (after.length === 0) return before.length === 0 ? 'waits' : 'loses';
  if (before.every((ip) => after.includes(ip))) return before.length === after.length ? 'keeps' : 'gains';
  return 'moves';
}

const REMEDIES: Partial<Record<RefusalCode, string>> = {
  noPools: 'Create an IPAddressPool.',
  noClusterIP: 'A load balancer Service needs a cluster IP: remove clusterIP: None.',
  clusterIPs: 'Use ipFamilyPolicy PreferDualStack, or a cluster with both families.',
  invalidRequest: 'Correct the annotation metallb.io/loadBalancerIPs, or spec.loadBalancerIP.',
  requestFamily: 'Ask for addresses of the families that the Service has cluster IPs of.',
  requestPool: 'Make the requested pool and the requested addresses agree, or ask for one of them only.',
  notInConfiguration: 'Ask for an address that a pool hands out, or add it to a pool.',
  unknownPool: 'Correct the annotation metallb.io/address-pool, or create that IPAddressPool.',
  poolReserved: 'Change serviceAllocation of the pool, or the namespace or labels of the Service.',
  sharing:
    'Give all Services on the address one value of metallb.io/allow-shared-ip, or ask for another address.',
  portInUse: 'Use other ports, or ask for another address.',
  reserved: 'Ask for another address, or change the IPReservation.',
  exhausted: 'Add addresses to a pool that the Service may use.',
  secondFamily: 'Add addresses of the other family to the pool.',
};

/** What a user can do about a Service that waits. */
export function remedyFor(code: RefusalCode): string {
  return REMEDIES[code] ?? 'Change the Service or the pools.';
}
