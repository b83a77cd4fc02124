/** Behaviours of speaker-bgp.md §9.3 and §9.4 that can be told without a router: sessions and BFD, in what FRR is told. */
import { describe, expect, it } from 'vitest';
import {
  dual,
  model,
  NODES,
  on,
  prefixes,
  problems,
  render,
  sessions,
  tor,
  v4,
  web,
} from '#tests/support/behaviours.ts';
import { bfd, bgpAdv, node, peer, type TestObject } from '#tests/support/config-factories.ts';

const config = (...objects: TestObject[]) =>
  render(model([v4, bgpAdv('a'), ...objects], { services: [] }).model);
const linesOf = (text: string, of: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith(` neighbor ${of} `) || line.startsWith(`  neighbor ${of} `));

describe('9.3 which sessions a node has', () => {
  const second = peer('second', { peerAddress: '192.0.2.2' });

  it('#56 #59 a peer that comes or goes changes no line of another', () => {
    const one = linesOf(config(tor), '192.0.2.1');
    expect(one.length).toBeGreaterThan(3);
    expect(linesOf(config(tor, second), '192.0.2.1')).toEqual(one);
    expect(linesOf(config(tor), '192.0.2.2')).toEqual([]);
  });

  it('#57 #58 node selectors of a peer: any match suffices, and labels decide', () => {
    const nodeSelectors = [{ matchLabels: { rack: 'a' } }, { matchLabels: { rack: 'b' } }];
    const where = (...racks: string[]) => {
      const nodes = racks.map((rack, i) => node(`node${i + 1}`, { rack }));
      const at = (name: string) => sessions(model([peer('p', { nodeSelectors })], { nodes }, name));
      return nodes.filter(({ name }) => at(name).length > 0).map(({ name }) => name);
    };
    expect(where('a', 'b', 'c')).toEqual(['node1', 'node2']);
    expect(where('c', 'b', 'a')).toEqual(['node2', 'node3']);
  });

  it('#60 one address in two peers: fine on different nodes; on one node the junior is out (ours: only it)', () => {
    const [a, b] = [{ age: 0 }, { age: 1 }];
    const apart = [peer('a', on('node1'), a), peer('b', on('node2'), b)];
    for (const [index, { name }] of NODES.entries()) {
      const made = model(apart, {}, name);
      expect([sessions(made), problems(made)]).toEqual([[['a', 'b'][index]], []]);
    }
    const together = model([peer('a', on('node1'), b), peer('b', {}, a)]);
    expect([sessions(together), problems(together)]).toEqual([['b'], ['FRR-2 a']]);
  });

  it('#61 another myASN on another node is fine; two in one VRF of a node are not (ours: the junior is out)', () => {
    const other = { peerAddress: '192.0.2.2', myASN: 64999 };
    const apart = [peer('a', on('node1')), peer('b', { ...other, ...on('node2') })];
    expect(NODES.map(({ name }) => model(apart, {}, name).model.routers.map(({ asn }) => asn))).toEqual([
      [64512],
      [64999],
    ]);
    const together = model([peer('a', {}, { age: 0 }), peer('b', other, { age: 1 })]);
    expect([sessions(together), problems(together)]).toEqual([['a'], ['FRR-3 b']]);
  });

  it('#62 different router ids on one node, also in two VRFs (ours: the junior is out)', () => {
    const made = model([
      peer('a', { routerID: '10.0.0.1' }, { age: 0 }),
      peer('b', { routerID: '10.0.0.2', vrf: 'red' }, { age: 1 }),
    ]);
    expect([sessions(made), problems(made)]).toEqual([['a'], ['FRR-1 b']]);
  });

  it('#65 both passwords, or a Secret that is missing or wrong (ours: that peer alone is out, until it is there)', () => {
    const both = { password: 'x', passwordSecret: { name: 'pw' } };
    const bySecret = { peerAddress: '192.0.2.3', passwordSecret: { name: 'pw' } };
    const objects = [peer('both', both), peer('secret', bySecret), second];
    const made = model(objects);
    expect(sessions(made)).toEqual(['second']);
    expect(problems(made)).toEqual(['PEER-15 both', 'PEER-16 secret']);
    const basic = { name: 'pw', type: 'kubernetes.io/basic-auth', password: 'hush' };
    const withSecret = (secret: object) => {
      const { model: ours, ...rest } = model(objects, { secrets: [{ ...basic, ...secret }] });
      return [sessions({ model: ours, ...rest }), problems({ model: ours, ...rest })];
    };
    expect(withSecret({ type: 'Opaque' })).toEqual([['second'], ['PEER-15 both', 'PEER-17 secret']]);
    expect(withSecret({ password: undefined })).toEqual([['second'], ['PEER-15 both', 'PEER-18 secret']]);
    expect(withSecret({})).toEqual([['second', 'secret'], ['PEER-15 both']]);
  });

  it('#80 #81 one address in two VRFs: two neighbours with maps of their own, and routes only where their peer is', () => {
    const objects = [
      v4,
      tor,
      peer('red', { peerAddress: '192.0.2.1', vrf: 'red' }),
      bgpAdv('a', { peers: ['red'] }),
    ];
    const text = render(model(objects).model);
    const [ours = '', red = ''] = ['router bgp 64512\n', 'router bgp 64512 vrf red\n'].map((header) => {
      const start = text.indexOf(header);
      return text.slice(start, text.indexOf('\nexit\n', start));
    });
    for (const map of ['192.0.2.1-in', '192.0.2.1-out', '192.0.2.1-red-in', '192.0.2.1-red-out'])
      expect(text).toContain(`route-map ${map} deny `);
    expect(linesOf(ours, '192.0.2.1')).toContain('  neighbor 192.0.2.1 route-map 192.0.2.1-out out');
    expect(linesOf(red, '192.0.2.1')).toContain('  neighbor 192.0.2.1 route-map 192.0.2.1-red-out out');
    expect([ours.includes('\n  network '), red.includes('\n  network 198.51.100.10/32 ')]).toEqual([
      false,
      true,
    ]);
  });

  it('#82 disableMP changes nothing', () => {
    expect(config(peer('p', { disableMP: true }))).toBe(config(peer('p')));
  });

  it('#83 two peers with one address are two sessions for nobody, however it is written (ours: the junior is out)', () => {
    const address = { peerAddress: '2001:db8::1', sourceAddress: '2001:db8::a' };
    const rival = (spec: object) => {
      const made = model([peer('b', address, { age: 0 }), peer('a', { ...address, ...spec }, { age: 1 })]);
      return [sessions(made), problems(made)];
    };
    expect(rival({ sourceAddress: '2001:db8::b' })).toEqual([['b'], ['FRR-2 a']]);
    expect(rival({})).toEqual([['b'], ['FRR-2 a']]);
    expect(rival({ peerAddress: '2001:DB8:0::1' })).toEqual([['b'], ['FRR-2 a']]);
  });
});

describe('9.3 the lines of a session', () => {
  it('#68 multihop for another AS; refused for our own', () => {
    expect(config(peer('p', { ebgpMultiHop: true }))).toContain(' neighbor 192.0.2.1 ebgp-multihop\n');
    const own = model([peer('p', { peerASN: 64512, ebgpMultiHop: true })]);
    expect([sessions(own), problems(own)]).toEqual([[], ['PEER-5 p']]);
  });

  it.each([
    [{ holdTime: '90s' }, 'timers 30 90'],
    [{ keepaliveTime: '10s' }, 'timers 10 30'],
    [{ holdTime: '10s' }, 'timers 3 10'],
    [{ holdTime: '0s', keepaliveTime: '0s' }, 'timers 0 0'],
  ])('#69 #70 %j: %s', (spec, line) => {
    expect(config(peer('p', spec))).toContain(` neighbor 192.0.2.1 ${line}\n`);
  });

  it('#69 #149 no timers, no line: FRR’s defaults; also for what was written as v1beta1 (ours)', () => {
    expect(config(tor)).not.toContain('timers');
    expect(config(peer('p', { peerPort: 0 }))).not.toContain('timers');
  });

  it('#70 a hold time of 2 s, and a keepalive time above the hold time (ours: that peer alone is out)', () => {
    for (const spec of [{ holdTime: '2s' }, { holdTime: '9s', keepaliveTime: '10s' }]) {
      const made = model([peer('p', spec)]);
      expect([sessions(made), problems(made)]).toEqual([[], [expect.stringMatching(/^PEER-[89] p$/)]]);
    }
  });

  it('#72 the time between attempts; zero, fractions and more than 65535 s are refused by the schema', () => {
    expect(config(peer('p', { connectTime: '10s' }))).toContain(' neighbor 192.0.2.1 timers connect 10\n');
    for (const connectTime of ['0s', '1500ms', '65536s'])
      expect(problems(model([peer('p', { connectTime })]))).toEqual(['SCHEMA p']);
  });

  it('#73 no connected check for an IPv6 peer of another AS on the link; multihop, our own AS and both families have it', () => {
    const skips = (spec: object) =>
      config(peer('p', { peerAddress: '2001:db8::1', ...spec })).includes('disable-connected-check');
    expect(skips({})).toBe(true);
    expect(skips({ peerASN: undefined, dynamicASN: 'external' })).toBe(true);
    expect(skips({ ebgpMultiHop: true })).toBe(false);
    expect(skips({ peerASN: 64512 })).toBe(false);
    expect(skips({ peerASN: undefined, dynamicASN: 'internal' })).toBe(false);
    expect(skips({ dualStackAddressFamily: true })).toBe(false);
    expect(config(tor)).not.toContain('disable-connected-check');
  });

  it('#75 an address of IPv6 only is nothing for a session of IPv4', () => {
    const services = [web('web', '2001:db8:1::10')];
    const objects = [dual, tor, bgpAdv('a')];
    expect(prefixes(model(objects, { services }))).toEqual([]);
    const both = peer('tor', { dualStackAddressFamily: true });
    expect(prefixes(model([dual, both, bgpAdv('a')], { services }))).toEqual(['2001:db8:1::10/128']);
  });

  it('#77 graceful restart is a line of the session', () => {
    expect(config(peer('p', { enableGracefulRestart: true }))).toContain(
      ' neighbor 192.0.2.1 graceful-restart\n',
    );
  });

  it('#144 without a dual-stack session, the family of the address only', () => {
    const text = config(peer('p', { peerAddress: '2001:db8::1' }));
    expect(text).toContain('address-family ipv6 unicast');
    expect(text).not.toContain('address-family ipv4 unicast');
  });

  it('#149 a stored v1beta1 peer with zero timers', () => {
    expect(config(peer('p', { holdTime: '0s', keepaliveTime: '0s' }))).toContain('timers 0 0');
  });
});

describe('9.4 BFD', () => {
  const withoutServices = (...objects: TestObject[]) => render(model(objects, { services: [] }).model);

  it('#85 a profile without fields has no lines: FRR’s defaults', () => {
    const text = withoutServices(peer('p', { bfdProfile: 'plain' }), bfd('plain'));
    expect(text).toContain(' profile plain\n exit\n');
    expect(text).toContain(' neighbor 192.0.2.1 bfd profile plain\n');
  });

  it('#87 echo mode and a pool of IPv6 (ours: that pool is kept from that peer)', () => {
    const both = { bfdProfile: 'echo', dualStackAddressFamily: true };
    const objects = [dual, peer('p', both), bfd('echo', { echoMode: true }), bgpAdv('a')];
    expect(problems(model(objects))).toEqual(['X-1 a']);
  });

  it('#88 a missing profile takes out its peer, until it exists (ours: no other)', () => {
    const waiting = peer('p', { bfdProfile: 'later' });
    const other = peer('q', { peerAddress: '192.0.2.2' });
    const without = model([waiting, other]);
    expect([sessions(without), problems(without)]).toEqual([['q'], ['PEER-19 p']]);
    expect(sessions(model([waiting, other, bfd('later')]))).toEqual(['p', 'q']);
  });

  it('#89 the last profile that is deleted takes its lines along (ours: at once)', () => {
    const before = model([tor, bfd('slow', { receiveInterval: 500 })], { services: [] });
    expect(render(before.model)).toContain(' profile slow\n');
    expect(render(model([tor], { services: [], before }).model)).not.toMatch(/^bfd$|profile/m);
  });

  it.each([
    { detectMultiplier: 1 },
    { receiveInterval: 9 },
    { transmitInterval: 60001 },
    { minimumTtl: 0 },
    { minimumTtl: 255 },
  ])('#90 out of bounds: %j', (spec) => {
    const made = model([bfd('b', spec)]);
    expect([problems(made).length, made.model.bfdProfiles]).toEqual([1, []]);
  });

  it('#143 everything at once: the header of the profile exactly once, and its lines', () => {
    const full = {
      receiveInterval: 60,
      transmitInterval: 61,
      echoInterval: 62,
      echoMode: true,
      passiveMode: true,
      minimumTtl: 10,
    };
    const spec = { bfdProfile: 'full', holdTime: '57s', keepaliveTime: '13s' };
    const text = withoutServices(peer('p', spec), bfd('full', full));
    expect(text.match(/^ profile full$/gm)).toHaveLength(1);
    for (const line of [
      'log stdout informational',
      '  receive-interval 60',
      '  transmit-interval 61',
      '  echo transmit-interval 62',
      '  echo receive-interval 62',
      '  minimum-ttl 10',
      '  passive-mode',
      '  echo-mode',
      ' neighbor 192.0.2.1 timers 13 57',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).not.toContain(' port ');
  });
});
