/** BFDProfile and the metrics of sessions, against a real router. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from '#lab/process/run.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { frrMetrics } from '#speaker/frr/metrics.ts';
import type { BgpPeer } from '#core/model/config.ts';
import { peer } from '#tests/support/bgp-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { announcing } from '#tests/support/frr-driver.ts';
import { OURS, ROUTER } from '#tests/support/frr-lab.ts';
import { profile } from '#tests/support/frr-scenarios.ts';
import { LONG, SessionLab } from '#tests/support/session-lab.ts';

let s: SessionLab;

beforeAll(async () => {
  s = await SessionLab.start('bgpbfd');
  // A router sends echo packets back as it forwards any other packet.
  for (const host of ['ours', 'router'])
    await run(['ip', 'netns', 'exec', s.lab.segment.netns(host), 'sysctl', '-qw', 'net.ipv4.ip_forward=1']);
});
afterAll(() => s?.down());
beforeEach(() => s.open());
afterEach(() => s.close());

const toUs = (...lines: readonly string[]) => ['remote-as 64512', 'passive', 'bfd', ...lines];
const full = profile('full', {
  receiveInterval: 60,
  transmitInterval: 61,
  detectMultiplier: 5,
  echoInterval: 62,
  echoMode: true,
  minimumTtl: 10,
});
const timers = (receive: number, transmit: number, multiplier: number, echo: number) => ({
  'remote-receive-interval': receive,
  'remote-transmit-interval': transmit,
  'remote-detect-multiplier': multiplier,
  'remote-echo-receive-interval': echo,
});

/** A session that is up tells its own times a packet later (RFC 5880 §6.8.3: slow until then). */
const seen = (neighbor: string, view: object) =>
  eventually(async () => expect(await s.bfdUp(neighbor)).toMatchObject(view), LONG);

describe('what the router sees of a profile', () => {
  it('#84 all fields; a multihop session has no echo of its own: 50, whatever the profile says', async () => {
    await s.router(64513, {
      [OURS.ipv4]: toUs(),
      [OURS.ipv6]: toUs('ebgp-multihop', `update-source ${ROUTER.ipv6}`),
    });
    const part = { connectTime: 1, bfdProfile: 'full' };
    const peers = [
      peer('near', ROUTER.ipv4, part),
      peer('far', ROUTER.ipv6, { ...part, ebgpMultiHop: true }),
    ];
    s.announce(peers, { bfdProfiles: [full] });
    await seen(OURS.ipv4, { multihop: false, ...timers(60, 61, 5, 62) });
    await seen(OURS.ipv6, { multihop: true, ...timers(60, 61, 5, 50) });
  });

  it('#85 no fields: 300 ms, 300 ms, three times', async () => {
    await s.router(64513, { [OURS.ipv4]: toUs() });
    s.announce([peer('p', ROUTER.ipv4, { connectTime: 1, bfdProfile: 'plain' })], {
      bfdProfiles: [profile('plain')],
    });
    await seen(OURS.ipv4, timers(300, 300, 3, 50));
  });

  it('#87 echo mode: echo packets go out and come back', async () => {
    await s.router(64513, { [OURS.ipv4]: toUs() });
    s.announce([peer('p', ROUTER.ipv4, { connectTime: 1, bfdProfile: 'full' })], { bfdProfiles: [full] });
    await s.bfdUp();
    const echoes = async (): Promise<readonly number[]> => {
      const [first] = await s.lab.ours.json<readonly Record<string, number>[]>(
        'show bfd peers counters json',
      );
      return [first?.['echo-packet-output'] ?? 0, first?.['echo-packet-input'] ?? 0];
    };
    const [out = 0, back = 0] = await echoes();
    await eventually(async () => {
      const [moreOut = 0, moreBack = 0] = await echoes();
      expect(moreOut).toBeGreaterThan(out + 5);
      expect(moreBack).toBeGreaterThan(back + 5);
    }, LONG);
  });

  it('#143 everything at once in the running configuration: the header once, and each line', async () => {
    await s.router(64513, { [OURS.ipv4]: toUs() });
    const part = { connectTime: 1, bfdProfile: 'full', timers: { hold: 57, keepalive: 13 } };
    s.announce([peer('p', ROUTER.ipv4, part)], { bfdProfiles: [{ ...full, passiveMode: true }] });
    await s.settled();
    const lines = (await s.lab.ours.vtysh('show running-config')).split('\n').map((line) => line.trim());
    expect(lines.filter((line) => line === 'profile full')).toHaveLength(1);
    expect(lines).toEqual(
      expect.arrayContaining([
        'log stdout informational',
        'receive-interval 60',
        'transmit-interval 61',
        'detect-multiplier 5',
        'echo transmit-interval 62',
        'echo receive-interval 62',
        'minimum-ttl 10',
        'passive-mode',
        'echo-mode',
        `neighbor ${ROUTER.ipv4} timers 13 57`,
      ]),
    );
  });
});

describe('while BFD watches', () => {
  it('#86 a further Service: neither BGP nor BFD notices', async () => {
    await s.router(64513, { [OURS.ipv4]: toUs() });
    const peers = [peer('p', ROUTER.ipv4, { connectTime: 1, bfdProfile: 'fast' })];
    // Slow enough for a machine that is busy: nothing but a fault ends it.
    const fast = profile('fast', { receiveInterval: 1000, transmitInterval: 300, detectMultiplier: 10 });
    const announce = (count: number) => {
      const addresses = Array.from({ length: count }, (_, i) => `198.18.1.${i + 1}`);
      s.port.setDesired(announcing(addresses, { peers, bfdProfiles: [fast] }));
      return eventually(async () => expect(await s.lab.received()).toHaveLength(count), LONG);
    };
    await announce(1);
    await s.bfdUp();
    const history = async () => {
      const { connectionsDropped, connectionsEstablished } = await s.established();
      const counters = await s.lab.ours.json<readonly Record<string, number>[]>(
        'show bfd peers counters json',
      );
      return [connectionsDropped, connectionsEstablished, counters[0]?.['session-down']];
    };
    const before = await history();
    for (const count of [2, 3, 60, 1]) await announce(count);
    expect(await history()).toEqual(before);
  });

  it('#100 #101 #102 #145 #146 sessions, counters, and what stays when BFD goes down', async () => {
    await s.router(64513, { [OURS.ipv4]: toUs(), [OURS.ipv6]: ['remote-as 64512', 'passive'] });
    const peers = [
      peer('p', ROUTER.ipv4, { connectTime: 1, bfdProfile: 'fast' }),
      peer('six', ROUTER.ipv6, { connectTime: 1 }),
      peer('gone', '10.77.0.99', { port: 1179, bfdProfile: 'fast' }),
    ];
    const fast = profile('fast', { receiveInterval: 1000, detectMultiplier: 5, echoInterval: 60 });
    const has = metricsOf(peers);
    s.port.setDesired(
      announcing(['198.18.0.1', '198.18.0.2', '2001:db8::1'], { peers, bfdProfiles: [fast] }),
    );
    const [bgp, six] = [ROUTER.ipv4, ROUTER.ipv6].map((one) => `{peer="${one}:179",vrf="default"}`);
    const bfd = `{peer="${ROUTER.ipv4}",vrf="default"}`;
    await eventually(
      () =>
        has(
          `metallb_bgp_session_up${bgp} 1`,
          `metallb_bgp_announced_prefixes_total${bgp} 2`,
          `metallb_bgp_announced_prefixes_total${six} 1`,
          ...[bgp, six].flatMap((one) => [
            `metallb_bgp_opens_sent${one} [1-9]`,
            `metallb_bgp_opens_received${one} [1-9]`,
            `metallb_bgp_keepalives_sent${one} [1-9]`,
            `metallb_bgp_keepalives_received${one} [1-9]`,
            `metallb_bgp_updates_total${one} [1-9]`,
            `metallb_bgp_updates_total_received${one} [1-9]`,
            `metallb_bgp_route_refresh_sent${one} [1-9]`,
            `metallb_bgp_total_sent${one} [1-9]`,
            `metallb_bgp_total_received${one} [1-9]`,
          ]),
          `metallb_bfd_session_up${bfd} 1`,
          // A second digit: they grow.
          `metallb_bfd_control_packet_input${bfd} [1-9][0-9]`,
          `metallb_bfd_control_packet_output${bfd} [1-9][0-9]`,
          `metallb_bfd_session_down_events${bfd} [0-9]`,
          'metallb_bgp_session_up{peer="10.77.0.99:1179",vrf="default"} 0',
          'metallb_frr_up 1',
        ),
      LONG,
    );
    await s.lab.router.vtysh('configure terminal', 'router bgp 64513', `no neighbor ${OURS.ipv4} bfd`);
    await eventually(
      () => has(`metallb_bfd_session_up${bfd} 0`, `metallb_bfd_session_down_events${bfd} [1-9]`),
      LONG,
    );
  });

  it('#109 an unnumbered peer has its series, and those of the others stay (ours)', async () => {
    await s.router(64513, { [OURS.ipv4]: toUs(), eth0: ['interface remote-as external', 'bfd'] });
    const peers = [
      peer('p', ROUTER.ipv4, { connectTime: 1, bfdProfile: 'fast' }),
      peer('fabric', 'eth0', { connectTime: 1, remoteAs: { kind: 'external' }, bfdProfile: 'fast' }),
    ];
    s.announce(peers, { bfdProfiles: [profile('fast')] });
    const has = metricsOf(peers);
    await eventually(
      () =>
        has(
          ...[`${ROUTER.ipv4}:179`, 'eth0:179'].map(
            (one) => `metallb_bgp_session_up{peer="${one}",vrf="default"} 1`,
          ),
          ...[ROUTER.ipv4, 'eth0'].map((one) => `metallb_bfd_session_up{peer="${one}",vrf="default"} 1`),
        ),
      LONG,
    );
  });
});

/** Expects lines (patterns) in what is exposed of these peers now. */
function metricsOf(peers: readonly BgpPeer[]): (...lines: readonly string[]) => Promise<void> {
  const metrics = createMetrics();
  const poller = frrMetrics(metrics, s.port, () => peers);
  return async (...lines) => {
    await poller.poll();
    const text = await metrics.expose();
    for (const line of lines) expect(text).toMatch(new RegExp(`^${line.replaceAll('.', '\\.')}`, 'm'));
  };
}
