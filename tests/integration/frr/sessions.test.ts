/** Every kind of session against a real router: what the fields of BGPPeer and BFDProfile come to. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import type { BgpPeer, Config } from '#core/model/config.ts';
import type { Grant } from '#core/bgp/route.ts';
import { openFrr } from '#speaker/frr/driver.ts';
import { frrMetrics } from '#speaker/frr/metrics.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import type { FrrPort } from '#speaker/ports.ts';
import { address, community, peer } from '#tests/support/bgp-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { announcing } from '#tests/support/frr-driver.ts';
import { FrrLab, OURS, ROUTER } from '#tests/support/frr-lab.ts';
import { profile } from '#tests/support/frr-scenarios.ts';

const LONG = 30_000;
let lab: FrrLab;
let port: FrrPort;

beforeAll(async () => {
  lab = await FrrLab.start('bgpses', undefined, ['red']);
  await lab.segment.ip('router', 'addr', 'add', '10.78.0.2/24', 'dev', 'eth0');
});
afterAll(async () => lab.down());

beforeEach(() => {
  const settings = { vtysh: lab.ours.vtyshCommand, configFile: undefined, runDir: lab.ours.runFolder };
  port = openFrr({ ...settings, checkMs: 500 }, loadTemplates('frr-templates'), silent);
});
afterEach(async () => {
  await port.close();
  await lab.router.vtysh('configure terminal', `no router bgp`).catch(() => '');
});

/** Configures the router with one neighbour block of lines and address families. */
async function router(asn: number, neighbor: string, lines: readonly string[]): Promise<void> {
  const families = ['ipv4', 'ipv6'].map(
    (family) => ` address-family ${family} unicast\n  neighbor ${neighbor} activate\n exit-address-family\n`,
  );
  const session = lines.map((line) => ` neighbor ${neighbor} ${line}\n`).join('');
  await lab.router.load(
    `router bgp ${asn}\n bgp router-id 10.77.0.2\n no bgp ebgp-requires-policy\n no bgp default ipv4-unicast\n${session}${families.join('')}exit\n`,
  );
}

function announce(peers: readonly BgpPeer[], part: Partial<Config> = {}, grant: Partial<Grant> = {}): void {
  port.setDesired(announcing(['198.18.0.1', '2001:db8::1'], { peers, ...part }, grant));
}

async function route(prefix = '198.18.0.1/32'): Promise<string> {
  return JSON.stringify(await lab.route(prefix));
}

const both = async (): Promise<void> => {
  expect(await lab.received('ipv4')).toEqual(['198.18.0.1/32']);
  expect(await lab.received('ipv6')).toEqual(['2001:db8::1/128']);
};

describe('sessions', () => {
  it('#41 #42 #43 iBGP: local preference, standard and large communities', async () => {
    await router(64512, OURS.ipv4, ['remote-as 64512', 'passive']);
    const own = peer('own', ROUTER.ipv4, { remoteAs: { kind: 'internal' }, connectTime: 1 });
    const communities = ['65535:65282', 'large:1:2:3'].map(community);
    announce([own], {}, { localPref: 4_000_000_000, communities });
    await eventually(async () => {
      expect(await route()).toMatch(/"locPrf":4000000000/);
      expect(await route()).toContain('no-advertise');
      expect(await route()).toContain('1:2:3');
    }, LONG);
  });

  it('#41 eBGP: no local preference', async () => {
    await router(64513, OURS.ipv4, ['remote-as 64512', 'passive']);
    announce([peer('p', ROUTER.ipv4, { connectTime: 1 })], {}, { localPref: 100 });
    await eventually(async () => expect(await lab.received()).toEqual(['198.18.0.1/32']), LONG);
    expect(await route()).not.toContain('locPrf":100');
  });

  it('MED and a longer path: the router sees both, and the session stays', async () => {
    await router(64513, OURS.ipv4, ['remote-as 64512', 'passive']);
    const own = peer('p', ROUTER.ipv4, { connectTime: 1 });
    announce([own]);
    await eventually(async () => expect(await route()).toContain('"string":"64512"'), LONG);
    expect(await route()).toContain('"metric":0');
    announce([own], {}, { med: 4_294_967_295, asPathPrepend: 2 });
    await eventually(async () => {
      expect(await route()).toContain('"string":"64512 64512 64512"');
      expect(await route()).toContain('"metric":4294967295');
    }, LONG);
    expect((await lab.session()).dropped).toBe(0);
  });

  it('a longer path is nothing for a neighbour of our own AS, MED is', async () => {
    await router(64512, OURS.ipv4, ['remote-as 64512', 'passive']);
    const own = peer('own', ROUTER.ipv4, { remoteAs: { kind: 'internal' }, connectTime: 1 });
    announce([own], {}, { med: 50, asPathPrepend: 2 });
    await eventually(async () => expect(await route()).toContain('"metric":50'), LONG);
    expect(await route()).toContain('"string":"Local"');
  });

  it('#64 a password with every kind of character; a wrong one keeps the session down', async () => {
    const password = 'a?b|c!d#"e\'$f';
    await router(64513, OURS.ipv4, ['remote-as 64512', 'passive', `password ${password}`]);
    announce([peer('p', ROUTER.ipv4, { connectTime: 1, password: 'wrong' })]);
    await eventually(() => expect(port.state.applied).toBe(1));
    expect((await lab.session()).bgpState).not.toBe('Established');
    announce([peer('p', ROUTER.ipv4, { connectTime: 1, password })]);
    await eventually(async () => expect(await lab.received()).toEqual(['198.18.0.1/32']), LONG);
  });

  it('#74 both families over one session', async () => {
    await router(64513, OURS.ipv4, ['remote-as 64512', 'passive']);
    announce([peer('p', ROUTER.ipv4, { connectTime: 1, dualStackAddressFamily: true })]);
    await eventually(both, LONG);
  });

  it('#66 #76 unnumbered, AS by kind, both families over the link-local session', async () => {
    await router(64513, 'eth0', ['interface remote-as external']);
    announce([peer('p', 'eth0', { connectTime: 1, remoteAs: { kind: 'external' } })]);
    await eventually(both, LONG);
  });

  it('#67 another AS of ours: the router sees it, and it alone in the path', async () => {
    await router(64513, OURS.ipv4, ['remote-as 65010', 'passive']);
    announce([peer('p', ROUTER.ipv4, { connectTime: 1, localAsn: 65010 })]);
    await eventually(async () => expect(await route()).toContain('"string":"65010"'), LONG);
  });

  it('#73 IPv6 and source address', async () => {
    await lab.segment.ip('ours', 'addr', 'add', 'fd77::11/64', 'dev', 'eth0', 'nodad');
    await router(64513, 'fd77::11', ['remote-as 64512', 'passive']);
    announce([peer('p', ROUTER.ipv6, { connectTime: 1, sourceAddress: address('fd77::11') })]);
    await eventually(async () => expect(await lab.received('ipv6')).toEqual(['2001:db8::1/128']), LONG);
    expect(await lab.received('ipv4')).toEqual([]);
  });

  it('#69 #71 timers, connect time and graceful restart as the router sees them', async () => {
    await router(64513, OURS.ipv4, ['remote-as 64512', 'passive']);
    const timers = { hold: 57, keepalive: 13 };
    announce([peer('p', ROUTER.ipv4, { connectTime: 1, timers, gracefulRestart: true })]);
    await eventually(async () => expect((await lab.session()).bgpState).toBe('Established'), LONG);
    const all = await lab.router.json('show bgp neighbors json');
    const text = JSON.stringify(all[OURS.ipv4]);
    expect(text).toContain('"bgpTimerHoldTimeMsecs":57000');
    expect(text).toContain('"remoteGrMode":"Restart"');
  });

  it('#80 #81 a VRF of its own: its routes go there and nowhere else', async () => {
    await router(64513, '10.78.0.1', ['remote-as 64512', 'passive']);
    announce([peer('red', '10.78.0.2', { connectTime: 1, vrf: 'red' })]);
    await eventually(async () => expect(await lab.received()).toEqual(['198.18.0.1/32']), LONG);
    const config = await lab.ours.vtysh('show running-config');
    expect(config).toContain('router bgp 64512 vrf red');
    expect(config).toContain('route-map 10.78.0.2-red-in deny 20');
    expect(config).not.toMatch(/router bgp 64512\n/);
  });

  it('#78 #79 nothing of the router is taken, unless an appended entry 20 permits it', async () => {
    await router(64513, OURS.ipv4, ['remote-as 64512', 'passive']);
    await lab.router.load(
      'router bgp 64513\n no bgp network import-check\n address-family ipv4 unicast\n  network 192.0.2.0/24\n  network 203.0.113.0/24\n exit-address-family\nexit\n',
    );
    const peers = [peer('p', ROUTER.ipv4, { connectTime: 1 })];
    const ours = async (): Promise<string> => lab.ours.vtysh('show bgp ipv4 unicast json');
    announce(peers);
    await eventually(async () => expect(await lab.received()).toContain('198.18.0.1/32'), LONG);
    expect(await ours()).not.toContain('192.0.2.0/24');
    const frrExtras = `ip prefix-list wanted permit 192.0.2.0/24\nroute-map ${ROUTER.ipv4}-in permit 20\n match ip address prefix-list wanted\n`;
    announce(peers, { frrExtras });
    await eventually(async () => expect(await ours()).toContain('192.0.2.0/24'), LONG);
    expect(await ours()).not.toContain('203.0.113.0/24');
    announce(peers);
    await eventually(async () => expect(await ours()).not.toContain('192.0.2.0/24'), LONG);
    expect(port.state.lastError).toBeUndefined();
  });
});

describe('BFD and metrics', () => {
  it('#84 #100 #101 #102 #145 #146 sessions, counters, and what stays when BFD goes down', async () => {
    await router(64513, OURS.ipv4, ['remote-as 64512', 'passive', 'bfd']);
    const peers = [
      peer('p', ROUTER.ipv4, { connectTime: 1, bfdProfile: 'fast' }),
      peer('gone', '10.77.0.99', { port: 1179, bfdProfile: 'fast' }),
    ];
    const fast = profile('fast', { receiveInterval: 100, transmitInterval: 100, echoInterval: 60 });
    const metrics = createMetrics();
    const poller = frrMetrics(metrics, port, () => peers);
    announce(peers, { bfdProfiles: [fast] });
    const has = async (...lines: readonly string[]): Promise<void> => {
      await poller.poll();
      const text = await metrics.expose();
      for (const line of lines) expect(text).toMatch(new RegExp(`^${line.replaceAll('.', '\\.')}`, 'm'));
    };
    const bgp = `{peer="${ROUTER.ipv4}:179",vrf="default"}`;
    const bfd = `{peer="${ROUTER.ipv4}",vrf="default"}`;
    await eventually(
      () =>
        has(
          `metallb_bgp_session_up${bgp} 1`,
          `metallb_bgp_announced_prefixes_total${bgp} 1`,
          `metallb_bgp_route_refresh_sent${bgp} [1-9]`,
          `metallb_bgp_updates_total_received${bgp} [1-9]`,
          `metallb_bfd_session_up${bfd} 1`,
          `metallb_bfd_session_down_events${bfd} [0-9]`,
          'metallb_bgp_session_up{peer="10.77.0.99:1179",vrf="default"} 0',
          'metallb_frr_up 1',
        ),
      LONG,
    );
    const seen = JSON.stringify(await lab.router.json<unknown>('show bfd peers json'));
    expect(seen).toContain('"remote-receive-interval":100');
    await lab.router.vtysh('configure terminal', 'router bgp 64513', `no neighbor ${OURS.ipv4} bfd`);
    await eventually(
      () => has(`metallb_bfd_session_up${bfd} 0`, `metallb_bfd_session_down_events${bfd} [1-9]`),
      LONG,
    );
  });
});
