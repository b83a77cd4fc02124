/**
 * Intended versus real, session by session: how many routes each neighbour should have been sent, and what FRR
 * says. Counts are cheap (one answer for all neighbours); which prefixes differ is asked only where counts do, and
 * now and then where they do not.
 */
import { peerFamilies } from '#core/frr/build.ts';
import { frrPrefix, neighborWord } from '#core/frr/grammar.ts';
import type { FrrModel, Router } from '#core/frr/model.ts';
import type { BgpSession } from '#core/frr/parse.ts';
import type { RemoteAs } from '#core/model/config.ts';
import { formatAddress, type Family } from '#core/model/ip.ts';

/** A session that should exist. Holds nothing secret. */
export interface IntendedSession {
  /** Name of the BGPPeer. */
  readonly peer: string;
  /** Empty: the default VRF. */
  readonly vrf: string;
  /** Address or interface, as FRR calls the neighbour. */
  readonly neighbor: string;
  readonly isInterface: boolean;
  readonly port: number;
  readonly myAsn: number;
  readonly remoteAs: RemoteAs;
  readonly multiHop: boolean;
  readonly hasPassword: boolean;
  readonly hasBfd: boolean;
  /** BFD is left out for now: the router did not answer it, and FRR would wait. */
  readonly isWithoutBfd: boolean;
  /** The neighbour is an address of this node itself. */
  readonly isOwnAddress: boolean;
  /** Routes the neighbour should have, by family that the session carries. */
  readonly routes: Readonly<Partial<Record<Family, number>>>;
}

export interface IntendedSessions {
  readonly sessions: readonly IntendedSession[];
  /** Somebody else's lines are in the configuration: they may announce or hold back routes of their own accord. */
  readonly hasRaw: boolean;
}

/** What the model means for each neighbour. `own`: the node's addresses, canonical. */
export function intendedSessions(model: FrrModel, own: ReadonlySet<string> = new Set()): IntendedSessions {
  const sessions = model.routers
    .flatMap((router) => sessionsOf(router, own))
    .map((session) => ({ ...session, isWithoutBfd: model.withoutBfd?.has(session.peer) === true }));
  return { sessions, hasRaw: model.raw.length > 0 };
}

function sessionsOf(router: Router, own: ReadonlySet<string>): Omit<IntendedSession, 'isWithoutBfd'>[] {
  const counts = new Map<string, number>();
  for (const { prefix, tag } of router.networks) {
    const key = `${prefix.family} ${tag}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return router.neighbors.map((peer) => {
    const tags = tagsOf(router, peer.name);
    const total = (family: Family): number =>
      tags.reduce((sum, tag) => sum + (counts.get(`${family} ${tag}`) ?? 0), 0);
    const { endpoint } = peer;
    return {
      peer: peer.name,
      vrf: peer.vrf,
      neighbor: neighborWord(peer),
      isInterface: endpoint.kind === 'interface',
      port: peer.port,
      myAsn: peer.localAsn ?? peer.myAsn,
      remoteAs: peer.remoteAs,
      multiHop: peer.ebgpMultiHop,
      hasPassword: peer.password !== undefined,
      hasBfd: peer.bfdProfile !== undefined,
      isOwnAddress:
        peer.vrf === '' && endpoint.kind === 'address' && own.has(formatAddress(endpoint.address)),
      routes: Object.fromEntries(peerFamilies(peer).map((family) => [family, total(family)])),
    };
  });
}

function tagsOf(router: Router, peer: string): number[] {
  return router.classes
    .filter(({ grants }) => grants.some(({ peers }) => peers.includes(peer)))
    .map(({ tag }) => tag);
}

/** One family of one session. */
export interface Target {
  readonly peer: string;
  readonly vrf: string;
  readonly neighbor: string;
  readonly family: Family;
}

/** The prefixes that the neighbour of the target should have. */
export function intendedPrefixes(model: FrrModel, { peer, vrf, family }: Target): Set<string> {
  const router = model.routers.find((each) => each.vrf === vrf);
  const tags = new Set(router === undefined ? [] : tagsOf(router, peer));
  const networks = router?.networks ?? [];
  return new Set(
    networks
      .filter(({ prefix, tag }) => prefix.family === family && tags.has(tag))
      .map(({ prefix }) => frrPrefix(prefix)),
  );
}

/** How the routes one neighbour was sent differ from those it should have; `surplus` not where others write too. */
export interface RouteDifference {
  readonly missing: readonly string[];
  readonly surplus: readonly string[];
}

/** Compares the prefixes FRR says it sent with the intended ones. */
export function compareRoutes(model: FrrModel, target: Target, sent: readonly string[]): RouteDifference {
  const intended = intendedPrefixes(model, target);
  const surplus = model.raw.length > 0 ? [] : sent.filter((prefix) => !intended.has(prefix));
  for (const prefix of sent) intended.delete(prefix);
  return { missing: [...intended].sort(), surplus: surplus.sort() };
}

/** FRR's view of an intended session; undefined when it does not have the neighbour. */
export function observedSession(
  observed: readonly BgpSession[],
  { vrf, neighbor }: Pick<IntendedSession, 'vrf' | 'neighbor'>,
): BgpSession | undefined {
  return observed.find((session) => session.vrf === vrf && session.neighbor === neighbor);
}

/** Families of an established session whose number of routes is not the intended one. */
export function countMismatches(
  intended: IntendedSession,
  observed: BgpSession | undefined,
  hasRaw: boolean,
): Family[] {
  if (observed?.state !== 'Established') return [];
  return (Object.entries(intended.routes) as [Family, number][])
    .filter(([family, wanted]) => {
      // A family the router did not agree to carry is no difference that sending again could repair.
      const sent = observed.sent[family];
      return sent !== undefined && (hasRaw ? sent < wanted : sent !== wanted);
    })
    .map(([family]) => family);
}
