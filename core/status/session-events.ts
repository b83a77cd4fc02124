/** What is told on a BGPPeer when its session with one node changes. A state that lasts is told once. */
import { explainSession } from '#core/frr/explain.ts';
import type { SessionReport } from '#core/frr/reconcile.ts';
import { describeDifference } from '#core/status/bgp-session-state.ts';

export interface SessionEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'BGPSessionUp' | 'BGPSessionDown' | 'BGPRoutesDiffer' | 'BGPRoutesInSync';
  readonly message: string;
}

/** What was last told of a session. */
export interface SessionTold {
  readonly up: boolean | undefined;
  /** The cause it was said to be down for. */
  readonly cause: string | undefined;
  /** The cause of the last look; one that does not last for two looks is not told. */
  readonly seen: string | undefined;
  readonly established: number;
  readonly differs: boolean;
}

export const nothingTold: SessionTold = {
  up: undefined,
  cause: undefined,
  seen: undefined,
  established: 0,
  differs: false,
};

/** The events that follow from one more look, and what is told then. */
export function sessionEvents(
  told: SessionTold,
  report: SessionReport,
  node: string,
): { readonly events: readonly SessionEvent[]; readonly told: SessionTold } {
  const state = stateEvents(told, report, node);
  const differs = report.differences.length > 0;
  const routes = differs === told.differs ? [] : [routesEvent(report, node)];
  return { events: [...state.events, ...routes], told: { ...state.told, differs } };
}

function stateEvents(
  told: SessionTold,
  report: SessionReport,
  node: string,
): { events: SessionEvent[]; told: SessionTold } {
  const { intended, observed } = report;
  const why = explainSession(report);
  const session = `session of node ${node} with ${intended.neighbor}`;
  const isUp = observed?.state === 'Established';
  const established = observed?.established ?? told.established;
  const down = (what: string): SessionEvent => ({
    type: 'Warning',
    reason: 'BGPSessionDown',
    message: `${session} ${what}${why === undefined ? '' : `: ${why.message}. ${why.remedy}`}`,
  });
  if (isUp) {
    const fell = told.up === true && established > told.established;
    const rose: SessionEvent = {
      type: 'Normal',
      reason: 'BGPSessionUp',
      message: `${session} is established`,
    };
    const events = fell ? [down('was down for a moment')] : told.up === false ? [rose] : [];
    return { events, told: { ...told, up: true, cause: undefined, seen: undefined, established } };
  }
  const now = why?.reason;
  const isLasting = told.seen === now && told.cause !== now;
  const events = told.up === true ? [down('went down')] : isLasting ? [down('does not come up')] : [];
  const cause = events.length > 0 ? now : told.cause;
  return { events, told: { ...told, up: false, cause, seen: now, established } };
}

function routesEvent({ intended, differences }: SessionReport, node: string): SessionEvent {
  const session = `session of node ${node} with ${intended.neighbor}`;
  if (differences.length === 0)
    return {
      type: 'Normal',
      reason: 'BGPRoutesInSync',
      message: `${session}: the router has all routes again`,
    };
  const words = differences.map(describeDifference).join('; ');
  return {
    type: 'Warning',
    reason: 'BGPRoutesDiffer',
    message: `${session}: ${words}. They are sent again from time to time; look for filters in bgpextras`,
  };
}
