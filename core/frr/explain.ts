/**
 * Why a session is not established, in plain words, and what to do about it. Read from what FRR 10.3 reports;
 * codes of NOTIFICATION messages are those of RFC 4271 §4.5, RFC 4486 and RFC 9384.
 */
import type { BgpSession } from '#core/frr/parse.ts';
import type { SessionReport } from '#core/frr/reconcile.ts';
import type { IntendedSession } from '#core/frr/sessions.ts';

export interface SessionCause {
  /** One word for conditions and events. */
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
}

type Explain = (intended: IntendedSession, observed: BgpSession, wasSent: boolean) => SessionCause;

const cause = (reason: string, message: string, remedy: string): SessionCause => ({
  reason,
  message,
  remedy,
});

const checkRouter = "Look at the router's log of this session.";

const badPeerAs: Explain = ({ remoteAs, myAsn }, _observed, wasSent) =>
  wasSent
    ? cause(
        'BadPeerAS',
        `the router is not in ${remoteAs.kind === 'asn' ? `AS ${remoteAs.asn}` : `an ${remoteAs.kind} AS`}, which the BGPPeer expects`,
        'Correct spec.peerASN or spec.dynamicASN, or the AS number of the router.',
      )
    : cause(
        'BadPeerAS',
        `the router expects this node in another AS than ${myAsn}`,
        `Correct spec.myASN (or spec.localASN), or tell the router that this neighbour is in AS ${myAsn}.`,
      );

const holdTimer: Explain = (_intended, _observed, wasSent) =>
  wasSent
    ? cause(
        'HoldTimerExpired',
        'nothing was heard from the router for the whole hold time',
        'Check whether the router is alive and whether the path to it loses packets.',
      )
    : cause(
        'HoldTimerExpired',
        'the router heard nothing from this node for the whole hold time',
        'Check whether the path to the router loses packets and whether the node is overloaded.',
      );

const shutdown: Explain = (_intended, { shutdownMessage }) =>
  cause(
    'AdministrativeShutdown',
    `the router's administrator shut the session down${shutdownMessage === '' ? '' : `: ${JSON.stringify(shutdownMessage)}`}`,
    'Enable the neighbour on the router again.',
  );

/** By code and subcode, else by code alone. */
const notifications: Readonly<Record<string, Explain>> = {
  '02': () => cause('OpenRejected', 'one side does not accept the OPEN message of the other', checkRouter),
  '0202': badPeerAs,
  '0203': () =>
    cause(
      'BadRouterID',
      'the router identifier is not acceptable: it is zero, or the same on both sides',
      'Give the node or the router another identifier (spec.routerID).',
    ),
  '0206': () =>
    cause(
      'UnacceptableHoldTime',
      'the hold time is not acceptable to the other side',
      'Correct spec.holdTime, or the least hold time of the router.',
    ),
  '0207': () =>
    cause(
      'UnsupportedCapability',
      'the two sides have no address family in common',
      'Enable the address family of the session on the router.',
    ),
  '03': () => cause('UpdateRejected', 'one side does not accept an UPDATE of the other', checkRouter),
  '04': holdTimer,
  '0601': () =>
    cause(
      'TooManyPrefixes',
      'more prefixes were sent than the other side takes',
      'Raise the maximum of the router, or aggregate (spec.aggregationLength of the BGPAdvertisement).',
    ),
  '0602': shutdown,
  '0603': () =>
    cause(
      'PeerDeconfigured',
      'the router no longer knows this node as a neighbour',
      'Configure the neighbour on the router again.',
    ),
  '0604': () => cause('AdministrativeReset', 'the session was reset by hand', 'It comes back by itself.'),
  '0605': () =>
    cause(
      'ConnectionRejected',
      'the router rejects the connection',
      'Check whether the router knows this node as a neighbour.',
    ),
  '0609': () => cause('HardReset', 'the session was reset', 'It comes back by itself.'),
  '060a': () => cause('BFDDown', 'the router saw BFD go down', 'Check the path between node and router.'),
};

/**
 * What keeps the session from being established, or ended it last. Undefined when nothing did: an established
 * session that never went down.
 */
export function explainSession({
  intended,
  observed,
  frrAnswers,
}: Pick<SessionReport, 'intended' | 'observed' | 'frrAnswers'>): SessionCause | undefined {
  if (!frrAnswers)
    return cause(
      'FRRSilent',
      'the FRR of the node does not answer',
      "Look at container frr of the node's speaker; everything is given back to it as soon as it answers.",
    );
  if (observed === undefined)
    return cause(
      'NotConfigured',
      'FRR does not have the neighbour (yet)',
      'If this stays, the log of the speaker says why.',
    );
  if (observed.state !== 'Established') return present(intended, observed) ?? past(intended, observed);
  return observed.dropped === 0 ? undefined : past(intended, observed);
}

/** Cease, Other Configuration Change: FRR begins a session again whose lines we changed; no cause of anything later. */
const OWN_CHANGE = '0606';

/** What is wrong now, whatever ended the session once. */
function present(intended: IntendedSession, observed: BgpSession): SessionCause | undefined {
  const { neighbor, hasBfd, isWithoutBfd, isOwnAddress } = intended;
  const isFirst = observed.lastError === '' || observed.lastError === OWN_CHANGE;
  if (isOwnAddress)
    return cause(
      'OwnAddress',
      `${neighbor} is an address of this node itself`,
      'Correct spec.peerAddress, or leave this node out by spec.nodeSelectors.',
    );
  if (/no path to specified neighbor/i.test(observed.lastReset)) return noPath(intended);
  if (isFirst && (isWithoutBfd || (hasBfd && /down/i.test(observed.bfd ?? ''))))
    return cause(
      'BFDDown',
      `${neighbor} does not answer BFD, and FRR waits for it before it begins the session`,
      'Enable BFD for this neighbour on the router, and let UDP 3784 (4784 over several hops) pass. It is tried without BFD in between.',
    );
  return isFirst ? notConnected(intended, observed) : undefined;
}

/** Nobody ever gave a reason: what can be told from how far the two sides got. */
function notConnected(intended: IntendedSession, observed: BgpSession): SessionCause | undefined {
  const { neighbor, port, isInterface, hasBfd } = intended;
  const { opensSent, opensReceived } = observed.messages;
  if (isInterface && opensSent === 0)
    return cause(
      'NoNeighbor',
      `no router is seen on interface ${neighbor}`,
      'Check the name of the interface, and whether the router sends router advertisements on it.',
    );
  if (opensSent > 0 && opensReceived === 0)
    return cause(
      'ConnectionClosed',
      `${neighbor} accepts the TCP connection and closes it without a word`,
      // FRR 10.3 is such a router: while it waits for BFD it takes no session.
      `Check whether the router knows this node (its source address) as a neighbour${hasBfd ? ' and is not shut down' : ', is not shut down, and does not wait for BFD (spec.bfdProfile)'}.`,
    );
  const isOnItsWay = observed.state.startsWith('Open');
  if (isOnItsWay || /bfd down/i.test(observed.lastReset)) return undefined;
  return cause('NoConnection', `no TCP connection to ${neighbor} port ${port}`, connectRemedy(intended));
}

function connectRemedy({ hasPassword, hasBfd }: IntendedSession): string {
  return hasPassword
    ? `Check whether both sides have the same password; then whether the router listens, is reachable${hasBfd ? '' : ', and does not wait for BFD'}.`
    : `Check whether the router listens, is reachable, and asks ${hasBfd ? 'for no password' : 'neither for a password nor for BFD'}.`;
}

function noPath({ neighbor, multiHop, isInterface, remoteAs, myAsn }: IntendedSession): SessionCause {
  const isInternal = remoteAs.kind === 'internal' || (remoteAs.kind === 'asn' && remoteAs.asn === myAsn);
  return cause(
    'NoRoute',
    `the node has no route to ${neighbor}`,
    multiHop || isInterface || isInternal
      ? 'Check the routes of the node.'
      : 'Check the routes of the node; a router that is not on one of its networks needs spec.ebgpMultiHop.',
  );
}

/** What ended the session last. */
function past(intended: IntendedSession, observed: BgpSession): SessionCause {
  const { lastError, lastReset } = observed;
  const explain = notifications[lastError] ?? notifications[lastError.slice(0, 2)];
  if (explain !== undefined) return explain(intended, observed, !/received/i.test(lastReset));
  if (/bfd down/i.test(lastReset))
    return cause('BFDDown', 'BFD went down', 'Check the path between node and router.');
  const words = lastReset === '' ? 'FRR gives no reason' : `FRR says: ${lastReset}`;
  return cause(observed.state === 'Established' ? 'Reset' : 'NotEstablished', words, checkRouter);
}
