import { describe, expect, it } from 'vitest';
import type { SessionReport } from '#core/frr/reconcile.ts';
import {
  planSessionState,
  sessionStateLabels,
  sessionStateName,
  type SessionStatus,
} from '#core/status/bgp-session-state.ts';
import { intended, observed, report } from '#tests/support/bgp-sessions.ts';

const NOW = new Date('2026-11-25T12:00:00.400Z');
const LATER = new Date('2026-11-25T12:05:00Z');

function plan(status: SessionStatus | undefined, seen: SessionReport, writtenAgoMs = Infinity, now = NOW) {
  const existing = { name: 'x', ownerUids: [], status };
  return planSessionState(existing, { node: 'n1', report: seen, now, writtenAgoMs });
}

function written(seen: SessionReport, before?: SessionStatus, now = NOW): SessionStatus {
  const write = plan(before, seen, Infinity, now);
  if (write.kind === 'none') throw new Error('nothing is written');
  return write.status;
}

const fell = report({
  observed: observed({ state: 'Active', dropped: 1, lastError: '0400', lastReset: 'BGP Notification send' }),
});

describe('BGPSessionState', () => {
  it('is made with labels, and says how the session is', () => {
    const write = planSessionState(undefined, {
      node: 'n1',
      report: report(),
      now: NOW,
      writtenAgoMs: Infinity,
    });
    expect(write).toMatchObject({
      kind: 'create',
      labels: { 'metallb.io/node': 'n1', 'metallb.io/peer': 'tor1', 'metallb.io/vrf': '' },
      status: {
        node: 'n1',
        peer: 'tor1',
        address: '10.0.0.1',
        vrf: '',
        bgpStatus: 'Established',
        bfdStatus: 'N/A',
        since: '2026-11-25T11:59:55Z',
        prefixesSent: 2,
        prefixesIntended: 2,
        prefixesAccepted: 0,
        timesEstablished: 1,
        lastError: '',
        conditions: [
          { type: 'Established', status: 'True' },
          { type: 'InSync', status: 'True' },
        ],
      },
    });
  });

  it('says why it is down and what to do', () => {
    const status = written(fell);
    expect(status.lastError).toMatch(/hold time/);
    expect(status.remedy).toMatch(/Check whether the router is alive/);
    expect(status.conditions).toMatchObject([
      { type: 'Established', status: 'False', reason: 'HoldTimerExpired' },
      { type: 'InSync', status: 'Unknown' },
    ]);
  });

  it('is not written again while nothing changes', () => {
    expect(plan(written(report()), report(), Infinity, LATER).kind).toBe('none');
  });

  it('is not written for states that come and go while the session is down', () => {
    const status = written(fell);
    const connecting = { ...fell, observed: { ...fell.observed!, state: 'Connect' } };
    expect(plan(status, connecting, Infinity, LATER).kind).toBe('none');
  });

  it('is written at once when the session goes, and keeps since when when it stays so', () => {
    const up = written(report());
    const down = written(fell, up, LATER);
    expect(down.since).toBe('2026-11-25T12:05:00Z');
    expect(down.conditions?.[0]?.lastTransitionTime).toBe('2026-11-25T12:05:00Z');
    const differs = { ...fell, observed: { ...fell.observed!, lastError: '0602', lastReset: 'received' } };
    expect(written(differs, down, NOW).since).toBe('2026-11-25T12:05:00Z');
  });

  it('a flap between two looks is a new since', () => {
    const up = written(report());
    const again = report({ observed: observed({ established: 2, dropped: 1, upSeconds: 1 }) });
    expect(written(again, up, LATER).since).toBe('2026-11-25T12:04:59Z');
  });

  it('counts alone are written at most once a minute', () => {
    const up = written(report());
    const more = report({
      intended: intended({ routes: { ipv4: 3 } }),
      observed: observed({ sentPrefixes: 3 }),
    });
    expect(plan(up, more, 59_000).kind).toBe('none');
    expect(plan(up, more, 60_000)).toMatchObject({ kind: 'write-status', status: { prefixesSent: 3 } });
  });

  it('names what the router was not sent', () => {
    const target = { peer: 'tor1', vrf: '', neighbor: '10.0.0.1', family: 'ipv4' } as const;
    const missing = Array.from({ length: 7 }, (_, i) => `198.51.100.${i}/32`);
    const routes = { missing, surplus: ['192.0.2.0/24'] };
    const status = written(report({ differences: [{ target, intended: 9, sent: 3, routes }] }));
    expect(status.conditions?.[1]).toMatchObject({ type: 'InSync', status: 'False', reason: 'RoutesDiffer' });
    expect(status.conditions?.[1]?.message).toBe(
      'ipv4: 3 routes were sent and 9 should have been, missing 198.51.100.0/32, 198.51.100.1/32, 198.51.100.2/32, 198.51.100.3/32, 198.51.100.4/32 and 2 more, surplus 192.0.2.0/24',
    );
  });

  it('does not know how the session is while FRR is silent', () => {
    const status = written(report({ observed: undefined, frrAnswers: false }));
    expect(status).toMatchObject({
      bgpStatus: 'Unknown',
      conditions: [{ status: 'Unknown', reason: 'FRRSilent' }, {}],
    });
  });

  it('names and labels fit, and differ', () => {
    expect(sessionStateName('a-b', 'c')).not.toBe(sessionStateName('a', 'b-c'));
    const long = `${'n'.repeat(62)}.${'m'.repeat(190)}`;
    expect(sessionStateName(long, long).length).toBeLessThanOrEqual(253);
    const values = Object.values(sessionStateLabels(long, `${long}x`, ''));
    for (const value of values) expect(value).toMatch(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/);
    expect(new Set(values).size).toBe(3);
  });
});
