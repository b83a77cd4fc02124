/** What the fields of BGPPeer that concern time, identity and reach come to, against a real router. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from '#lab/process/run.ts';
import { silent } from '#runtime/log/logger.ts';
import { address, peer } from '#tests/support/bgp-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { OURS, ROUTER } from '#tests/support/frr-lab.ts';
import { LONG, SessionLab } from '#tests/support/session-lab.ts';

const V4 = '198.18.0.1/32';
let s: SessionLab;

beforeAll(async () => {
  s = await SessionLab.start('bgpopt');
});
afterAll(() => s?.down());
beforeEach(() => s.open());
afterEach(() => s.close());

const toUs = (...lines: readonly string[]) => ({ [OURS.ipv4]: ['remote-as 64512', 'passive', ...lines] });
const received = (...prefixes: readonly string[]) =>
  eventually(async () => expect(await s.lab.received()).toEqual(prefixes), LONG);

describe('who peers with whom', () => {
  it('#56 #59 peers one after the other, and one gone again: no session of the others notices', async () => {
    await s.lab.segment.ip('router', 'addr', 'add', '10.77.0.12/24', 'dev', 'eth0');
    await s.lab.segment.ip('ours', 'addr', 'add', '10.77.0.21/24', 'dev', 'eth0');
    const addresses = [OURS.ipv4, OURS.ipv6, '10.77.0.21'];
    await s.router(64513, Object.fromEntries(addresses.map((one) => [one, ['remote-as 64512', 'passive']])));
    const peers = [
      peer('a', ROUTER.ipv4, { connectTime: 1 }),
      peer('b', ROUTER.ipv6, { connectTime: 1 }),
      peer('c', '10.77.0.12', { connectTime: 1, sourceAddress: address('10.77.0.21') }),
    ];
    const history = async (of: readonly string[]) =>
      Promise.all(
        of.map(async (one) => {
          const { bgpState, connectionsEstablished, connectionsDropped } = await s.at(one);
          return [one, bgpState, connectionsEstablished, connectionsDropped];
        }),
      );
    const calm = (of: readonly string[]) => of.map((one) => [one, 'Established', 1, 0]);
    for (const count of [1, 2, 3]) {
      s.announce(peers.slice(0, count));
      await s.established(addresses[count - 1]);
      expect(await history(addresses.slice(0, count))).toEqual(calm(addresses.slice(0, count)));
    }
    s.announce(peers.slice(1));
    await eventually(async () => expect((await s.at(OURS.ipv4)).bgpState).not.toBe('Established'), LONG);
    expect(await history(addresses.slice(1))).toEqual(calm(addresses.slice(1)));
  });

  it('#63 the router id that is asked for', async () => {
    await s.router(64513, toUs());
    s.announce([peer('p', ROUTER.ipv4, { connectTime: 1, routerId: address('10.255.0.7') })]);
    expect(await s.established()).toMatchObject({ remoteRouterId: '10.255.0.7' });
  });

  it('#68 a router two hops away: not without ebgpMultiHop, with it yes', async () => {
    const { segment } = s.lab;
    await segment.host('mid', '10.77.0.3/24');
    const settings = ['ip_forward=1', 'conf.all.send_redirects=0', 'conf.eth0.send_redirects=0'];
    const sysctl = ['sysctl', '-qw', ...settings.map((one) => `net.ipv4.${one}`)];
    await run(['ip', 'netns', 'exec', segment.netns('mid'), ...sysctl]);
    await segment.ip('router', 'addr', 'add', '10.79.0.9/32', 'dev', 'lo');
    await segment.ip('mid', 'route', 'add', '10.79.0.9/32', 'via', ROUTER.ipv4);
    await segment.ip('ours', 'route', 'add', '10.79.0.9/32', 'via', '10.77.0.3');
    await segment.ip('router', 'route', 'add', `${OURS.ipv4}/32`, 'via', '10.77.0.3');
    try {
      await s.router(64513, toUs('ebgp-multihop', 'update-source 10.79.0.9'));
      const far = (ebgpMultiHop: boolean) => peer('far', '10.79.0.9', { connectTime: 1, ebgpMultiHop });
      s.announce([far(false)]);
      await eventually(async () => {
        const lastResetDueTo = 'No path to specified Neighbor';
        expect(await s.ours('10.79.0.9')).toMatchObject({ lastResetDueTo, connectionsEstablished: 0 });
      }, LONG);
      s.announce([far(true)]);
      await received(V4);
    } finally {
      await segment.ip('router', 'route', 'del', `${OURS.ipv4}/32`);
    }
  });

  it('#144 without a dual-stack session only the family of the address, and the connect time that was asked for', async () => {
    await s.router(64513, { ...toUs(), [OURS.ipv6]: ['remote-as 64512', 'passive'] });
    s.announce([
      peer('four', ROUTER.ipv4, { connectTime: 10 }),
      peer('six', ROUTER.ipv6, { connectTime: 7, dualStackAddressFamily: true }),
    ]);
    await s.settled();
    const seen = async (of: string) => {
      const { addressFamilyInfo, connectRetryTimer } = await s.ours(of);
      return [Object.keys(addressFamilyInfo).sort(), connectRetryTimer];
    };
    expect(await seen(ROUTER.ipv4)).toEqual([['ipv4Unicast'], 10]);
    expect(await seen(ROUTER.ipv6)).toEqual([['ipv4Unicast', 'ipv6Unicast'], 7]);
  });
});

describe('a new session', () => {
  /** A vtysh in front of ours that needs a while for each line, as on a machine that has too much to do. */
  const slow = `
    const { spawn } = require('node:child_process');
    const { createInterface } = require('node:readline');
    const [program, ...args] = process.argv.slice(1);
    const vtysh = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'] });
    vtysh.on('close', () => process.exit());
    let last = Promise.resolve();
    createInterface({ input: process.stdin }).on('line', (line) => {
      last = last.then(() => new Promise((resolve) => setTimeout(resolve, 150))).then(() => vtysh.stdin.write(line + '\\n'));
    }).on('close', () => last.then(() => vtysh.stdin.end()));`;

  it('begins when all its lines are there: never without its password, however long the typing takes', async () => {
    await s.close();
    s.open(silent, [process.execPath, '-e', slow, ...s.lab.ours.vtyshCommand]);
    await s.router(64513, { ...toUs(), [OURS.ipv6]: ['remote-as 64512', 'passive', 'password both'] });
    s.announce([
      peer('ours-only', ROUTER.ipv4, { connectTime: 1, password: 'x' }),
      peer('both', ROUTER.ipv6, { connectTime: 1, password: 'both' }),
    ]);
    expect(await s.established(OURS.ipv6)).toMatchObject({
      connectionsEstablished: 1,
      connectionsDropped: 0,
    });
    await s.settled();
    expect(await s.at(OURS.ipv4)).toMatchObject({
      connectionsEstablished: 0,
      messageStats: { opensRecv: 0 },
    });
    expect(await s.lab.ours.vtysh('show running-config')).not.toContain('shutdown');
  });
});

describe('time', () => {
  const p = (part: object) => peer('p', ROUTER.ipv4, { connectTime: 1, ...part });

  it('#69 #71 timers that change: configured at once, negotiated by the next session only', async () => {
    await s.router(64513, toUs());
    s.announce([p({ timers: { hold: 57, keepalive: 13 } })]);
    expect(await s.established()).toMatchObject({ bgpTimerHoldTimeMsecs: 57_000 });
    s.announce([p({ timers: { hold: 60, keepalive: 20 } })]);
    await s.settled();
    expect(await s.ours(ROUTER.ipv4)).toMatchObject({
      bgpTimerConfiguredHoldTimeMsecs: 60_000,
      bgpTimerConfiguredKeepAliveIntervalMsecs: 20_000,
      bgpTimerHoldTimeMsecs: 57_000,
      connectionsEstablished: 1,
    });
    await s.lab.router.vtysh('clear bgp *');
    await eventually(async () => {
      expect(await s.at()).toMatchObject({ bgpState: 'Established', bgpTimerHoldTimeMsecs: 60_000 });
    }, LONG);
    s.announce([p({})]);
    await s.settled();
    // FRR's own timers, and no line about them.
    expect(await s.ours(ROUTER.ipv4)).toMatchObject({ bgpTimerConfiguredHoldTimeMsecs: 180_000 });
    expect(await s.lab.ours.vtysh('show running-config')).not.toMatch(/timers \d+ \d+/);
  });

  it('#72 after the router cleared its sessions, it is tried again at the time that is asked for', async () => {
    await s.router(64513, toUs());
    s.announce([p({ connectTime: 3 })]);
    const { connectionsEstablished } = await s.established();
    expect(await s.ours(ROUTER.ipv4)).toMatchObject({ connectRetryTimer: 3 });
    await s.lab.router.vtysh('clear bgp *');
    await eventually(async () => {
      expect(await s.at()).toMatchObject({
        bgpState: 'Established',
        connectionsEstablished: connectionsEstablished + 1,
      });
    }, LONG);
  });

  /** Kills bgpd and starts it again; what the router had of our route meanwhile, until the session is back. */
  async function restart(): Promise<string[]> {
    const { connectionsEstablished } = await s.at();
    const seen: string[] = [];
    const look = async (): Promise<void> => void seen.push(await s.route());
    await s.lab.ours.daemon('bgpd')?.stop();
    await eventually(async () => {
      await look();
      expect((await s.at()).bgpState).not.toBe('Established');
    }, LONG);
    await s.lab.ours.startDaemon('bgpd');
    await eventually(async () => {
      await look();
      expect((await s.at()).connectionsEstablished).toBe(connectionsEstablished + 1);
    }, LONG);
    await received(V4);
    return seen;
  }

  it('#77 with graceful restart the route stays while bgpd is away; without it goes, and no stale one is seen', async () => {
    await s.router(64513, toUs());
    s.announce([p({ gracefulRestart: true })]);
    await received(V4);
    expect((await s.at()).gracefulRestartInfo?.remoteGrMode).toBe('Restart');
    const kept = await restart();
    expect(kept.filter((route) => !route.includes('"valid":true'))).toEqual([]);
    expect(kept.some((route) => route.includes('"stale":true'))).toBe(true);
    s.announce([p({ connectTime: 2 })]);
    await s.settled();
    // It is agreed on when a session begins.
    await s.lab.router.vtysh('clear bgp *');
    await eventually(async () => {
      expect((await s.at()).gracefulRestartInfo?.remoteGrMode).toBe('Helper');
    }, LONG);
    await received(V4);
    const lost = await restart();
    expect(lost.some((route) => !route.includes('"valid":true'))).toBe(true);
    expect(lost.filter((route) => route.includes('stale'))).toEqual([]);
  });
});
