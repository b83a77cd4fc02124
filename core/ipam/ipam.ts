/**
 * The controller's memory: who has which address and who waits for one. Everything that happens to a Service or
 * to the pools is one synchronous call here, which says what to write down and whom to look at next. Mutable;
 * no I/O.
 */
import { Allocations, type Booking, type Changes } from '#core/ipam/allocations.ts';
import { adoptService, decideService, handles, inAdoptionOrder, type Decision } from '#core/ipam/decide.ts';
import { Leaving } from '#core/ipam/leaving.ts';
import type { Reservation } from '#core/ipam/reservations.ts';
import { Waiting } from '#core/ipam/waiting.ts';
import type { Pool } from '#core/model/config.ts';
import type { ServiceView } from '#core/model/views.ts';

/** What a call led to. */
export interface Effects {
  /** Keys of waiting Services that something may help now. */
  readonly wake: readonly string[];
  /** Names of pools whose counters may have changed, or that are gone. */
  readonly pools: ReadonlySet<string>;
}

export interface Turn extends Effects {
  readonly decision: Decision;
}

export class Ipam {
  readonly allocations = new Allocations();
  readonly waiting = new Waiting();
  readonly #leaving = new Leaving(this.allocations);
  readonly #lbClass: string;
  /** Messages of the last decision's Events, for Services that had any. */
  readonly #said = new Map<string, readonly string[]>();

  /** `lbClass`: the `--lb-class` flag; empty: Services without a class. */
  constructor(lbClass: string) {
    this.#lbClass = lbClass;
  }

  /**
   * Takes over the pools, then books every address that is recorded on a Service and may stay there. Nothing is
   * allocated here: look at all Services afterwards. `broken` names the pools that have problems.
   */
  configure(
    pools: readonly Pool[],
    services: Iterable<ServiceView>,
    broken: ReadonlySet<string> = new Set(),
  ): Effects {
    this.allocations.setPools(pools, broken);
    const ours = inAdoptionOrder([...services].filter((service) => handles(service, this.#lbClass)));
    const before = new Map(ours.map(({ key }) => [key, this.#before(key)]));
    for (const service of ours) {
      if (!this.allocations.bookings.has(service.key)) adoptService(service, this.allocations);
    }
    for (const service of ours) this.#leaving.hold(service, before.get(service.key) ?? []);
    return this.#effects(this.allocations.drainChanges(), undefined);
  }

  /**
   * Decides for one Service, and records what it waits for. What it gives up stays its own until `recorded`. An
   * Event that the previous decision for the Service had too is left out: a state that lasts is said once.
   */
  decide(service: ServiceView): Turn {
    const before = this.#before(service.key);
    const decision = this.#unsaid(service.key, this.#decide(service));
    const isWritten = decision.kind === 'assign' || decision.kind === 'clear';
    if (!isWritten) this.#leaving.settled(service.key);
    if (before.length > 0 || handles(service, this.#lbClass)) this.#leaving.hold(service, before);
    if (isWritten) this.#leaving.writes(service.key, decision.addresses);
    const next = this.waiting.settle(service.key, service.creationTimestamp, decision.wait);
    return { decision, ...this.#effects(this.allocations.drainChanges(), next) };
  }

  /** What the last decision for the Service said is said once more by the next one. */
  sayAgain(key: string): void {
    this.#said.delete(key);
  }

  /** The last decision for the Service is written down: what it gave up is free. */
  recorded(key: string): Effects {
    this.#leaving.written(key);
    return this.#effects(this.allocations.drainChanges(), undefined);
  }

  /** The Service is gone. */
  forget(key: string): Effects {
    this.allocations.release(key);
    this.#leaving.settled(key);
    this.#said.delete(key);
    const next = this.waiting.settle(key, '', undefined);
    return this.#effects(this.allocations.drainChanges(), next);
  }

  /** Puts a reservation in force, or takes the one of that name away. */
  reserve(name: string, reservation: Reservation | undefined): Effects {
    const before = this.allocations.reservations.get(name);
    this.allocations.setReservation(name, reservation);
    const effects = this.#effects(this.allocations.drainChanges(), undefined);
    const owners = [before?.owner, reservation?.owner].filter((owner) => owner !== undefined);
    return { ...effects, wake: this.waiting.byAge([...effects.wake, ...owners]) };
  }

  /** What the Service has, and what was held for it: from here on that is its own again. */
  #before(key: string): readonly Booking[] {
    const held = this.#leaving.release(key);
    const booking = this.allocations.bookings.get(key);
    return booking === undefined ? held : [...held, booking];
  }

  #decide(service: ServiceView): Decision {
    if (handles(service, this.#lbClass)) return decideService(service, this.allocations);
    if (!this.allocations.bookings.has(service.key)) return notOurs;
    // It was ours. A Service that stops being a load balancer loses its class with it, but what we gave it must go.
    if (service.type !== 'LoadBalancer') return decideService(service, this.allocations);
    this.allocations.release(service.key);
    return notOurs;
  }

  #unsaid(key: string, decision: Decision): Decision {
    const before = this.#said.get(key) ?? [];
    if (decision.events.length === 0) this.#said.delete(key);
    else
      this.#said.set(
        key,
        decision.events.map(({ message }) => message),
      );
    return before.length === 0
      ? decision
      : { ...decision, events: decision.events.filter(({ message }) => !before.includes(message)) };
  }

  #effects(changes: Changes, next: string | undefined): Effects {
    const { reservations } = this.allocations;
    const owners = changes.openings.flatMap(({ address }) => reservations.owners(address));
    const woken = [
      ...this.waiting.wokenBy(changes.openings),
      ...owners,
      ...(next === undefined ? [] : [next]),
    ];
    return { wake: this.waiting.byAge(woken), pools: changes.pools };
  }
}

const notOurs: Decision = {
  kind: 'leave',
  addresses: [],
  pool: undefined,
  events: [],
  reason: 'the Service is of another load balancer class',
  wait: undefined,
};
