/**
 * The BGPSessionState objects of one node: one for each BGPPeer in force, written when something changes that a
 * person wants to know at once, and otherwise at most once a minute. Nothing is written while nothing changes.
 */
import { NODE, PEER, VRF } from '#core/api/labels.ts';
import type { BGPSessionState } from '#core/api/bgp-session-state.ts';
import { explainSession } from '#core/frr/explain.ts';
import type { FamilyDifference, SessionReport } from '#core/frr/reconcile.ts';
import { hash32 } from '#core/frr/tags.ts';
import type { RawObject } from '#core/model/projections.ts';
import type { Labels } from '#core/model/selector.ts';
import { transitionTime, wholeSeconds } from '#core/status/transition.ts';

/** Milliseconds between two writes of one object for the sake of its counts alone. */
const COUNTS_EVERY_MS = 60_000;
const LONGEST_NAME = 253;
const LONGEST_LABEL = 63;
const SHOWN_PREFIXES = 5;

export type SessionStatus = NonNullable<BGPSessionState['status']>;

type Condition = NonNullable<SessionStatus['conditions']>[number];

export interface SessionStateView {
  readonly name: string;
  readonly ownerUids: readonly string[];
  readonly status: SessionStatus | undefined;
}

export function projectSessionState(raw: RawObject): SessionStateView {
  const status = raw['status'] as SessionStatus | undefined;
  const owners = (raw.metadata['ownerReferences'] ?? []) as readonly { readonly uid: string }[];
  return {
    name: raw.metadata.name,
    ownerUids: owners.map(({ uid }) => uid),
    status: status === undefined ? undefined : structuredClone(status),
  };
}

export type SessionWrite =
  | { readonly kind: 'create'; readonly labels: Labels; readonly status: SessionStatus }
  | { readonly kind: 'write-status'; readonly status: SessionStatus }
  | { readonly kind: 'none' };

export interface SessionWish {
  readonly node: string;
  readonly report: SessionReport;
  /** Wall clock. */
  readonly now: Date;
  /** Milliseconds since the object was last written by us; Infinity: not yet. */
  readonly writtenAgoMs: number;
}

/** `<node>-<peer>-<hash>`: the hash keeps `a-b` of node `c` and `b` of node `c-a` apart. */
export function sessionStateName(node: string, peer: string): string {
  const hash = hash32(JSON.stringify([node, peer])).toString(36);
  return `${`${node}-${peer}`.slice(0, LONGEST_NAME - hash.length - 1).replace(/[.-]+$/, '')}-${hash}`;
}

/** The object's labels; a value too long for a label ends in a hash. */
export function sessionStateLabels(node: string, peer: string, vrf: string): Labels {
  return { [NODE]: labelValue(node), [PEER]: labelValue(peer), [VRF]: labelValue(vrf) };
}

function labelValue(text: string): string {
  if (text.length <= LONGEST_LABEL) return text;
  const hash = hash32(text).toString(36);
  return `${text.slice(0, LONGEST_LABEL - hash.length - 1).replace(/[^A-Za-z0-9]+$/, '')}-${hash}`;
}

/** What has to be written about one session, given the object as it is. */
export function planSessionState(existing: SessionStateView | undefined, wish: SessionWish): SessionWrite {
  const { node, report, writtenAgoMs } = wish;
  const before = existing?.status;
  const status = sessionStatus(before, wish);
  if (existing === undefined) {
    const { peer, vrf } = report.intended;
    return { kind: 'create', labels: sessionStateLabels(node, peer, vrf), status };
  }
  if (before === undefined || weighty(before) !== weighty(status)) return { kind: 'write-status', status };
  const isCountDue = counts(before) !== counts(status) && writtenAgoMs >= COUNTS_EVERY_MS;
  return isCountDue ? { kind: 'write-status', status } : { kind: 'none' };
}

/** What is written at once when it changes. States that are not Established come and go every few seconds. */
function weighty(status: SessionStatus): string {
  const {
    node,
    peer,
    address,
    vrf,
    bfdStatus,
    timesEstablished,
    lastError,
    remedy,
    conditions = [],
  } = status;
  const words = conditions.map((each) => [each.type, each.status, each.reason]);
  return JSON.stringify([node, peer, address, vrf, bfdStatus, timesEstablished, lastError, remedy, words]);
}

function counts({ prefixesSent, prefixesIntended, prefixesAccepted }: SessionStatus): string {
  return JSON.stringify([prefixesSent, prefixesIntended, prefixesAccepted]);
}

function sessionStatus(before: SessionStatus | undefined, { node, report, now }: SessionWish): SessionStatus {
  const { intended, observed } = report;
  const why = explainSession(report);
  const { peer, neighbor, vrf } = intended;
  return {
    node,
    peer,
    address: neighbor,
    vrf,
    bgpStatus: observed?.state ?? (report.frrAnswers ? 'Idle' : 'Unknown'),
    bfdStatus: observed?.bfd ?? (observed !== undefined && intended.isWithoutBfd ? 'Down' : 'N/A'),
    since: since(before, report, now),
    ...countsOf(report),
    lastError: why?.message ?? '',
    remedy: why?.remedy ?? '',
    conditions: [establishedCondition(report), inSyncCondition(report)].map((condition) =>
      dated(condition, before, now),
    ),
  };
}

function countsOf({ intended, observed }: SessionReport): Partial<SessionStatus> {
  return {
    prefixesSent: observed?.sentPrefixes ?? 0,
    prefixesIntended: Object.values(intended.routes).reduce((sum, each) => sum + each, 0),
    prefixesAccepted: observed?.acceptedPrefixes ?? 0,
    timesEstablished: observed?.established ?? 0,
  };
}

/** Kept while the session neither came nor went; FRR's own word for how long it has been up, where it says so. */
function since(before: SessionStatus | undefined, { observed }: SessionReport, now: Date): string {
  const isUp = observed?.state === 'Established';
  const isSame =
    (before?.bgpStatus === 'Established') === isUp && before?.timesEstablished === observed?.established;
  if (isSame && before?.since !== undefined) return before.since;
  const upMs = (observed?.upSeconds ?? 0) * 1000;
  return wholeSeconds(new Date(now.getTime() - (isUp ? upMs : 0)));
}

type Undated = Omit<Condition, 'lastTransitionTime'>;

function establishedCondition(report: SessionReport): Undated {
  if (report.observed?.state === 'Established')
    return { type: 'Established', status: 'True', reason: 'Established', message: '' };
  const why = explainSession(report);
  const message = why === undefined ? '' : `${why.message}. ${why.remedy}`;
  return {
    type: 'Established',
    status: report.frrAnswers ? 'False' : 'Unknown',
    reason: why?.reason ?? 'NotEstablished',
    message,
  };
}

function inSyncCondition({ observed, differences }: SessionReport): Undated {
  if (observed?.state !== 'Established')
    return { type: 'InSync', status: 'Unknown', reason: 'NotEstablished', message: '' };
  if (differences.length === 0) return { type: 'InSync', status: 'True', reason: 'AsIntended', message: '' };
  const message = differences.map(describeDifference).join('; ');
  return { type: 'InSync', status: 'False', reason: 'RoutesDiffer', message };
}

/** One difference in words: how many routes, and which ones where that is known. */
export function describeDifference({ target, intended, sent, routes }: FamilyDifference): string {
  const some = (what: string, prefixes: readonly string[]): string => {
    if (prefixes.length === 0) return '';
    const shown = prefixes.slice(0, SHOWN_PREFIXES).join(', ');
    const more = prefixes.length - SHOWN_PREFIXES;
    return `, ${what} ${shown}${more > 0 ? ` and ${more} more` : ''}`;
  };
  const which =
    routes === undefined ? '' : `${some('missing', routes.missing)}${some('surplus', routes.surplus)}`;
  return `${target.family}: ${sent} routes were sent and ${intended} should have been${which}`;
}

/** With the time of its last change of status. */
function dated(condition: Undated, before: SessionStatus | undefined, now: Date): Condition {
  const known = before?.conditions?.find(({ type }) => type === condition.type);
  return { ...condition, lastTransitionTime: transitionTime(known, condition.status, wholeSeconds(now)) };
}
