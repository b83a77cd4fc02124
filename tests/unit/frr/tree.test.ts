import { describe, expect, it } from 'vitest';
import { commandsFor, redact } from '#core/frr/commands.ts';
import { diff } from '#core/frr/diff.ts';
import { parseConfig, sameTree, treeLines } from '#core/frr/tree.ts';

const typed = (a: string, b: string): string[] =>
  commandsFor(diff(parseConfig(a), parseConfig(b))).map(({ command }) => command);

describe('configuration as a tree', () => {
  it('order, comments, indentation and exits carry no meaning', () => {
    const a =
      'router bgp 1\n neighbor x remote-as 2\n address-family ipv4 unicast\n  network 1.1.1.1/32\n exit-address-family\nexit\nbfd\n profile p\n exit\nexit\n';
    const b =
      '! hi\nbfd\nprofile p\nrouter bgp 1\naddress-family ipv4 unicast\nnetwork 1.1.1.1/32\nexit-address-family\nneighbor x remote-as 2\n';
    expect(sameTree(parseConfig(a), parseConfig(b))).toBe(true);
  });
  it('#79 an entry of a route-map that is redefined wins', () => {
    const text = 'route-map x-in deny 20\nroute-map x-in permit 20\n match ip address prefix-list l\n';
    expect(treeLines(parseConfig(text))).toEqual([
      'route-map x-in permit 20',
      'route-map x-in permit 20 > match ip address prefix-list l',
    ]);
  });
  it('top-level lines end a block without exit', () => {
    const text = 'route-map x permit 1\n set tag 1\nip prefix-list l seq 5 permit any\nlog stdout errors\n';
    expect(treeLines(parseConfig(text))).toContain('ip prefix-list l seq 5 permit any');
  });
  it('lines of the machine are not compared', () => {
    expect(
      treeLines(
        parseConfig('frr version 10.3\nhostname vm\nno ip forwarding\nservice integrated-vtysh-config\nend'),
      ),
    ).toEqual([]);
  });
});

describe('what is typed', () => {
  const af = 'router bgp 1\n address-family ipv4 unicast\n';
  it('a prefix changes its class in place, without a withdrawal', () => {
    expect(
      typed(`${af} network 1.1.1.1/32 route-map CLASS-1`, `${af} network 1.1.1.1/32 route-map CLASS-2`),
    ).toEqual([
      'configure terminal',
      'router bgp 1',
      'address-family ipv4 unicast',
      'network 1.1.1.1/32 route-map CLASS-2',
      'end',
    ]);
  });
  it('a new neighbour is shut down until all its lines are typed, its routes included; one that users shut down stays so', () => {
    const lines = [
      'router bgp 1',
      'neighbor x remote-as 2',
      'neighbor x password s',
      'address-family ipv4 unicast',
    ];
    const more = ['network 1.1.1.1/32', 'neighbor x activate'];
    const text = [...lines, ...more, ''].join('\n');
    expect(typed('', text)).toEqual([
      'configure terminal',
      'router bgp 1',
      'neighbor x remote-as 2',
      'neighbor x shutdown',
      'neighbor x password s',
      'address-family ipv4 unicast',
      'neighbor x activate',
      'network 1.1.1.1/32',
      'exit',
      'no neighbor x shutdown',
      'end',
    ]);
    expect(typed(text, text.replace('remote-as 2', 'remote-as 3'))).not.toContain('neighbor x shutdown');
    const users = `${text}router bgp 1\n neighbor x shutdown\n`;
    expect(typed('', users).filter((command) => command.includes('shutdown'))).toEqual([
      'neighbor x shutdown',
    ]);
  });
  it('a removed neighbour takes its address families along', () => {
    const a =
      'router bgp 1\n neighbor e interface remote-as external\n neighbor e timers 1 3\n address-family ipv4 unicast\n  neighbor e activate\n';
    expect(typed(a, 'router bgp 1\n')).toEqual([
      'configure terminal',
      'router bgp 1',
      'no neighbor e interface',
      'end',
    ]);
  });
  it('passwords are never repeated when they go', () => {
    const a = 'router bgp 1\n neighbor x remote-as 2\n neighbor x password secret\n';
    expect(typed(a, 'router bgp 1\n neighbor x remote-as 2\n')).toContain('no neighbor x password');
  });
  it('nothing for nothing', () => expect(typed(af, af)).toEqual([]));
  it('passwords are hidden in what people see', () => {
    expect(redact('neighbor x password s3cret: % bad')).toBe('neighbor x password <hidden> % bad');
  });
});
