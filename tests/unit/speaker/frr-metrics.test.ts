/** Every metric of the FRR port by name, labels and type: MetalLB's (speaker-bgp.md §6.2), then ours. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { frrMetrics } from '#speaker/frr/metrics.ts';
import { Sessions } from '#speaker/loops/sessions.ts';
import { peer } from '#tests/support/bgp-factories.ts';
import { FakeFrr } from '#tests/support/fake-frr.ts';
import { announcing } from '#tests/support/frr-driver.ts';
import { settle, VirtualClock } from '#tests/support/virtual-clock.ts';

const session = 'peer,vrf';
const ledger: Readonly<Record<string, string>> = {
  'metallb_bgp_session_up gauge': session,
  'metallb_bgp_announced_prefixes_total gauge': session,
  'metallb_bgp_opens_sent counter': session,
  'metallb_bgp_opens_received counter': session,
  'metallb_bgp_notifications_sent counter': session,
  'metallb_bgp_updates_total counter': session,
  'metallb_bgp_updates_total_received counter': session,
  'metallb_bgp_keepalives_sent counter': session,
  'metallb_bgp_keepalives_received counter': session,
  'metallb_bgp_route_refresh_sent counter': session,
  'metallb_bgp_total_sent counter': session,
  'metallb_bgp_total_received counter': session,
  'metallb_bfd_session_up gauge': session,
  'metallb_bfd_control_packet_input counter': session,
  'metallb_bfd_control_packet_output counter': session,
  'metallb_bfd_echo_packet_input counter': session,
  'metallb_bfd_echo_packet_output counter': session,
  'metallb_bfd_session_up_events counter': session,
  'metallb_bfd_session_down_events counter': session,
  'metallb_bfd_zebra_notifications counter': session,
  // Ours.
  'metallb_bgp_session_in_sync_bool gauge': session,
  'metallb_bgp_intended_prefixes_total gauge': session,
  'metallb_frr_repairs_total counter': 'what',
  'metallb_frr_up gauge': '',
  'metallb_frr_desired_generation gauge': '',
  'metallb_frr_applied_generation gauge': '',
  'metallb_frr_apply_failing gauge': '',
  'metallb_frr_refused_neighbors gauge': '',
  'metallb_frr_apply_duration_seconds gauge': '',
};

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(`tests/fixtures/frr/${name}.json`, 'utf8'));

it('#100 #145 #146 the metrics of the FRR port', async () => {
  const [frr, clock, metrics] = [new FakeFrr(), new VirtualClock(), createMetrics()];
  frr.answers.set('show bgp vrf all neighbors json', fixture('bgp-neighbors'));
  frr.answers.set('show bfd peers json', fixture('bfd-peers'));
  frr.answers.set('show bfd peers counters json', fixture('bfd-counters'));
  const peers = [peer('router', '10.77.0.2', { bfdProfile: 'p', port: 1179 })];
  const quiet = {
    ownAddresses: () => new Set<string>(),
    onReports: () => undefined,
    onEvent: () => undefined,
  };
  const sessions = new Sessions({ nodeName: 'n1', frr, clock, logger: silent, metrics, ...quiet });
  sessions.start();
  frr.setDesired(announcing([], { peers }));
  await settle();
  await clock.advance(5_000);
  await frrMetrics(metrics, frr, () => peers).poll();
  await sessions.close();
  const text = await metrics.expose();
  const types = [...text.matchAll(/^# TYPE (\S+ \S+)$/gm)].map(([, found]) => found ?? '');
  expect(types.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
    Object.keys(ledger).toSorted((a, b) => (a < b ? -1 : 1)),
  );
  for (const [type, labels] of Object.entries(ledger)) {
    const [name = ''] = type.split(' ');
    const series = [...text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? \\S+$`, 'gm'))].map(
      ([, found = '']) => found,
    );
    expect(series.length, name).toBeGreaterThan(0);
    for (const found of series) expect(found.replaceAll(/="[^"]*"/g, ''), name).toBe(labels);
  }
  // BGP by configured port, BFD by address, the default VRF by name.
  expect(text).toContain('metallb_bgp_session_up{peer="10.77.0.2:1179",vrf="default"} 1');
  expect(text).toContain('metallb_bfd_session_up{peer="10.77.0.2",vrf="default"} 1');
});
