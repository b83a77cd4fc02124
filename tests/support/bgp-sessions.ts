/** Sessions as FRR reports them and as they are intended, for unit tests; every field can be overridden. */
import type { BgpSession } from '#core/frr/parse.ts';
import type { SessionReport } from '#core/frr/reconcile.ts';
import type { IntendedSession } from '#core/frr/sessions.ts';

const messages = {
  opensSent: 1,
  opensReceived: 1,
  notificationsSent: 0,
  updatesSent: 1,
  updatesReceived: 1,
  keepalivesSent: 1,
  keepalivesReceived: 1,
  routeRefreshSent: 1,
  totalSent: 3,
  totalReceived: 3,
};

/** An established session that sent two IPv4 routes. */
export function observed(
  part: Partial<Omit<BgpSession, 'messages'>> & { messages?: Partial<BgpSession['messages']> } = {},
): BgpSession {
  return {
    vrf: '',
    neighbor: '10.0.0.1',
    state: 'Established',
    upSeconds: 5,
    families: ['ipv4'],
    sentPrefixes: 2,
    sent: { ipv4: 2 },
    acceptedPrefixes: 0,
    established: 1,
    dropped: 0,
    lastReset: '',
    lastError: '',
    shutdownMessage: '',
    bfd: undefined,
    ...part,
    messages: { ...messages, ...part.messages },
  };
}

/** A session with tor1 that should have been sent two IPv4 routes. */
export function intended(part: Partial<IntendedSession> = {}): IntendedSession {
  return {
    peer: 'tor1',
    vrf: '',
    neighbor: '10.0.0.1',
    isInterface: false,
    port: 179,
    myAsn: 64512,
    remoteAs: { kind: 'asn', asn: 64513 },
    multiHop: false,
    hasPassword: false,
    hasBfd: false,
    isWithoutBfd: false,
    isOwnAddress: false,
    routes: { ipv4: 2 },
    ...part,
  };
}

export function report(part: Partial<SessionReport> = {}): SessionReport {
  return { intended: intended(), observed: observed(), frrAnswers: true, differences: [], ...part };
}
