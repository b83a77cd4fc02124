/**
 * What one speaker does with one Service: both protocols asked in MetalLB's order (BGP first), each with its
 * reason. Pure: the loops gather, this decides, the ports act (speaker-l2.md §2.4).
 */
import { decideBgp, type BgpVerdict } from '#core/bgp/advertise.ts';
import type { BgpContext } from '#core/bgp/gates.ts';
import { decideL2, type L2Context, type L2Decision } from '#core/election/decide-l2.ts';
import type { Grant } from '#core/bgp/route.ts';
import { formatAddress } from '#core/model/ip.ts';
import { gateService, type GateReason } from '#core/model/service-gate.ts';
import type { EndpointSliceView, ServiceView } from '#core/model/views.ts';

export type L2Verdict =
  | { readonly kind: 'decided'; readonly decision: L2Decision }
  | { readonly kind: 'withhold'; readonly reason: GateReason; readonly message: string };

export interface ServiceVerdict {
  readonly key: string;
  readonly uid: string;
  /** Canonical texts in the order of the status; empty when the Service did not pass the gate. */
  readonly addresses: readonly string[];
  readonly bgp: BgpVerdict;
  readonly l2: L2Verdict;
}

export interface DecisionContext {
  readonly bgp: BgpContext;
  readonly l2: L2Context;
}

/** Decides one Service; `slices` are all EndpointSlices of it. */
export function decideAnnouncement(
  context: DecisionContext,
  service: ServiceView,
  slices: readonly EndpointSliceView[],
): ServiceVerdict {
  const gate = gateService(service, context.bgp.config.pools);
  const bgp = decideBgp(context.bgp, service, slices);
  const about = { key: service.key, uid: service.uid, bgp };
  if (gate.kind === 'stop') {
    return { ...about, addresses: [], l2: { kind: 'withhold', reason: gate.reason, message: gate.message } };
  }
  const request = { service, pool: gate.pool.name, addresses: gate.addresses, slices };
  return {
    ...about,
    addresses: gate.addresses.map(formatAddress),
    l2: { kind: 'decided', decision: decideL2(context.l2, request) },
  };
}

/** Whether this node announces on named interfaces only and has none of them (SVC-5, speaker-l2.md §2.7). */
export function lacksInterfaces(verdict: ServiceVerdict, present: readonly string[]): boolean {
  const wanted = verdict.l2.kind === 'decided' ? verdict.l2.decision.interfaces : undefined;
  return wanted !== undefined && !wanted.some((name) => present.includes(name));
}

export type Protocol = 'bgp' | 'layer2';

/** The protocols by which the verdict announces, in the order in which they are asked. */
export function protocolsOf(verdict: ServiceVerdict | undefined): readonly Protocol[] {
  if (verdict === undefined) return [];
  const protocols: Protocol[] = [];
  if (verdict.bgp.kind === 'announce') protocols.push('bgp');
  if (verdict.l2.kind === 'decided' && verdict.l2.decision.announce) protocols.push('layer2');
  return protocols;
}

/** The addresses that a protocol announces by the verdict, canonical, in the order of the status. */
export function announcedBy(verdict: ServiceVerdict | undefined, protocol: Protocol): readonly string[] {
  if (verdict === undefined || !protocolsOf(verdict).includes(protocol)) return [];
  if (protocol === 'bgp' && verdict.bgp.kind === 'announce') return verdict.bgp.addresses.map(formatAddress);
  return verdict.addresses;
}

/** Addresses that a protocol leaves out while it announces others, each with the reason; for the log. */
export function leftOut(verdict: ServiceVerdict, protocol: Protocol): readonly string[] {
  if (protocol !== 'bgp' || verdict.bgp.kind !== 'announce') return [];
  return verdict.bgp.unserved.map(({ address, message }) => `${formatAddress(address)}: ${message}`);
}

/** Why a protocol does not announce the Service; for log and command line. */
export function withholdReason(
  verdict: ServiceVerdict,
  protocol: Protocol,
): { readonly reason: string; readonly message: string } | undefined {
  if (protocol === 'bgp') return verdict.bgp.kind === 'withhold' ? verdict.bgp : undefined;
  if (verdict.l2.kind === 'withhold') return verdict.l2;
  const { decision } = verdict.l2;
  return decision.announce ? undefined : { reason: decision.reason, message: decision.detail };
}

export interface VerdictChange {
  /** Protocols that begin to announce, or go on with other addresses, interfaces, peers or attributes. */
  readonly started: readonly Protocol[];
  readonly stopped: readonly Protocol[];
  /** Something of an announcement is to be done otherwise that nobody has to be told of: its weight, that it is about to go, to whom it is let go. */
  readonly adjusted: boolean;
}

/** What is new in a verdict against the one before; deep-equal announcements are no change. */
export function compareVerdicts(
  before: ServiceVerdict | undefined,
  now: ServiceVerdict | undefined,
): VerdictChange {
  const was = protocolsOf(before);
  const is = protocolsOf(now);
  const differs = (protocol: Protocol): boolean =>
    before === undefined ||
    now === undefined ||
    !(protocol === 'bgp' ? isSameBgp(before, now) : isSameL2(before, now));
  const isUnadjusted = allAlike(
    announcementsOf(before),
    announcementsOf(now),
    ({ grant: x }, { grant: y }) => x === y || (x.weight === y.weight && x.shutdown === y.shutdown),
  );
  return {
    started: is.filter((protocol) => !was.includes(protocol) || differs(protocol)),
    stopped: was.filter((protocol) => !is.includes(protocol)),
    adjusted: !isUnadjusted || !allAlike(yieldsTo(before) ?? [], yieldsTo(now) ?? [], Object.is),
  };
}

type Announced = Extract<BgpVerdict, { kind: 'announce' }>['announcements'];

const nothing: Announced = [];

function announcementsOf(verdict: ServiceVerdict | undefined): Announced {
  return verdict?.bgp.kind === 'announce' ? verdict.bgp.announcements : nothing;
}

function allAlike<T>(a: readonly T[], b: readonly T[], alike: (a: T, b: T) => boolean): boolean {
  return a.length === b.length && a.every((each, i) => alike(each, b[i] as T));
}

/** A sweep compares thousands of verdicts that are the same: nothing is made into text for that. */
function isSameBgp(a: ServiceVerdict, b: ServiceVerdict): boolean {
  if (a.uid !== b.uid || a.bgp.kind !== 'announce' || b.bgp.kind !== 'announce') return false;
  return (
    allAlike(a.bgp.addresses, b.bgp.addresses, (x, y) => x.family === y.family && x.value === y.value) &&
    allAlike(a.bgp.announcements, b.bgp.announcements, (x, y) => {
      const [p, q] = [x.prefix, y.prefix];
      const isSamePrefix = p.family === q.family && p.base === q.base && p.prefix === q.prefix;
      return isSamePrefix && (x.grant === y.grant || grantText(x.grant) === grantText(y.grant));
    })
  );
}

function isSameL2(a: ServiceVerdict, b: ServiceVerdict): boolean {
  return (
    a.uid === b.uid &&
    answersPing(a) === answersPing(b) &&
    allAlike(a.addresses, b.addresses, Object.is) &&
    l2Interfaces(a)?.join() === l2Interfaces(b)?.join()
  );
}

/** Few grants belong to many Services. */
const grantTexts = new WeakMap<Grant, string>();

/** A grant for comparing, without what nobody has to be told of; never shown. */
function grantText(grant: Grant): string {
  const known = grantTexts.get(grant) ?? JSON.stringify({ ...grant, weight: undefined, shutdown: undefined });
  grantTexts.set(grant, known);
  return known;
}

/** Interfaces of the Layer 2 announcement: undefined means all. */
export function l2Interfaces(verdict: ServiceVerdict): readonly string[] | undefined {
  return verdict.l2.kind === 'decided' ? verdict.l2.decision.interfaces : undefined;
}

/** Nodes to let the Layer 2 announcement go to as soon as they hold it too; undefined: there is none, or liveness is off. */
export function yieldsTo(verdict: ServiceVerdict | undefined): readonly string[] | undefined {
  return verdict?.l2.kind === 'decided' ? verdict.l2.decision.yieldTo : undefined;
}

/** ICMP echo is answered for the addresses of the Layer 2 announcement. */
export function answersPing(verdict: ServiceVerdict): boolean {
  return verdict.l2.kind === 'decided' && verdict.l2.decision.ping;
}
