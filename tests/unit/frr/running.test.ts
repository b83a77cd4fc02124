import { describe, expect, it } from 'vitest';
import { readRunning } from '#core/frr/running.ts';
import { parseConfig, treeLines } from '#core/frr/tree.ts';
import { deviations, ownPart } from '#core/frr/verify.ts';

const HEAD =
  'Building configuration...\n\nCurrent configuration:\n!\nfrr version 10.3\nfrr defaults traditional\n';
const answer = (body: string): string => `${HEAD}${body}\n!\nend\n`;
const LOG = 'log stdout informational\n';

describe('running configuration, daemon by daemon', () => {
  const lines = (bgpd: string, bfdd = LOG, zebra = LOG): string[] => {
    const running = readRunning([answer(bgpd), answer(bfdd), answer(zebra)]);
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
});
