/** Intended versus real with a real FRR: what differs is seen, explained and repaired, and no session notices. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { explainSession } from '#core/frr/explain.ts';
import type { SessionReport } from '#core/frr/reconcile.ts';
import type { BgpPeer, Config } from '#core/model/config.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { systemClock } from '#runtime/queue/clock.ts';
import { openFrr } from '#speaker/frr/driver.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { Sessions } from '#speaker/loops/sessions.ts';
import type { FrrPort } from '#speaker/ports.ts';
import { peer } from '#tests/support/bgp-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { announcing } from '#tests/support/frr-driver.ts';
import { FrrLab, OURS, ROUTER, ROUTER_CONFIG } from '#tests/support/frr-lab.ts';
import { profile } from '#tests/support/frr-scenarios.ts';

const LONG = 40_000;
const ADDRESSES = ['198.18.0.1', '198.18.0.2', '2001:db8::1'];
let lab: FrrLab;
let port: FrrPort;
let sessions: Sessions;
let reports: readonly SessionReport[] = [];
let events: string[] = [];

beforeAll(async () => {
  lab = await FrrLab.start('bgpint', ROUTER_CONFIG, [], false);
});
afterAll(async () => lab.down());

beforeEach(() => {
  const settings = { vtysh: lab.ours.vtyshCommand, configFile: undefined, runDir: lab.ours.runFolder };
  port = openFrr({ ...settings, checkMs: 3000 }, loadTemplates('frr-templates'), silent);
  [reports, events] = [[], []];
  sessions = new Sessions({
    nodeName: 'node-a',
    frr: port,
    ownAddresses: () => new Set([OURS.ipv4, OURS.ipv6]),
    clock: systemClock,
    logger: silent,
    metrics: createMetrics(),
    everyMs: 1000,
    onReports: (seen) => (reports = seen),
    onEvent: (name, event) => events.push(`${name} ${event.reason} ${event.message}`),
  });
  sessions.start();
});
afterEach(async () => {
  await sessions.close();
  // The next test begins with neighbours that have no history.
  announce([]);
  await eventually(() => expect(port.state.applied).toBe(port.state.desired), LONG);
  await port.close();
});

const fast = { connectTime: 1 };
const router = (part: Partial<BgpPeer> = {}): BgpPeer => peer('router', ROUTER.ipv4, { ...fast, ...part });

function announce(peers: readonly BgpPeer[], part: Partial<Config> = {}): void {
  port.setDesired(announcing(ADDRESSES, { peers, ...part }));
}

async function causes(...reasons: readonly string[]): Promise<void> {
  await eventually(() => {
    expect(reports.map((report) => explainSession(report)?.reason ?? 'none')).toEqual(reasons);
  }, LONG);
}

describe('routes', () => {
  it('the routes a router was sent are counted by session and family', async () => {
    announce([router(), peer('router6', ROUTER.ipv6, fast)]);
    await eventually(() => {
      expect(reports.map(({ observed }) => observed?.sent)).toEqual([{ ipv4: 2 }, { ipv6: 1 }]);
      expect(reports.map(({ differences }) => differences)).toEqual([[], []]);
    }, LONG);
  });

  it('a route that FRR did not send, and does not think of sending, is sent again', async () => {
    // With this timer FRR never evaluates routes again by itself when a filter changes.
    announce([router()], { frrExtras: 'bgp route-map delay-timer 0\n' });
    await eventually(async () => expect(await lab.received()).toHaveLength(2), LONG);
    await eventually(() => expect(reports[0]?.observed?.messages.routeRefreshSent).toBe(1), LONG);
    const before = await lab.session();
    const shown = await lab.ours.vtysh('show running-config');
    const entry = /route-map 10\.77\.0\.2-out permit \d+/.exec(shown)?.[0] ?? '';
    await lab.ours.load(`no ${entry}\n`);
    await lab.ours.vtysh(`clear bgp ipv4 unicast ${ROUTER.ipv4} soft out`);
    await eventually(async () => expect(await lab.received()).toEqual([]), LONG);
    await eventually(async () => expect(await lab.received()).toHaveLength(2), LONG);
    expect(events.find((event) => event.includes('BGPRoutesDiffer'))).toMatch(
      /missing 198\.18\.0\.1\/32|0 routes were sent/,
    );
    const after = await lab.session();
    expect([after.dropped, after.established]).toEqual([before.dropped, before.established]);
    await eventually(() => expect(reports[0]?.differences).toEqual([]), LONG);
  });
});

describe('why a session is down, as a real FRR and a real router show it', () => {
  it('other AS, no route, nothing listening, an address of our own (with bgpd -p 0)', async () => {
    announce([
      peer('as', ROUTER.ipv4, { ...fast, remoteAs: { kind: 'asn', asn: 64599 } }),
      peer('far', '192.0.2.1', fast),
      peer('port', ROUTER.ipv6, { ...fast, port: 1790 }),
      peer('self', OURS.ipv4, fast),
    ]);
    await causes('BadPeerAS', 'NoRoute', 'NoConnection', 'OwnAddress');
    // FRR itself takes the address of its own node when it does not listen: it is for us to say so.
    expect(port.state.refused).toEqual([]);
    await eventually(() => {
      const told = events.filter((event) => event.includes('BGPSessionDown'));
      expect(new Set(told.map((event) => event.split(' ')[0]))).toEqual(
        new Set(['as', 'far', 'port', 'self']),
      );
    }, LONG);
  });

  it('a password that only one side has', async () => {
    announce([router({ password: 'other' })]);
    await causes('NoConnection');
    expect(JSON.stringify([reports, events])).not.toContain('other');
  });

  it('BFD that the router does not have: told; the session comes up all the same, and BFD when the router has it', async () => {
    announce([router({ bfdProfile: 'p' })], { bfdProfiles: [profile('p')] });
    await causes('BFDDown');
    const bfd = (): string => `${reports[0]?.observed?.state} ${reports[0]?.observed?.bfd}`;
    await eventually(() => expect(bfd()).toBe('Established Down'), 60_000);
    expect(await lab.ours.vtysh('show running-config')).toContain(`neighbor ${ROUTER.ipv4} bfd profile p`);
    const before = await lab.session();
    const load = (no: string): Promise<void> =>
      lab.router.load(`router bgp 64513\n ${no}neighbor ${OURS.ipv4} bfd\n`);
    await load('');
    try {
      await eventually(() => expect(bfd()).toBe('Established Up'), LONG);
      expect(await lab.session()).toEqual(before);
    } finally {
      await load('no ');
    }
  });

  it('a router that waits for BFD, which we do not have', async () => {
    const bfd = (no: string): Promise<void> =>
      lab.router.load(`router bgp 64513\n ${no}neighbor ${OURS.ipv4} bfd\n`);
    await bfd('');
    try {
      announce([router()]);
      await causes('ConnectionClosed');
      const [report] = reports;
      expect(report && explainSession(report)?.remedy).toContain('BFD (spec.bfdProfile)');
    } finally {
      await bfd('no ');
    }
  });

  it('shut down on the router, with its words; back again', async () => {
    announce([router()]);
    await causes('none');
    const neighbor = `router bgp 64513\n`;
    await lab.router.load(`${neighbor} neighbor ${OURS.ipv4} shutdown message maintenance window\n`);
    await causes('AdministrativeShutdown');
    expect(events.at(-1)).toMatch(/^router BGPSessionDown .*"maintenance window"/);
    await lab.router.load(`${neighbor} no neighbor ${OURS.ipv4} shutdown\n`);
    await eventually(() => expect(events.at(-1)).toMatch(/^router BGPSessionUp /), LONG);
  });

  it('a router that does not answer any more', async () => {
    announce([router({ timers: { hold: 3, keepalive: 1 } })]);
    await eventually(() => expect(reports[0]?.observed?.state).toBe('Established'), LONG);
    lab.router.daemon('bgpd')?.signal('SIGSTOP');
    try {
      await causes('HoldTimerExpired');
    } finally {
      lab.router.daemon('bgpd')?.signal('SIGCONT');
    }
  });

  it('an FRR that is gone, and is back', async () => {
    announce([router()]);
    await eventually(() => expect(reports[0]?.observed?.state).toBe('Established'), LONG);
    await lab.ours.stop();
    await causes('FRRSilent');
    await lab.ours.start();
    await eventually(() => expect(reports[0]?.observed?.state).toBe('Established'), LONG);
  });
});
