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

interface StateStep {
  readonly events: SessionEvent[];
  readonly told: SessionTold;
}

function stateEvents(told: SessionTold, report: SessionReport, node: string): StateStep {
  return report.observed?.state === 'Established'
    ? upEvents(told, report, node)
    : downEvents(told, report, node);
}

function upEvents(told: SessionTold, report: SessionReport, node: string): StateStep {
  const established = report.observed?.established ?? told.established;
  const fell = told.up === true && established > told.established;
  const message = `${sessionOf(report, node)} is established`;
  const rose: SessionEvent = { type: 'Normal', reason: 'BGPSessionUp', message };
  const risen = told.up === false ? [rose] : [];
  const events = fell ? [down('was down for a moment', report, node)] : risen;
  return { events, told: { ...told, up: true, cause: undefined, seen: undefined, established } };
}

function downEvents(told: SessionTold, report: SessionReport, node: string): StateStep {
  const established = report.observed?.established ?? told.established;
  const seen = explainSession(report)?.reason;
  const isLasting = told.seen === seen && told.cause !== seen;
  const fallen = told.up === true ? 'went down' : undefined;
  const what = fallen ?? (isLasting ? 'does not come up' : undefined);
  const events = what === undefined ? [] : [down(what, report, node)];
  const cause = events.length > 0 ? seen : told.cause;
  return { events, told: { ...told, up: false, cause, seen, established } };
}

function down(what: string, report: SessionReport, node: string): SessionEvent {
  const why = explainSession(report);
  const because = why === undefined ? '' : `: ${why.message}. ${why.remedy}`;
  return {
    type: 'Warning',
    reason: 'BGPSessionDown',
    message: `${sessionOf(report, node)} ${what}${because}`,
  };
}

function sessionOf({ intended }: SessionReport, node: string): string {
  return `session of node ${node} with ${intended.neighbor}`;
}

function routesEvent(report: SessionReport, node: string): SessionEvent {
  const session = sessionOf(report, node);
  const { differences } = report;
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
