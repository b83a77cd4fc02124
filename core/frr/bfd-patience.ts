/**
 * Sessions that wait for BFD. FRR 10.2 and 10.3.0 begin no session while its BFD is down (FRR issues 17452 and 18742,
 * mended in 10.3.1): with a router that has no BFD it would never come up, as it does with every other FRR. So BFD is
 * left out after a while, and put back as soon as the session is up, which then stays up whatever BFD says. As the
 * router may be one that waits for BFD itself, the two ways take turns.
 */
import type { SessionReport } from '#core/frr/reconcile.ts';
import type { IntendedSession } from '#core/frr/sessions.ts';

/** Milliseconds that a session waits for BFD, the first time and at most; BFD itself needs a few seconds. */
const FIRST_WAIT_MS = 10_000;
const LAST_WAIT_MS = 120_000;
/** Milliseconds for which it is tried without. */
const WITHOUT_MS = 15_000;

interface Turn {
  readonly isWithout: boolean;
  readonly since: number;
  readonly waitMs: number;
}

export class BfdPatience {
  readonly #turns = new Map<string, Turn>();
  #without: ReadonlySet<string> = new Set();

  /** Names of the BGPPeers whose sessions are to be tried without BFD now; the same set while nothing changes. */
  get without(): ReadonlySet<string> {
    return this.#without;
  }

  /** Takes one look at all sessions into account; `now` in milliseconds. True when `without` changed. */
  look(now: number, reports: readonly SessionReport[]): boolean {
    const known = new Set(reports.map(({ intended }) => intended.peer));
    for (const peer of this.#turns.keys()) if (!known.has(peer)) this.#turns.delete(peer);
    for (const report of reports) this.#note(now, report);
    const without = [...this.#turns].filter(([, turn]) => turn.isWithout).map(([peer]) => peer);
    if (without.length === this.#without.size && without.every((peer) => this.#without.has(peer)))
      return false;
    this.#without = new Set(without);
    return true;
  }

  /** Sessions without BFD that FRR does not begin by itself: it forgot to when BFD was taken away. */
  stuck(reports: readonly SessionReport[]): readonly IntendedSession[] {
    return reports
      .filter(({ intended, observed }) => {
        const { state, bfd } = observed ?? {};
        return intended.isWithoutBfd && state === 'Idle' && bfd === undefined;
      })
      .map(({ intended }) => intended);
  }

  #note(now: number, { intended, observed, frrAnswers }: SessionReport): void {
    const { peer, hasBfd } = intended;
    if (!frrAnswers || observed === undefined) return;
    const turn = this.#turns.get(peer);
    if (!hasBfd || observed.state === 'Established') this.#turns.delete(peer);
    else if (turn?.isWithout === true) {
      const waitMs = Math.min(turn.waitMs * 2, LAST_WAIT_MS);
      if (now - turn.since >= WITHOUT_MS) this.#turns.set(peer, { isWithout: false, since: now, waitMs });
    } else if (!isWaiting(observed)) this.#turns.delete(peer);
    else if (turn === undefined)
      this.#turns.set(peer, { isWithout: false, since: now, waitMs: FIRST_WAIT_MS });
    else if (now - turn.since >= turn.waitMs) this.#turns.set(peer, { ...turn, isWithout: true, since: now });
  }
}

/** FRR does not even try to connect: any other one would be in Connect or Active. */
function isWaiting({ state, bfd = '' }: NonNullable<SessionReport['observed']>): boolean {
  return state === 'Idle' && /down/i.test(bfd);
}
