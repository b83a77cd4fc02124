/**
 * What to do about sessions that differ from what is intended. A difference must last before it counts: FRR needs
 * a moment to send. Repair is to send all routes of one family to one neighbour again, which no session notices;
 * it is done at most once per back-off, for a router's own filter may hold a route back for ever.
 */
import type { BgpSession } from '#core/frr/parse.ts';
import {
  countMismatches,
  observedSession,
  type IntendedSession,
  type IntendedSessions,
  type RouteDifference,
  type Target,
} from '#core/frr/sessions.ts';

/** Milliseconds a difference in number lasts before it counts. */
const SETTLE_MS = 3_000;
const FIRST_BACKOFF_MS = 30_000;
const LAST_BACKOFF_MS = 600_000;
/** Milliseconds between two comparisons prefix by prefix where the numbers agree. */
const DEEP_MS = 60_000;

export interface SessionReport {
  readonly intended: IntendedSession;
  /** Undefined: FRR does not have the neighbour, or does not answer. */
  readonly observed: BgpSession | undefined;
  readonly frrAnswers: boolean;
  /** Families that lastingly lack routes or have too many, with what is known of them. */
  readonly differences: readonly FamilyDifference[];
}

export interface FamilyDifference {
  readonly target: Target;
  readonly intended: number;
  readonly sent: number;
  /** Undefined before FRR was asked. */
  readonly routes: RouteDifference | undefined;
}

export interface Look {
  /** Milliseconds of a clock that never goes back. */
  readonly now: number;
  /** When the configuration in FRR changed last. */
  readonly changedAt: number;
  readonly intended: IntendedSessions;
  readonly observed: readonly BgpSession[];
}

export interface LookPlan {
  readonly reports: readonly SessionReport[];
  /** Ask for the prefixes of these, and tell `learned`. */
  readonly ask: readonly Target[];
  /** Send the routes of these again. */
  readonly resend: readonly Target[];
}

interface Trouble {
  since: number;
  /** Undefined: nothing was repaired yet. */
  retryAt: number | undefined;
  backoffMs: number;
  routes: RouteDifference | undefined;
}

interface Differing {
  readonly target: Target;
  /** The numbers differ; otherwise the prefixes alone. */
  readonly isCounted: boolean;
}

function newTrouble(now: number): Trouble {
  return { since: now, retryAt: undefined, backoffMs: FIRST_BACKOFF_MS, routes: undefined };
}

function targetsOf({ peer, vrf, neighbor, routes }: IntendedSession): Target[] {
  return (Object.keys(routes) as Target['family'][]).map((family) => ({ peer, vrf, neighbor, family }));
}

const keyOf = ({ vrf, neighbor, family }: Omit<Target, 'peer'>): string => `${vrf} ${neighbor} ${family}`;

/** What is to be said of the sessions while FRR does not answer. */
export function silentReports({ sessions }: IntendedSessions): SessionReport[] {
  return sessions.map((intended) => ({ intended, observed: undefined, frrAnswers: false, differences: [] }));
}

export class SessionReconciler {
  readonly #troubles = new Map<string, Trouble>();
  #deepAt: number | undefined;
  #deepNext = 0;

  /** One look at all sessions. */
  look(look: Look): LookPlan {
    const { now, changedAt, intended, observed } = look;
    const ask: Target[] = [];
    const resend: Target[] = [];
    const seen = new Set<string>();
    const reports = intended.sessions.map((session): SessionReport => {
      const real = observedSession(observed, session);
      const differing = this.#differing(session, real, intended.hasRaw);
      for (const { target } of differing) seen.add(keyOf(target));
      const lasting = differing.filter(({ target }) => now - this.#trouble(target, look).since >= SETTLE_MS);
      for (const { target, isCounted } of lasting) {
        const isDue = this.#isDue(target, now);
        if (isDue) resend.push(target);
        if (isDue || !isCounted) ask.push(target);
      }
      const differences = lasting.map(({ target }) => this.#difference(session, real, target));
      return { intended: session, observed: real, frrAnswers: true, differences };
    });
    for (const key of this.#troubles.keys()) if (!seen.has(key)) this.#troubles.delete(key);
    return { reports, ask: [...ask, ...this.#deep(now, changedAt, reports)], resend };
  }

  #difference(session: IntendedSession, real: BgpSession | undefined, target: Target): FamilyDifference {
    const { family } = target;
    const routes = this.#troubles.get(keyOf(target))?.routes;
    return { target, intended: session.routes[family] ?? 0, sent: real?.sent[family] ?? 0, routes };
  }

  /** Whether the routes are to be sent again now; the next time is later then. */
  #isDue(target: Target, now: number): boolean {
    const trouble = this.#troubles.get(keyOf(target));
    if (trouble === undefined || (trouble.retryAt !== undefined && now < trouble.retryAt)) return false;
    trouble.retryAt = now + trouble.backoffMs;
    trouble.backoffMs = Math.min(trouble.backoffMs * 2, LAST_BACKOFF_MS);
    return true;
  }

  /** What FRR sent, prefix by prefix: a difference is remembered, and repaired by the looks that follow. */
  learned(target: Target, routes: RouteDifference, now: number): void {
    const key = keyOf(target);
    const known = this.#troubles.get(key);
    const isEqual = routes.missing.length === 0 && routes.surplus.length === 0;
    if (isEqual) this.#troubles.delete(key);
    else if (known === undefined) this.#troubles.set(key, { ...newTrouble(now), routes });
    else known.routes = routes;
  }

  /** Where the numbers differ, or where they agree and the prefixes were found to differ. */
  #differing(session: IntendedSession, real: BgpSession | undefined, hasRaw: boolean): Differing[] {
    if (real?.state !== 'Established') return [];
    const counted = new Set(countMismatches(session, real, hasRaw));
    return targetsOf(session)
      .map((target) => ({ target, isCounted: counted.has(target.family) }))
      .filter(
        ({ target, isCounted }) => isCounted || this.#troubles.get(keyOf(target))?.routes !== undefined,
      );
  }

  #trouble(target: Target, { now, changedAt }: Look): Trouble {
    const key = keyOf(target);
    const trouble = this.#troubles.get(key) ?? newTrouble(now);
    // Changes are still on their way: what differs now says nothing.
    if (trouble.retryAt === undefined && changedAt > trouble.since) trouble.since = changedAt;
    this.#troubles.set(key, trouble);
    return trouble;
  }

  /** One family of one session in turn: equal numbers do not prove equal prefixes. */
  #deep(now: number, changedAt: number, reports: readonly SessionReport[]): Target[] {
    this.#deepAt ??= now + DEEP_MS;
    if (now < this.#deepAt || now - changedAt < SETTLE_MS) return [];
    this.#deepAt = now + DEEP_MS;
    const targets = reports
      .filter(({ observed, differences }) => observed?.state === 'Established' && differences.length === 0)
      .flatMap(({ intended }) => targetsOf(intended));
    const target = targets[this.#deepNext % Math.max(targets.length, 1)];
    this.#deepNext += 1;
    return target === undefined ? [] : [target];
  }
}
