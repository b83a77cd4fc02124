/** Pools and Services in a few words, and a controller without an API server around core/ipam. */
import { Ipam } from '#core/ipam/ipam.ts';
import type { Decision } from '#core/ipam/decide.ts';
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import type { Reservation } from '#core/ipam/reservations.ts';
import type { Pool, PoolEntry, ServiceAllocation } from '#core/model/config.ts';
import {
  cidrRange,
  formatAddress,
  parseAddress,
  parseCidr,
  rangeCidrs,
  type IpRange,
} from '#core/model/ip.ts';
import type { ServicePort, ServiceView } from '#core/model/views.ts';
import type { ServiceEvent } from '#core/status/service-events.ts';

function rangeOf(text: string): IpRange {
  const cidr = parseCidr(text);
  if (cidr !== undefined) return cidrRange(cidr);
  const [first, last] = text.split('-').map((part) => parseAddress(part.trim()));
  if (first === undefined || last === undefined) throw new Error(`no range: ${text}`);
  return { family: first.family, first: first.value, last: last.value };
}

export function entry(text: string): PoolEntry {
  const range = rangeOf(text);
  return { text, range, cidrs: rangeCidrs(range) };
}

export type PoolOptions = Partial<Omit<Pool, 'serviceAllocation' | 'excluded'>> & {
  excluded?: readonly string[];
  serviceAllocation?: Partial<ServiceAllocation>;
};

export function pool(name: string, addresses: readonly string[], options: PoolOptions = {}): Pool {
  const { serviceAllocation, excluded = [], ...rest } = options;
  return {
    name,
    labels: {},
    entries: addresses.map(entry),
    excluded: excluded.map((text) => ({
      text,
      range: rangeOf(text.includes('/') || text.includes('-') ? text : `${text}-${text}`),
    })),
    autoAssign: true,
    avoidBuggyIPs: false,
    serviceAllocation: serviceAllocation && {
      priority: 0,
      namespaces: undefined,
      namespaceSelectors: [],
      serviceSelectors: [],
      ...serviceAllocation,
    },
    ...rest,
  };
}

export const tcp = (port: number): ServicePort => ({ name: '', protocol: 'TCP', port });
export const udp = (port: number): ServicePort => ({ name: '', protocol: 'UDP', port });
export const app = (
  value: string,
): { requirements: [{ key: string; operator: 'In'; values: string[] }] } => ({
  requirements: [{ key: 'app', operator: 'In', values: [value] }],
});

const CLUSTER_IPS = { ipv4: ['10.96.0.1'], ipv6: ['fd00::1'], dual: ['10.96.0.1', 'fd00::1'] };

export type ServiceOptions = Partial<ServiceView> & { stack?: 'ipv4' | 'ipv6' | 'dual' };

/** `namespace/name`; an LB Service with an IPv4 cluster IP and port TCP/80 unless told otherwise. */
export function service(key: string, options: ServiceOptions = {}): ServiceView {
  const { stack = 'ipv4', ...rest } = options;
  const [namespace = '', name = ''] = key.split('/');
  return {
    key,
    namespace,
    name,
    uid: `uid-${key}`,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: {},
    annotations: {},
    type: 'LoadBalancer',
    loadBalancerClass: undefined,
    clusterIPs: CLUSTER_IPS[stack],
    ipFamilies: [],
    ipFamilyPolicy: 'SingleStack',
    externalTrafficPolicy: 'Cluster',
    loadBalancerIP: '',
    selector: { app: name },
    ports: [tcp(80)],
    ingress: [],
    ...rest,
  };
}

/** Annotations under `metallb.io/`. */
export function ask(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`metallb.io/${name}`, value]));
}

export function recorded(
  ips: readonly string[],
  poolName?: string,
): Pick<ServiceView, 'ingress' | 'annotations'> {
  return {
    ingress: ips.map((ip) => ({ ip, hostname: '', ipMode: 'VIP', hasPorts: false })),
    annotations: poolName === undefined ? {} : { [ALLOCATED_FROM_POOL]: poolName },
  };
}

export interface LoggedEvent extends ServiceEvent {
  readonly key: string;
}

/** Services, pools and the controller's memory; every call settles: nothing is left to look at afterwards. */
export class World {
  readonly services = new Map<string, ServiceView>();
  readonly events: LoggedEvent[] = [];
  /** Keys written, in order. */
  readonly writes: string[] = [];
  ipam: Ipam;
  readonly #lbClass: string;
  readonly #reservations = new Map<string, Reservation>();
  #pools: readonly Pool[] | undefined;

  constructor(pools?: readonly Pool[], lbClass = '') {
    this.#lbClass = lbClass;
    this.ipam = new Ipam(lbClass);
    if (pools !== undefined) this.configure(pools);
  }

  /** Hands the pools over and looks at every Service, those without a record too, in no order of use to anyone. */
  configure(pools: readonly Pool[]): void {
    this.#pools = pools;
    const effects = this.ipam.configure(pools, this.services.values());
    this.#settle([...[...this.services.keys()].reverse(), ...effects.wake]);
  }

  /** A new process: nothing but the Services' records survives. */
  restart(): void {
    this.ipam = new Ipam(this.#lbClass);
    for (const [name, reservation] of this.#reservations) this.ipam.reserve(name, reservation);
    if (this.#pools !== undefined) this.configure(this.#pools);
  }

  /** Creates or replaces Services, one after another. */
  apply(...services: readonly ServiceView[]): void {
    for (const view of services) {
      this.services.set(view.key, view);
      this.#settle([view.key]);
    }
  }

  /** Changes fields of a Service and keeps its record. */
  edit(key: string, change: ServiceOptions): void {
    const { stack, ...rest } = change;
    const before = this.view(key);
    const annotations = rest.annotations && {
      ...pick(before.annotations, ALLOCATED_FROM_POOL),
      ...rest.annotations,
    };
    this.apply({
      ...before,
      ...(stack === undefined ? {} : { clusterIPs: CLUSTER_IPS[stack] }),
      ...rest,
      ...(annotations === undefined ? {} : { annotations }),
    });
  }

  delete(key: string): void {
    this.services.delete(key);
    this.#settle(this.ipam.forget(key).wake);
  }

  /** Reserves addresses for a Service, or (without addresses) takes the reservation of that name away. */
  reserve(name: string, owner: string, ips: readonly string[] = []): void {
    const addresses = ips.flatMap((ip) => parseAddress(ip) ?? []);
    const reservation = ips.length === 0 ? undefined : { name, owner, addresses, until: undefined };
    if (reservation === undefined) this.#reservations.delete(name);
    else this.#reservations.set(name, reservation);
    this.#settle(this.ipam.reserve(name, reservation).wake);
  }

  touch(key: string): Decision {
    const turn = this.ipam.decide(this.view(key));
    this.#settle([...turn.wake, ...this.#write(key, turn.decision)]);
    return turn.decision;
  }

  view(key: string): ServiceView {
    const view = this.services.get(key);
    if (view === undefined) throw new Error(`no Service ${key}`);
    return view;
  }

  /** Recorded addresses, as text. */
  ips(key: string): string[] {
    return this.view(key).ingress.map(({ ip }) => ip);
  }

  poolOf(key: string): string | undefined {
    return this.view(key).annotations[ALLOCATED_FROM_POOL];
  }

  /** Reasons of the events of a Service, in order, since the last `forgetEvents`. */
  reasons(key: string): string[] {
    return this.events.filter((event) => event.key === key).map(({ reason }) => reason);
  }

  lastMessage(key: string): string {
    return this.events.findLast((event) => event.key === key)?.message ?? '';
  }

  forgetEvents(): void {
    this.events.length = 0;
    this.writes.length = 0;
  }

  #settle(keys: readonly string[]): void {
    const queue = [...keys];
    for (let turns = 0; queue.length > 0; turns += 1) {
      if (turns > 100_000) throw new Error('does not settle');
      const view = this.services.get(queue.shift() ?? '');
      if (view === undefined) continue;
      const { decision, wake } = this.ipam.decide(view);
      queue.push(...wake, ...this.#write(view.key, decision));
    }
  }

  /** Writes the decision down; whom to look at next. */
  #write(key: string, decision: Decision): readonly string[] {
    for (const event of decision.events) this.events.push({ ...event, key });
    if (decision.kind !== 'assign' && decision.kind !== 'clear') return [];
    const view = this.view(key);
    const { [ALLOCATED_FROM_POOL]: _, ...others } = view.annotations;
    const ours: Record<string, string> =
      decision.pool === undefined ? {} : { [ALLOCATED_FROM_POOL]: decision.pool };
    this.writes.push(key);
    this.services.set(key, {
      ...view,
      ...recorded(decision.addresses.map(formatAddress)),
      annotations: { ...others, ...ours },
    });
    return this.ipam.recorded(key).wake;
  }
}

function pick(labels: Readonly<Record<string, string>>, name: string): Record<string, string> {
  const value = labels[name];
  return value === undefined ? {} : { [name]: value };
}
