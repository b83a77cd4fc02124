/** FRR's `show … json` answers as values. Absent or odd fields read as zero or empty; the shape is FRR 10's. */
import type { Family } from '#core/model/ip.ts';

export interface BgpSession {
  /** Empty: the default VRF. */
  readonly vrf: string;
  /** Address or interface, as FRR calls the neighbour. */
  readonly neighbor: string;
  /** FRR's word: Idle, Connect, Active, OpenSent, OpenConfirm, Established. */
  readonly state: string;
  /** Seconds the session has been up; undefined while it is not. */
  readonly upSeconds: number | undefined;
  readonly families: readonly Family[];
  readonly sentPrefixes: number;
  /** Of `sentPrefixes`, by family; a family that the session does not carry (now) is absent. */
  readonly sent: Readonly<Partial<Record<Family, number>>>;
  readonly acceptedPrefixes: number;
  readonly established: number;
  readonly dropped: number;
  /** Why the session went down last, in FRR's words; empty when it never did. */
  readonly lastReset: string;
  /** Code and subcode of the last NOTIFICATION, sent or received (RFC 4271 §4.5): four hex digits; empty: none. */
  readonly lastError: string;
  /** What the router said with its last shutdown (RFC 9003); empty: nothing. */
  readonly shutdownMessage: string;
  /** FRR's word for the BFD session (Up, Down, …); undefined without BFD. */
  readonly bfd: string | undefined;
  readonly messages: BgpMessages;
}

export interface BgpMessages {
  readonly opensSent: number;
  readonly opensReceived: number;
  readonly notificationsSent: number;
  readonly updatesSent: number;
  readonly updatesReceived: number;
  readonly keepalivesSent: number;
  readonly keepalivesReceived: number;
  readonly routeRefreshSent: number;
  readonly totalSent: number;
  readonly totalReceived: number;
}

export interface BfdEnd {
  /** Empty: the default VRF. */
  readonly vrf: string;
  /** The peer's address; a link-local one for an unnumbered neighbour. */
  readonly peer: string;
  /** Empty for a multi-hop session, or while it is not known. */
  readonly interface: string;
}

export interface BfdSession extends BfdEnd {
  readonly isUp: boolean;
}

export interface BfdCounters extends BfdEnd {
  readonly controlInput: number;
  readonly controlOutput: number;
  readonly echoInput: number;
  readonly echoOutput: number;
  readonly upEvents: number;
  readonly downEvents: number;
  readonly zebraNotifications: number;
}

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

type Json = Readonly<Record<string, unknown>>;

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function vrfName(name: string): string {
  return name === 'default' ? '' : name;
}

/** Reads `show bgp vrf all neighbors json`. Neighbours are keyed by address or, unnumbered ones, by interface. */
export function parseNeighbors(answer: unknown): BgpSession[] {
  return Object.entries(object(answer)).flatMap(([vrf, neighbors]) =>
    Object.entries(object(neighbors))
      .filter(([, value]) => typeof value === 'object' && value !== null)
      .map(([neighbor, value]) => parseNeighbor(vrfName(vrf), neighbor, object(value))),
  );
}

function parseNeighbor(vrf: string, neighbor: string, value: Json): BgpSession {
  const state = text(value['bgpState']);
  const families = object(value['addressFamilyInfo']);
  const sum = (field: string): number =>
    Object.values(families).reduce<number>((total, family) => total + number(object(family)[field]), 0);
  const bfd = value['peerBfdInfo'];
  return {
    vrf,
    neighbor,
    state,
    upSeconds: state === 'Established' ? number(value['bgpTimerUpMsec']) / 1000 : undefined,
    families: FAMILIES.filter((family) => `${family}Unicast` in families),
    sentPrefixes: sum('sentPrefixCounter'),
    sent: Object.fromEntries(
      FAMILIES.map((family) => [family, object(families[`${family}Unicast`])['sentPrefixCounter']]).filter(
        ([, count]) => typeof count === 'number',
      ),
    ),
    acceptedPrefixes: sum('acceptedPrefixCounter'),
    established: number(value['connectionsEstablished']),
    dropped: number(value['connectionsDropped']),
    lastReset: text(value['lastResetDueTo']),
    lastError: text(value['lastErrorCodeSubcode']).toLowerCase(),
    shutdownMessage: text(value['lastShutdownDescription']),
    bfd: bfd === undefined ? undefined : text(object(bfd)['status']),
    messages: parseMessages(object(value['messageStats'])),
  };
}

function parseMessages(stats: Json): BgpMessages {
  return {
    opensSent: number(stats['opensSent']),
    opensReceived: number(stats['opensRecv']),
    notificationsSent: number(stats['notificationsSent']),
    updatesSent: number(stats['updatesSent']),
    updatesReceived: number(stats['updatesRecv']),
    keepalivesSent: number(stats['keepalivesSent']),
    keepalivesReceived: number(stats['keepalivesRecv']),
    routeRefreshSent: number(stats['routeRefreshSent']),
    totalSent: number(stats['totalSent']),
    totalReceived: number(stats['totalRecv']),
  };
}

function list(answer: unknown): Json[] {
  return Array.isArray(answer) ? answer.map(object) : [];
}

function bfdEnd(peer: Json): BfdEnd {
  return { vrf: vrfName(text(peer['vrf'])), peer: text(peer['peer']), interface: text(peer['interface']) };
}

/** Reads `show bgp … neighbors X advertised-routes json`: the prefixes. */
export function parseAdvertised(answer: unknown): string[] {
  return Object.keys(object(object(answer)['advertisedRoutes']));
}

/** Reads `show bfd [vrf X] peers json`. */
export function parseBfdPeers(answer: unknown): BfdSession[] {
  return list(answer).map((peer) => ({ ...bfdEnd(peer), isUp: peer['status'] === 'up' }));
}

/** Reads `show bfd [vrf X] peers counters json`. */
export function parseBfdCounters(answer: unknown): BfdCounters[] {
  return list(answer).map((peer) => ({
    ...bfdEnd(peer),
    controlInput: number(peer['control-packet-input']),
    controlOutput: number(peer['control-packet-output']),
    echoInput: number(peer['echo-packet-input']),
    echoOutput: number(peer['echo-packet-output']),
    upEvents: number(peer['session-up']),
    downEvents: number(peer['session-down']),
    zebraNotifications: number(peer['zebra-notifications']),
  }));
}
