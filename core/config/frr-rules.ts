/**
 * What one FRR cannot do with several peers on one node: rules FRR-1 to FRR-3 (api.md §6.8). All backends are
 * served by FRR, so these are the mode's rules everywhere; FRR-4 is PEER-14.
 */
import { NodeSharing } from '#core/config/node-sharing.ts';
import { byName, bySeniority } from '#core/config/order.ts';
import { specOf, type RawPeer } from '#core/config/peers.ts';
import { problemsOf, type Finding } from '#core/config/problems.ts';
import type { Problem } from '#core/model/config.ts';
import { formatAddress, parseAddress } from '#core/model/ip.ts';
import type { Selector } from '#core/model/selector.ts';
import type { NodeView } from '#core/model/views.ts';

export interface RuledPeer {
  readonly object: RawPeer;
  readonly nodeSelectors: readonly Selector[];
  /** It has no problem of its own. */
  readonly valid: boolean;
}

interface Traits {
  readonly routerId: string;
  /** Address as written, or interface; with the VRF. */
  readonly identifier: string;
  /** The same with the address in canonical text: what FRR knows the neighbour by. */
  readonly identity: string;
  readonly myAsn: number;
  readonly vrf: string;
}

function traitsOf(object: RawPeer): Traits {
  const { routerID = '', peerAddress = '', interface: name = '', vrf = '', myASN } = specOf(object);
  const place = peerAddress === '' ? name : peerAddress;
  const inVrf = (text: string): string => (vrf === '' ? text : `${text}-${vrf}`);
  const address = parseAddress(place);
  const identity = inVrf(address === undefined ? place : formatAddress(address));
  return { routerId: routerID, identifier: inVrf(place), identity, myAsn: myASN, vrf };
}

/** Rules that a pair on one node breaks, in order. One without a local ASN is PEER-1's business. */
function broken(a: Traits, b: Traits): ('FRR-1' | 'FRR-2' | 'FRR-3')[] {
  return [
    ...(a.routerId === b.routerId ? [] : (['FRR-1'] as const)),
    ...(a.identity === b.identity && a.identity !== '' ? (['FRR-2'] as const) : []),
    ...(a.myAsn !== b.myAsn && a.vrf === b.vrf && a.myAsn !== 0 && b.myAsn !== 0 ? (['FRR-3'] as const) : []),
  ];
}

/** Of two peers that exclude each other: who stays and who is told. One that is invalid anyway gives way. */
function ranked<T extends RuledPeer>(a: T, b: T): readonly [senior: T, junior: T] {
  if (a.valid !== b.valid) return a.valid ? [a, b] : [b, a];
  return bySeniority(a.object, b.object) < 0 ? [a, b] : [b, a];
}

/**
 * All problems between peers, in the order of the pairs by name, and the names of the peers that are out. Of each
 * pair the problem is the junior's. A peer is out when it conflicts with one that is in force: a peer that is
 * invalid by itself takes nobody with it.
 */
export function applyFrrRules(
  peers: readonly RuledPeer[],
  nodes: readonly NodeView[],
): { problems: Problem[]; out: ReadonlySet<string> } {
  const sharing = new NodeSharing(nodes);
  const sorted = [...peers]
    .sort((a, b) => byName(a.object, b.object))
    .map((peer) => ({ ...peer, traits: traitsOf(peer.object) }));
  const conflicts = new Map<string, RawPeer[]>();
  const problems: Problem[] = [];
  const told = new Set<string>();
  for (const [index, a] of sorted.entries()) {
    for (const b of sorted.slice(index + 1)) {
      const rules = broken(a.traits, b.traits);
      if (rules.length === 0) continue;
      if (sharing.anyNode && !sharing.share(a.nodeSelectors, b.nodeSelectors)) continue;
      const [senior, junior] = ranked(a, b);
      const name = junior.object.metadata.name;
      conflicts.set(name, [...(conflicts.get(name) ?? []), senior.object]);
      for (const rule of rules.filter((rule) => !told.has(`${rule} ${name}`))) {
        told.add(`${rule} ${name}`);
        problems.push(...problemOf(rule, junior.object, senior.object));
      }
    }
  }
  return { problems, out: outOf(sorted, conflicts) };
}

function outOf(peers: readonly RuledPeer[], conflicts: ReadonlyMap<string, readonly RawPeer[]>): Set<string> {
  const inForce = new Set<string>();
  const out = new Set<string>();
  for (const { object, valid } of [...peers].sort((a, b) => bySeniority(a.object, b.object))) {
    const { name } = object.metadata;
    const blocked = (conflicts.get(name) ?? []).some((senior) => inForce.has(senior.metadata.name));
    if (blocked) out.add(name);
    else if (valid) inForce.add(name);
  }
  return out;
}

function problemOf(rule: 'FRR-1' | 'FRR-2' | 'FRR-3', junior: RawPeer, senior: RawPeer): Problem[] {
  const { name, namespace = '' } = junior.metadata;
  return problemsOf({ kind: 'BGPPeer', namespace, name }, [findingOf(rule, junior, senior)]);
}

function findingOf(rule: 'FRR-1' | 'FRR-2' | 'FRR-3', junior: RawPeer, senior: RawPeer): Finding {
  const mine = traitsOf(junior);
  const theirs = traitsOf(senior);
  const other = `BGPPeer ${senior.metadata.name}`;
  const text = (id: string): string => (id === '' ? 'unset' : id);
  switch (rule) {
    case 'FRR-1':
      return {
        code: rule,
        field: 'spec.routerID',
        message: `routerID is ${text(mine.routerId)} here and ${text(theirs.routerId)} in ${other}: all peers of a node need the same one`,
        remedy: `Use the routerID of ${other}, or select other nodes.`,
      };
    case 'FRR-2':
      return {
        code: rule,
        field: specOf(junior).peerAddress === undefined ? 'spec.interface' : 'spec.peerAddress',
        message: `peer ${mine.identifier} already exists: ${other} has it on the same node`,
        remedy: 'Remove one of the two peers, or let them select different nodes or VRFs.',
        summary: `peer ${mine.identifier} already exists, FRR mode doesn't support duplicate BGPPeers selecting the same node`,
      };
    case 'FRR-3':
      return {
        code: rule,
        field: 'spec.myASN',
        message: `myASN is ${mine.myAsn} here and ${theirs.myAsn} in ${other}: a VRF of a node has one local ASN`,
        remedy: `Use myASN ${theirs.myAsn}; localASN shows another number to this neighbour only.`,
      };
  }
}
