/** The loop that looks at sessions, with an FRR in memory and time in the test's hand. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionReport } from '#core/frr/reconcile.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { Sessions } from '#speaker/loops/sessions.ts';
import { FakeFrr } from '#tests/support/fake-frr.ts';
import { peer } from '#tests/support/bgp-factories.ts';
import { announcing } from '#tests/support/frr-driver.ts';
import { settle, VirtualClock } from '#tests/support/virtual-clock.ts';

const NEIGHBORS = 'show bgp vrf all neighbors json';
const ROUTES = 'show bgp ipv4 unicast neighbors 10.77.0.2 advertised-routes json';
const peers = [peer('router', '10.77.0.2')];

let frr: FakeFrr;
let clock: VirtualClock;
let metrics: ReturnType<typeof createMetrics>;
let reports: readonly (readonly SessionReport[])[];
let events: readonly string[];
let sessions: Sessions;

function neighbor(sent: number, state = 'Established'): unknown {
  const addressFamilyInfo = { ipv4Unicast: { sentPrefixCounter: sent } };
  return { default: { '10.77.0.2': { bgpState: state, connectionsEstablished: 1, addressFamilyInfo } } };
}

beforeEach(async () => {
  frr = new FakeFrr();
  clock = new VirtualClock();
  metrics = createMetrics();
  reports = [];
  events = [];
  sessions = new Sessions({
    nodeName: 'n1',
    frr,
    ownAddresses: () => new Set(),
    clock,
    logger: silent,
    metrics,
    onReports: (seen) => (reports = [...reports, seen]),
    onEvent: (name, event) => (events = [...events, `${name} ${event.reason}`]),
  });
  sessions.start();
  frr.setDesired(announcing(['198.18.0.1', '198.18.0.2'], { peers }));
  await settle();
  frr.answers.set(NEIGHBORS, neighbor(2));
});

describe('the session loop', () => {
  it('looks soon after a change, then every few seconds', async () => {
    await clock.advance(1_499);
    expect(reports).toHaveLength(0);
    await clock.advance(1);
    expect(reports).toHaveLength(1);
    await clock.advance(5_000);
    expect(reports).toHaveLength(2);
    expect(await metrics.expose()).toMatch(/in_sync_bool\{peer="10\.77\.0\.2:179",vrf="default"\} 1/);
    expect(await metrics.expose()).toMatch(
      /intended_prefixes_total\{peer="10\.77\.0\.2:179",vrf="default"\} 2/,
    );
  });

  it('a stream of changes does not put the look off', async () => {
    for (let i = 0; i < 20; i += 1) {
      frr.setDesired(announcing([`198.18.1.${i}`, '198.18.0.2'], { peers }));
      await clock.advance(100);
    }
    expect(reports.length).toBeGreaterThan(0);
  });

  it('a route that was not sent is sent again, told and counted', async () => {
    frr.answers.set(NEIGHBORS, neighbor(1));
    frr.answers.set(ROUTES, { advertisedRoutes: { '198.18.0.2/32': {} } });
    await clock.advance(7_000);
    expect(frr.resent).toEqual([{ peer: 'router', vrf: '', neighbor: '10.77.0.2', family: 'ipv4' }]);
    expect(await metrics.expose()).toMatch(/in_sync_bool\{.*\} 0/);
    expect(await metrics.expose()).toMatch(/metallb_frr_repairs_total\{what="routes"\} 1/);
    await clock.advance(5_000);
    expect(reports.at(-1)?.[0]?.differences[0]?.routes?.missing).toEqual(['198.18.0.1/32']);
    expect(frr.resent).toHaveLength(1);
    frr.answers.set(NEIGHBORS, neighbor(2));
    frr.answers.set(ROUTES, { advertisedRoutes: { '198.18.0.1/32': {}, '198.18.0.2/32': {} } });
    await clock.advance(10_000);
    expect(events).toEqual(['router BGPRoutesDiffer', 'router BGPRoutesInSync']);
  });

  it('while a change cannot be applied the sessions are told of, and nothing is sent again', async () => {
    await clock.advance(2_000);
    frr.failure = 'FRR refuses';
    frr.setDesired(announcing(['198.18.0.3'], { peers }));
    frr.answers.set(NEIGHBORS, neighbor(1, 'Established'));
    const before = reports.length;
    await clock.advance(20_000);
    expect(reports.length).toBeGreaterThan(before);
    expect(frr.resent).toEqual([]);
  });

  it('an FRR that is silent for two looks is told, one look is not', async () => {
    await clock.advance(2_000);
    frr.answers.clear();
    await clock.advance(5_000);
    expect(reports.at(-1)?.[0]?.frrAnswers).toBe(true);
    await clock.advance(5_000);
    expect(reports.at(-1)?.[0]?.frrAnswers).toBe(false);
    expect(events).toEqual(['router BGPSessionDown']);
  });

  it('after the start it tells which sessions are missing, until all were established once', async () => {
    frr.answers.set(NEIGHBORS, neighbor(0, 'Active'));
    expect(sessions.unsettled).toMatch('not looked at');
    await clock.advance(1_500);
    expect(sessions.unsettled).toBe('BGP sessions are not established yet: router');
    frr.answers.set(NEIGHBORS, neighbor(2));
    await clock.advance(1_500);
    expect(sessions.unsettled).toBeUndefined();
    frr.answers.set(NEIGHBORS, neighbor(0, 'Active'));
    await clock.advance(10_000);
    expect(sessions.unsettled).toBeUndefined();
  });

  it('does not wait longer than 20 s for a router that is away', async () => {
    frr.answers.set(NEIGHBORS, neighbor(0, 'Active'));
    await clock.advance(19_999);
    expect(sessions.unsettled).toBeDefined();
    await clock.advance(1);
    expect(sessions.unsettled).toBeUndefined();
  });

  it('ends', async () => {
    await sessions.close();
    const before = reports.length;
    await clock.advance(20_000);
    expect(reports.length).toBe(before);
    expect(clock.pending).toBe(0);
  });
});
