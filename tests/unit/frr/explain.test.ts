/** What FRR 10.3 reported in these situations (made in network namespaces) and what it means. */
import { describe, expect, it } from 'vitest';
import { explainSession } from '#core/frr/explain.ts';
import type { BgpSession } from '#core/frr/parse.ts';
import type { IntendedSession } from '#core/frr/sessions.ts';
import { intended, observed } from '#tests/support/bgp-sessions.ts';

const neverOpened = { opensSent: 0, opensReceived: 0 };
const down = (part: Parameters<typeof observed>[0] = {}): BgpSession =>
  observed({ state: 'Active', established: 0, ...part });
const sent = 'BGP Notification send';
const received = 'BGP Notification received';

type Situation = readonly [
  name: string,
  session: BgpSession | undefined,
  reason: string,
  words: RegExp,
  want?: Partial<IntendedSession>,
];

const situations: readonly Situation[] = [
  ['FRR lacks the neighbour', undefined, 'NotConfigured', /does not have the neighbour/],
  ['we name another AS', down({ lastError: '0202', lastReset: sent }), 'BadPeerAS', /not in AS 64513/],
  ['they expect another AS', down({ lastError: '0202', lastReset: received }), 'BadPeerAS', /than 64512/],
  [
    'a kind of AS it is not in',
    down({ lastError: '0202', lastReset: sent }),
    'BadPeerAS',
    /not in an internal AS/,
    { remoteAs: { kind: 'internal' } },
  ],
  [
    'wrong password',
    down({ state: 'Connect', lastReset: 'Password config change', messages: neverOpened }),
    'NoConnection',
    /no TCP connection to 10\.0\.0\.1 port 179.*same password/,
    { hasPassword: true },
  ],
  [
    'a password that was changed here only',
    down({ state: 'Connect', lastError: '0606', lastReset: 'Password config change' }),
    'NoConnection',
    /same password/,
    { hasPassword: true },
  ],
  [
    'nothing listens',
    down({ lastReset: 'Waiting for peer OPEN', messages: neverOpened }),
    'NoConnection',
    /neither for a password nor for BFD/,
  ],
  [
    'not known there',
    down({ messages: { opensReceived: 0 } }),
    'ConnectionClosed',
    /closes it without a word/,
  ],
  [
    'no route',
    down({ lastReset: 'No path to specified Neighbor', messages: neverOpened }),
    'NoRoute',
    /spec\.ebgpMultiHop/,
  ],
  [
    'no route, several hops',
    down({ lastReset: 'No path to specified Neighbor', messages: neverOpened }),
    'NoRoute',
    /no route to 10\.0\.0\.1\..*Check the routes of the node\.$/,
    { multiHop: true },
  ],
  [
    'BFD not enabled there',
    down({ state: 'Idle', bfd: 'Down', lastReset: 'Address family activated', messages: neverOpened }),
    'BFDDown',
    /UDP 3784/,
    { hasBfd: true },
  ],
  ['BFD went down', down({ lastReset: 'BFD down received' }), 'BFDDown', /BFD went down/],
  [
    'shut down there',
    down({ lastError: '0602', lastReset: received, shutdownMessage: 'maintenance window' }),
    'AdministrativeShutdown',
    /"maintenance window"/,
  ],
  [
    'deconfigured there',
    down({ lastError: '0603', lastReset: received }),
    'PeerDeconfigured',
    /no longer knows/,
  ],
  ['reset there', down({ lastError: '0604', lastReset: received }), 'AdministrativeReset', /by hand/],
  [
    'silent router',
    down({ lastError: '0400', lastReset: sent }),
    'HoldTimerExpired',
    /heard from the router/,
  ],
  [
    'silent node',
    down({ lastError: '0400', lastReset: received }),
    'HoldTimerExpired',
    /heard nothing from this node/,
  ],
  ['same identifier', down({ lastError: '0203', lastReset: received }), 'BadRouterID', /spec\.routerID/],
  ['too many', down({ lastError: '0601', lastReset: received }), 'TooManyPrefixes', /more prefixes/],
  ['a subcode we do not know', down({ lastError: '0299', lastReset: sent }), 'OpenRejected', /OPEN/],
  [
    'words we do not know',
    down({ state: 'OpenSent', lastReset: 'Something new' }),
    'NotEstablished',
    /FRR says: Something new/,
  ],
  [
    'unnumbered, nobody there',
    down({ messages: neverOpened }),
    'NoNeighbor',
    /eth7/,
    { isInterface: true, neighbor: 'eth7' },
  ],
  ['own address', down({ messages: neverOpened }), 'OwnAddress', /spec\.peerAddress/, { isOwnAddress: true }],
  [
    'came back',
    observed({ dropped: 1, established: 2, lastError: '0400', lastReset: sent }),
    'HoldTimerExpired',
    /hold time/,
  ],
];

describe('why a session is down', () => {
  for (const [name, session, reason, words, want = {}] of situations)
    it(name, () => {
      const why = explainSession({ intended: intended(want), observed: session, frrAnswers: true });
      expect(why?.reason).toBe(reason);
      expect(`${why?.message}. ${why?.remedy}`).toMatch(words);
    });
  it('FRR is silent', () => {
    const why = explainSession({ intended: intended(), observed: undefined, frrAnswers: false });
    expect(why?.reason).toBe('FRRSilent');
  });
  it('nothing is said of a session that never went down', () => {
    expect(explainSession({ intended: intended(), observed: observed(), frrAnswers: true })).toBeUndefined();
  });
  it('what a router says cannot break a line', () => {
    const session = down({ lastError: '0602', lastReset: received, shutdownMessage: 'a\nb "c"' });
    const why = explainSession({ intended: intended(), observed: session, frrAnswers: true });
    expect(why?.message).not.toContain('\n');
  });
});
