/** Every kind of session against a real router: attributes, AS numbers, passwords, families, VRFs. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { run } from '#lab/process/run.ts';
import { frrMetrics } from '#speaker/frr/metrics.ts';
import { address, community, peer } from '#tests/support/bgp-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { OURS, ROUTER } from '#tests/support/frr-lab.ts';
import { profile } from '#tests/support/frr-scenarios.ts';
import { LONG, SessionLab } from '#tests/support/session-lab.ts';

const V4 = '198.18.0.1/32';
const V6 = '2001:db8::1/128';
let s: SessionLab;

beforeAll(async () => {
  s = await SessionLab.start('bgpses', ['red']);
  await s.lab.segment.ip('router', 'addr', 'add', '10.78.0.2/24', 'dev', 'eth0');
});
afterAll(() => s?.down());
beforeEach(() => s.open());
afterEach(() => s.close());

const toUs = (...lines: readonly string[]) => ({ [OURS.ipv4]: ['remote-as 64512', 'passive', ...lines] });
const both = async (): Promise<void> => {
  expect(await s.lab.received('ipv4')).toEqual([V4]);
  expect(await s.lab.received('ipv6')).toEqual([V6]);
};
const only = (prefix: string) =>
  eventually(async () => {
    expect([...(await s.lab.received('ipv4')), ...(await s.lab.received('ipv6'))]).toEqual([prefix]);
  }, LONG);

describe('attributes', () => {
  const own = peer('own', ROUTER.ipv4, { remoteAs: { kind: 'internal' }, connectTime: 1 });

  it('#41 #42 #43 iBGP: local preference, standard and large communities', async () => {
    await s.router(64512, toUs());
    const communities = ['65535:65282', 'large:1:2:3'].map(community);
    s.announce([own], {}, { localPref: 4_000_000_000, communities });
    await eventually(async () => {
      expect(await s.route()).toMatch(/"locPrf":4000000000/);
      expect(await s.route()).toContain('no-advertise');
      expect(await s.route()).toContain('1:2:3');
    }, LONG);
  });

  it('#41 eBGP: no local preference', async () => {
    await s.router(64513, toUs());
    s.announce([peer('p', ROUTER.ipv4, { connectTime: 1 })], {}, { localPref: 100 });
    await only(V4);
    expect(await s.route()).not.toContain('locPrf":100');
  });

  it('MED and a longer path: the router sees both, and the session stays', async () => {
    await s.router(64513, toUs());
    const other = peer('p', ROUTER.ipv4, { connectTime: 1 });
    s.announce([other]);
    await eventually(async () => expect(await s.route()).toContain('"string":"64512"'), LONG);
    expect(await s.route()).toContain('"metric":0');
    s.announce([other], {}, { med: 4_294_967_295, asPathPrepend: 2 });
    await eventually(async () => {
      expect(await s.route()).toContain('"string":"64512 64512 64512"');
      expect(await s.route()).toContain('"metric":4294967295');
    }, LONG);
    expect((await s.at()).connectionsDropped).toBe(0);
  });

  it('a longer path is nothing for a neighbour of our own AS, MED is', async () => {
    await s.router(64512, toUs());
    s.announce([own], {}, { med: 50, asPathPrepend: 2 });
    await eventually(async () => expect(await s.route()).toContain('"metric":50'), LONG);
    expect(await s.route()).toContain('"string":"Local"');
  });

  it('#74 both families over one session, with their preference and communities', async () => {
    await s.router(64512, toUs());
    const dual = peer('p', ROUTER.ipv4, { ...own, name: 'p', dualStackAddressFamily: true });
    s.announce([dual], {}, { localPref: 150, communities: [community('64512:7')] });
    await eventually(async () => {
      await both();
      for (const prefix of [V4, V6]) {
        expect(await s.route(prefix)).toContain('"locPrf":150');
        expect(await s.route(prefix)).toContain('64512:7');
      }
    }, LONG);
  });
});

describe('who is at the other end', () => {
  it('#64 a password with every kind of character; with a wrong one the router takes no segment', async () => {
    const password = 'a?b|c!d#"e\'$f';
    await s.router(64513, toUs(`password ${password}`));
    const refused = async (): Promise<number> => {
      const netns = ['ip', 'netns', 'exec', s.lab.segment.netns('router')];
      const counted = await run([...netns, 'nstat', '-asz', 'TcpExtTCPMD5Failure']);
      return Number(/TcpExtTCPMD5Failure\s+(\d+)/.exec(counted)?.[1]);
    };
    const before = await refused();
    s.announce([peer('p', ROUTER.ipv4, { connectTime: 1, password: 'wrong' })]);
    await eventually(async () => expect(await refused()).toBeGreaterThan(before + 1), LONG);
    expect((await s.at()).connectionsEstablished).toBe(0);
    s.announce([peer('p', ROUTER.ipv4, { connectTime: 1, password })]);
    await only(V4);
  });

  it.each([
    ['external', 'internal', 64513],
    ['internal', 'external', 64512],
  ] as const)('#66 AS by kind: %s comes up, %s never does', async (right, wrong, asn) => {
    await s.router(asn, toUs());
    const of = (kind: 'internal' | 'external') =>
      peer('p', ROUTER.ipv4, { connectTime: 1, remoteAs: { kind } });
    s.announce([of(wrong)]);
    // It was tried, more than once: messages were opened, and none of them was agreed on.
    await eventually(async () => {
      expect((await s.ours(ROUTER.ipv4)).messageStats.opensSent).toBeGreaterThan(1);
    }, LONG);
    expect((await s.at()).connectionsEstablished).toBe(0);
    s.announce([of(right)]);
    await only(V4);
  });

  it('#67 another AS of ours: the router sees it, and it alone in the path', async () => {
    await s.router(64513, { [OURS.ipv4]: ['remote-as 65010', 'passive'] });
    s.announce([peer('p', ROUTER.ipv4, { connectTime: 1, localAsn: 65010 })]);
    await eventually(async () => expect(await s.route()).toContain('"string":"65010"'), LONG);
    expect(await s.at()).toMatchObject({ bgpState: 'Established', remoteAs: 65010 });
  });

  it('#141 another AS of ours towards our own AS: an external session without preference, never reset by a change (ours)', async () => {
    await s.router(64512, { [OURS.ipv4]: ['remote-as 65010', 'passive'] });
    const remoteAs = { kind: 'asn', asn: 64512 } as const;
    const peers = [peer('p', ROUTER.ipv4, { connectTime: 1, remoteAs, localAsn: 65010 })];
    s.announce(peers, {}, { localPref: 300 });
    await eventually(async () => expect(await s.route()).toContain('"string":"65010"'), LONG);
    expect(await s.route()).not.toContain('"locPrf":300');
    const { connectionsEstablished, ...session } = await s.at();
    expect(session).toMatchObject({ remoteAs: 65010, nbrExternalLink: true });
    for (const med of [1, 2, 3]) {
      s.announce(peers, {}, { localPref: 300, med });
      await eventually(async () => expect(await s.route()).toContain(`"metric":${med}`), LONG);
    }
    expect(await s.at()).toMatchObject({
      bgpState: 'Established',
      connectionsEstablished,
      connectionsDropped: 0,
    });
  });

  it('#73 IPv6 and source address', async () => {
    await s.lab.segment.ip('ours', 'addr', 'add', 'fd77::11/64', 'dev', 'eth0', 'nodad');
    await s.router(64513, { 'fd77::11': ['remote-as 64512', 'passive'] });
    s.announce([peer('p', ROUTER.ipv6, { connectTime: 1, sourceAddress: address('fd77::11') })]);
    await only(V6);
  });

  it.each([
    ['without BFD', undefined],
    ['with BFD', 'fast'],
  ])('#76 unnumbered, %s: both families over the link-local session', async (_, bfdProfile) => {
    await s.router(64513, { eth0: ['interface remote-as external', ...(bfdProfile ? ['bfd'] : [])] });
    const unnumbered = peer('p', 'eth0', { connectTime: 1, remoteAs: { kind: 'external' }, bfdProfile });
    s.announce([unnumbered], { bfdProfiles: [profile('fast')] });
    await eventually(both, LONG);
    const bfd = JSON.stringify(await s.lab.router.json('show bfd peers json'));
    if (bfdProfile === undefined) expect(bfd).toBe('[]');
    else
      await eventually(async () => {
        expect(JSON.stringify(await s.lab.router.json('show bfd peers json'))).toContain('"status":"up"');
      }, LONG);
  });
});

describe('VRFs and policy', () => {
  it('#80 #81 #100 one address in two VRFs: two sessions, and routes only where their peer is', async () => {
    await s.lab.segment.ip('vrf-red', 'addr', 'add', '10.77.0.5/24', 'dev', 'eth0');
    await s.router(64513, { ...toUs(), '10.77.0.5': ['remote-as 64512', 'passive'] });
    const plain = peer('plain', ROUTER.ipv4, { connectTime: 1 });
    const red = peer('red', ROUTER.ipv4, { connectTime: 1, vrf: 'red' });
    s.announce([plain, red], {}, { peers: ['red'] });
    await s.established();
    await eventually(async () => {
      const route = await s.lab.route(V4);
      expect(JSON.stringify(route)).toContain('"peerId":"10.77.0.5"');
      expect(route.paths).toHaveLength(1);
    }, LONG);
    const config = await s.lab.ours.vtysh('show running-config');
    for (const line of [
      'router bgp 64512\n',
      'router bgp 64512 vrf red\n',
      'route-map 10.77.0.2-red-in deny 20\n',
    ])
      expect(config).toContain(line);
    const metrics = createMetrics();
    const poller = frrMetrics(metrics, s.port, () => [plain, red]);
    await poller.poll();
    for (const vrf of ['default', 'red'])
      expect(await metrics.expose()).toContain(
        `metallb_bgp_session_up{peer="${ROUTER.ipv4}:179",vrf="${vrf}"} 1\n`,
      );
  });

  it('a VRF of its own: its routes go there and nowhere else', async () => {
    await s.router(64513, { '10.78.0.1': ['remote-as 64512', 'passive'] });
    s.announce([peer('red', '10.78.0.2', { connectTime: 1, vrf: 'red' })]);
    await only(V4);
    expect(await s.lab.ours.vtysh('show running-config')).not.toMatch(/router bgp 64512\n/);
  });

  it.each(['before the peers', 'after the peers'])(
    '#78 #79 nothing of the router is taken, unless an entry 20 permits it that was appended %s',
    async (when) => {
      await s.router(64513, toUs());
      await s.lab.router.load(
        'router bgp 64513\n no bgp network import-check\n address-family ipv4 unicast\n  network 192.0.2.0/24\n  network 203.0.113.0/24\n exit-address-family\nexit\n',
      );
      const peers = [peer('p', ROUTER.ipv4, { connectTime: 1 })];
      const ours = async (): Promise<string> => s.lab.ours.vtysh('show bgp ipv4 unicast json');
      const frrExtras = `ip prefix-list wanted permit 192.0.2.0/24\nroute-map ${ROUTER.ipv4}-in permit 20\n match ip address prefix-list wanted\n`;
      if (when === 'before the peers') {
        s.announce([], { frrExtras });
        await s.settled();
      } else {
        s.announce(peers);
        await eventually(async () => expect(await s.lab.received()).toContain(V4), LONG);
        expect(await ours()).not.toContain('192.0.2.0/24');
      }
      s.announce(peers, { frrExtras });
      // FRR reads line by line: should it look at the map between entry and match, it takes both until it looks again.
      await eventually(async () => {
        const table = await ours();
        expect(table).toContain('192.0.2.0/24');
        expect(table).not.toContain('203.0.113.0/24');
      }, LONG);
      s.announce(peers);
      await eventually(async () => expect(await ours()).not.toContain('192.0.2.0/24'), LONG);
      expect(s.port.state.lastError).toBeUndefined();
    },
  );
});
