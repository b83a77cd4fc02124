import { describe, expect, it } from 'vitest';
import { readRunning } from '#core/frr/running.ts';
import { parseConfig, treeLines } from '#core/frr/tree.ts';
import { asksFor, deviations, ownPart, shownOfOthers } from '#core/frr/verify.ts';

const HEAD =
  'Building configuration...\n\nCurrent configuration:\n!\nfrr version 10.3\nfrr defaults traditional\n';
const answer = (body: string): string => `${HEAD}${body}\n!\nend\n`;
const LOG = 'log stdout informational\n';

describe('running configuration, daemon by daemon', () => {
  const lines = (bgpd: string, bfdd = LOG, zebra = LOG, mgmtd = LOG): string[] => {
    const running = readRunning([answer(bgpd), answer(bfdd), answer(zebra), answer(mgmtd)]);
    return running.kind === 'running' ? treeLines(running.tree) : [`no ${running.daemon}`];
  };
  it('a daemon without an answer of its own is absent', () => {
    const running = readRunning([
      answer(''),
      'Building configuration...\n\nCurrent configuration:\n!\nend',
      '',
    ]);
    expect(running).toEqual({ kind: 'absent', daemon: 'bfdd' });
  });
  it('a route-map that only another daemon keeps is not there', () => {
    const map = 'route-map CLASS-1 permit 1\n set tag 1\nexit\n';
    expect(lines(LOG, LOG + map, LOG + map)).toEqual(['log stdout informational']);
    expect(lines(LOG + map)).toContain('route-map CLASS-1 permit 1 > set tag 1');
  });
  it('BFD profiles are bfdd’s, prefix-lists bgpd’s, VRFs zebra’s', () => {
    const list = 'ip prefix-list l seq 5 permit any\n';
    expect(
      lines(
        LOG + list,
        `${LOG}bfd\n profile p\n exit\nexit\n`,
        `${LOG}vrf red\n ip route 1.1.1.1/32 lo\nexit-vrf\n`,
      ),
    ).toEqual([
      'bfd > profile p',
      'ip prefix-list l seq 5 permit any',
      'log stdout informational',
      'vrf red',
      'vrf red > ip route 1.1.1.1/32 lo',
    ]);
    expect(lines(LOG, LOG, LOG + list)).toEqual(['log stdout informational']);
  });
  it('static routes are mgmtd’s, which may be missing; its route-maps and lists are not', () => {
    const others = 'route-map CLASS-1 permit 1\n set tag 1\nexit\nip prefix-list l seq 5 permit any\n';
    const routes = 'ip route 192.0.2.0/24 10.0.0.1\nvrf red\n ipv6 route 2001:db8::/32 lo\nexit-vrf\n';
    expect(lines(LOG, LOG, `${LOG}vrf red\n vni 7\nexit-vrf\n`, LOG + others + routes)).toEqual([
      'ip route 192.0.2.0/24 10.0.0.1',
      'log stdout informational',
      'vrf red',
      'vrf red > ipv6 route 2001:db8::/32 lo',
      'vrf red > vni 7',
    ]);
    expect(readRunning([answer(LOG), answer(LOG), answer(LOG), '% mgmtd is not running'])).toMatchObject({
      kind: 'running',
    });
  });
  it('a log line counts when every daemon has it', () => {
    expect(lines(LOG, '', LOG)).toEqual([]);
  });
});

describe('what is ours, and what differs', () => {
  const router =
    'router bgp 1\n address-family ipv4 unicast\n  network 1.1.1.1/32 route-map CLASS-1\n exit-address-family\nexit\n';
  const commands = (running: string, desired: string, rendered = desired): string[] =>
    deviations(parseConfig(running), { desired: parseConfig(desired), rendered: parseConfig(rendered) }).map(
      ({ command }) => command,
    );

  it('what belongs to the node stays out of it', () => {
    const foreign =
      'interface eth0\n ip address 1.1.1.1/24\nexit\nip route 0.0.0.0/0 1.1.1.1\nrouter ospf\n network 1.1.1.0/24 area 0\nexit\n';
    expect(treeLines(ownPart(parseConfig(foreign + router), parseConfig('')))).toEqual(
      treeLines(parseConfig(router)),
    );
    expect(commands(foreign + router, router)).toEqual([]);
  });
  it('a missing line and a surplus one', () => {
    expect(commands(router.replace('1.1.1.1', '2.2.2.2'), router)).toEqual([
      'network 1.1.1.1/32 route-map CLASS-1',
      'no network 2.2.2.2/32',
    ]);
  });
  it('lines of users are not looked for; beside them only our routes count as surplus', () => {
    const extras = 'ip prefix-list l permit any\n';
    const printed = 'ip prefix-list l seq 5 permit any\n';
    expect(commands(router + printed, router + extras, router)).toEqual([]);
    const surplus = `${router}router bgp 1\n address-family ipv4 unicast\n  network 2.2.2.2/32 route-map CLASS-1\n`;
    expect(commands(surplus + printed, router + extras, router)).toEqual(['no network 2.2.2.2/32']);
    expect(commands(printed, router + extras, router)).toEqual(['', 'network 1.1.1.1/32 route-map CLASS-1']);
  });

  it('a line of users that FRR has shown as written is looked for from then on; another is not', () => {
    const extras = 'ip route 192.0.2.0/24 10.0.0.1\nip prefix-list l permit any\n';
    const printed = 'ip route 192.0.2.0/24 10.0.0.1\nip prefix-list l seq 5 permit any\n';
    const expectation = { desired: parseConfig(router + extras), rendered: parseConfig(router) };
    const shown = shownOfOthers(parseConfig(router + printed), expectation);
    expect([...shown]).toEqual(['ip route 192.0.2.0/24 10.0.0.1']);
    expect(deviations(parseConfig(router + printed), expectation, shown)).toEqual([]);
    const lost = deviations(parseConfig(router), expectation, shown).map(({ command }) => command);
    expect(lost).toEqual(['ip route 192.0.2.0/24 10.0.0.1']);
    expect(deviations(parseConfig(router), expectation)).toEqual([]);
  });
  it('whether a configuration asks for a change: a line, a block, or that something is not there', () => {
    const asks = (...words: string[]) => {
      const path = words.slice(0, -1);
      return asksFor(parseConfig(router), { path, command: words.at(-1) ?? '', neighbor: undefined });
    };
    const family = ['router bgp 1', 'address-family ipv4 unicast'];
    expect(asks(...family, 'network 1.1.1.1/32 route-map CLASS-1')).toBe(true);
    expect(asks(...family, 'network 1.1.1.1/32 route-map CLASS-2')).toBe(false);
    expect(asks(...family, 'no network 1.1.1.1/32')).toBe(false);
    expect(asks(...family, 'no network 2.2.2.2/32')).toBe(true);
    expect(asks('router bgp 1', '')).toBe(true);
    expect(asks('router bgp 2', '')).toBe(false);
    expect(asks('no router bgp 1')).toBe(false);
    expect(asks('no router bgp 2')).toBe(true);
  });
});
