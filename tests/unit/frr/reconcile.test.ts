import { describe, expect, it } from 'vitest';
import { SessionReconciler, type LookPlan } from '#core/frr/reconcile.ts';
import type { BgpSession } from '#core/frr/parse.ts';
import { intended, observed } from '#tests/support/bgp-sessions.ts';

const target = { peer: 'tor1', vrf: '', neighbor: '10.0.0.1', family: 'ipv4' } as const;
const short = observed({ sent: { ipv4: 1 } });
const equal = observed();

function watcher(): (now: number, session: BgpSession, changedAt?: number) => LookPlan {
  const reconciler = new SessionReconciler();
  return (now, session, changedAt = 0) =>
    reconciler.look({
      now,
      changedAt,
      intended: { sessions: [intended()], hasRaw: false },
      observed: [session],
    });
}

describe('routes that were not sent', () => {
  it('a difference that passes is none', () => {
    const look = watcher();
    expect(look(0, short)).toMatchObject({ ask: [], resend: [], reports: [{ differences: [] }] });
    expect(look(2_000, equal).resend).toEqual([]);
    expect(look(4_000, short).resend).toEqual([]);
  });
  it('one that lasts is told, asked about, and repaired once per back-off, which doubles', () => {
    const look = watcher();
    look(0, short);
    const repaired: number[] = [];
    for (let now = 5_000; now <= 300_000; now += 5_000) {
      const plan = look(now, short);
      expect(plan.reports[0]?.differences).toMatchObject([{ intended: 2, sent: 1 }]);
      if (plan.resend.length > 0) repaired.push(now / 1000);
    }
    expect(repaired).toEqual([5, 35, 95, 215]);
  });
  it('begins anew once it was repaired', () => {
    const look = watcher();
    look(0, short);
    expect(look(5_000, short).resend).toEqual([target]);
    expect(look(10_000, equal)).toMatchObject({ resend: [], reports: [{ differences: [] }] });
    look(15_000, short);
    expect(look(20_000, short).resend).toEqual([target]);
  });
  it('does not count while changes are on their way', () => {
    const look = watcher();
    look(0, short, 0);
    expect(look(5_000, short, 4_000).resend).toEqual([]);
    expect(look(7_000, short, 4_000).resend).toEqual([target]);
  });
  it('a session that is down is left alone', () => {
    const look = watcher();
    look(0, short);
    const down = observed({ state: 'Active', sent: {} });
    expect(look(5_000, down)).toMatchObject({ ask: [], resend: [], reports: [{ differences: [] }] });
  });
});

describe('equal numbers, other prefixes', () => {
  it('are found by asking for one session a minute, and repaired', () => {
    const reconciler = new SessionReconciler();
    const look = (now: number): LookPlan =>
      reconciler.look({
        now,
        changedAt: 0,
        intended: { sessions: [intended()], hasRaw: false },
        observed: [equal],
      });
    expect(look(0).ask).toEqual([]);
    expect(look(60_000).ask).toEqual([target]);
    expect(look(65_000).ask).toEqual([]);
    reconciler.learned(target, { missing: ['198.51.100.1/32'], surplus: ['192.0.2.1/32'] }, 65_000);
    const plan = look(70_000);
    expect(plan.resend).toEqual([target]);
    expect(plan.reports[0]?.differences[0]?.routes?.missing).toEqual(['198.51.100.1/32']);
    expect(look(75_000)).toMatchObject({ ask: [target], resend: [] });
    reconciler.learned(target, { missing: [], surplus: [] }, 75_000);
    expect(look(80_000).reports[0]?.differences).toEqual([]);
  });
});
