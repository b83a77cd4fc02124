import { describe, expect, it } from 'vitest';
import type { SessionReport } from '#core/frr/reconcile.ts';
import { nothingTold, sessionEvents } from '#core/status/session-events.ts';
import { observed, report } from '#tests/support/bgp-sessions.ts';

function tell(...reports: readonly SessionReport[]): string[] {
  let told = nothingTold;
  return reports.map((each) => {
    const next = sessionEvents(told, each, 'n1');
    told = next.told;
    return next.events.map(({ reason, message }) => `${reason} ${message}`).join('; ');
  });
}

const up = report();
const down = (lastError: string): SessionReport =>
  report({ observed: observed({ state: 'Active', dropped: 1, lastError, lastReset: 'send' }) });
const target = { peer: 'tor1', vrf: '', neighbor: '10.0.0.1', family: 'ipv4' } as const;
const differing = report({ differences: [{ target, intended: 2, sent: 1, routes: undefined }] });

describe('events on a BGPPeer', () => {
  it('a session that is up when it is first seen is no news', () => {
    expect(tell(up, up)).toEqual(['', '']);
  });
  it('down at once with the cause, once; up again', () => {
    const [, first, second, again] = tell(up, down('0400'), down('0400'), up);
    expect(first).toMatch(
      /^BGPSessionDown session of node n1 with 10\.0\.0\.1 went down: nothing was heard.* hold time\. Check/,
    );
    expect(second).toBe('');
    expect(again).toMatch(/^BGPSessionUp /);
  });
  it('one that does not come up is told when the cause lasts, and again when the cause is another', () => {
    const told = tell(down('0202'), down('0202'), down('0202'), down('0602'), down('0602'));
    expect(told.map((text) => text.split(' ')[0])).toEqual(['', 'BGPSessionDown', '', '', 'BGPSessionDown']);
    expect(told[1]).toContain('does not come up');
  });
  it('a flap between two looks', () => {
    const flapped = report({
      observed: observed({ established: 2, dropped: 1, lastError: '0604', lastReset: 'received' }),
    });
    expect(tell(up, flapped)[1]).toMatch(/was down for a moment: the session was reset by hand/);
  });
  it('routes that differ, and agree again', () => {
    const told = tell(up, differing, differing, up);
    expect(told.map((text) => text.split(' ')[0])).toEqual(['', 'BGPRoutesDiffer', '', 'BGPRoutesInSync']);
    expect(told[1]).toContain('1 routes were sent and 2 should have been');
  });
});
