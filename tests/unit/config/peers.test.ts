import { describe, expect, it } from 'vitest';
import { bfd, bgpAdv, codes, compiled, node, object, peer, type Surroundings } from '#tests/support/config-factories.ts';

const secret = { name: 'pw', type: 'kubernetes.io/basic-auth', password: 'hush' };
const withSecret: Surroundings = { secrets: [secret] };
const selector = (key: string, operator: string, values?: string[]) => ({
  nodeSelectors: [{ matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }] }],
});

describe('peer rules: what fails', () => {
  const cases: readonly [string, object, Surroundings?][] = [
    ['PEER-1', { myASN: 0 }],
    ['PEER-2', { peerASN: 0 }],
    ['PEER-2', { peerASN: undefined }],
    ['PEER-3', { dynamicASN: 'external' }],
    ['PEER-4', { peerASN: 0, dynamicASN: 'both' }],
    ['PEER-5', { peerASN: 64512, ebgpMultiHop: true }],
    ['PEER-6', { peerAddress: '' }],
    ['PEER-7', { interface: 'eth0' }],
    ['PEER-8', { holdTime: '2.9s', keepaliveTime: '1s' }],
    ['PEER-8', { keepaliveTime: '0.5s' }],
    ['PEER-8', { holdTime: '-0.5s' }],
    ['PEER-9', { holdTime: '9s', keepaliveTime: '10s' }],
    ['PEER-9', { holdTime: '9s', keepaliveTime: '-1s' }],
    ['PEER-10', { peerAddress: 'router.example.com' }],
    ['PEER-10', { peerAddress: '192.0.2.01' }],
    ['PEER-11', { routerID: '2001:db8::1' }],
    ['PEER-12', { sourceAddress: '192.0.2.1/24' }],
    ['PEER-13', { nodeSelectors: [{ matchLabels: { a: 'b' } }, { matchLabels: { a: 'b' } }] }],
    ['PEER-14', selector('a', 'Near', ['b'])],
    ['PEER-15', { password: 'x', passwordSecret: { name: 'pw' } }, withSecret],
    ['PEER-16', { passwordSecret: { name: 'other' } }, withSecret],
    ['PEER-17', { passwordSecret: { name: 'pw' } }, { secrets: [{ ...secret, type: 'Opaque' }] }],
    ['PEER-18', { passwordSecret: { name: 'pw' } }, { secrets: [{ ...secret, password: undefined }] }],
    ['PEER-19', { bfdProfile: 'fast' }],
    ['PEER-23', { peerAddress: undefined, interface: 'eth0\n router bgp 1' }],
    ['PEER-23', { vrf: 'much-too-long-for-linux' }],
    ['PEER-24', { password: 'two\nlines' }],
    ['PEER-24', { password: 'two words' }],
    ['SCHEMA', { holdTime: '90' }],
    ['SCHEMA', { connectTime: '1500ms' }],
    ['SCHEMA', { connectTime: '0s' }],
    ['SCHEMA', { peerPort: 20000 }],
  ];
  it.each(cases)('%s: %j', (code, spec, around) => {
    const { config, problems } = compiled([peer('a', spec), peer('b', { peerAddress: '192.0.2.2' })], around);
    const own = problems.filter((problem) => !problem.code.startsWith('FRR-'));
    expect(own.map((problem) => problem.code)).toEqual([code]);
    for (const { object, field, remedy } of problems) {
      expect(object).toEqual({ kind: 'BGPPeer', namespace: 'metallb-system', name: 'a' });
      expect(field).toMatch(/^spec\./);
      expect(remedy).not.toBe('');
    }
    expect(config.peers.map(({ name }) => name)).toEqual(['b']);
  });
});

describe('peer rules: what passes', () => {
  const cases: readonly [string, object, Surroundings?][] = [
    ['PEER-2: dynamicASN alone', { peerASN: undefined, dynamicASN: 'internal' }],
    ['PEER-5: not for dynamicASN internal', { peerASN: 0, dynamicASN: 'internal', ebgpMultiHop: true }],
    ['PEER-6: interface alone', { peerAddress: undefined, interface: 'eth0' }],
    ['PEER-8: 0s switches the timers off', { holdTime: '0s', keepaliveTime: '0s' }],
    ['PEER-8: 0.9s counts as 0', { holdTime: '0.9s', keepaliveTime: '0s' }],
    ['PEER-9: keepalive 0 beside any hold time', { holdTime: '9m', keepaliveTime: '0s' }],
    ['PEER-10: IPv6', { peerAddress: '2001:db8::1' }],
    ['PEER-18: Secret with password', { passwordSecret: { name: 'pw' } }, withSecret],
    ['PEER-19: existing profile', { bfdProfile: 'known' }],
    ['PEER-14: Exists', selector('a', 'Exists')],
    ['connectTime at its upper bound', { connectTime: '65535s' }],
  ];
  it.each(cases)('%s', (_name, spec, around) => {
    const { config, problems } = compiled([peer('a', spec), bfd('known')], around);
    expect(problems).toEqual([]);
    expect(config.peers).toHaveLength(1);
  });

  it('PEER-21: disableMP is a warning, and every other rule still applies', () => {
    const { problems, warnings } = compiled([peer('a', { disableMP: true, myASN: 0 })]);
    expect(problems.map(({ code }) => code)).toEqual(['PEER-1']);
    expect(warnings.map(({ code }) => code)).toEqual(['PEER-21']);
  });

  it('v1beta1 peers as stored: zero timers, port 0, an empty reference to a Secret', () => {
    const spec = { holdTime: '0s', keepaliveTime: '0s', peerPort: 0, passwordSecret: {} };
    const { config, problems } = compiled([peer('a', spec)]);
    expect(problems).toEqual([]);
    expect(config.peers[0]).toMatchObject({ port: 179, timers: { hold: 0, keepalive: 0 }, password: undefined });
  });

  it('an object without spec is told everything it lacks', () => {
    expect(codes([object('BGPPeer', 'a')])).toEqual(['PEER-1', 'PEER-2', 'PEER-6']);
  });
});

describe('effective timers (api.md 6.4)', () => {
  const timers = (spec: object) => compiled([peer('a', spec)]).config.peers[0]?.timers;
  it.each([
    [{}, undefined],
    [{ holdTime: '90s', keepaliveTime: '20s' }, { hold: 90, keepalive: 20 }],
    [{ holdTime: '90s' }, { hold: 90, keepalive: 30 }],
    [{ keepaliveTime: '10s' }, { hold: 30, keepalive: 10 }],
    [{ holdTime: '10s' }, { hold: 10, keepalive: 3 }],
    [{ holdTime: '1m30s', keepaliveTime: '1500ms' }, { hold: 90, keepalive: 1 }],
  ])('%j', (spec, expected) => {
    expect(timers(spec)).toEqual(expected);
  });
});

describe('a peer as value', () => {
  it('carries every field', () => {
    const spec = {
      localASN: 65001, sourceAddress: '192.0.2.9', peerPort: 1179, connectTime: '10s', routerID: '10.0.0.1',
      bfdProfile: 'fast', enableGracefulRestart: true, ebgpMultiHop: true, vrf: 'red',
      dualStackAddressFamily: true, password: 'hush', nodeSelectors: [{ matchLabels: { rack: 'a' } }],
    };
    expect(compiled([peer('a', spec), bfd('fast')]).config.peers).toEqual([
      {
        name: 'a',
        myAsn: 64512,
        remoteAs: { kind: 'asn', asn: 64513 },
        localAsn: 65001,
        endpoint: { kind: 'address', address: { family: 'ipv4', value: 0xc0000201n }, text: '192.0.2.1' },
        sourceAddress: { family: 'ipv4', value: 0xc0000209n },
        port: 1179,
        timers: undefined,
        connectTime: 10,
        routerId: { family: 'ipv4', value: 0x0a000001n },
        nodeSelectors: [{ requirements: [{ key: 'rack', operator: 'In', values: ['a'] }] }],
        password: 'hush',
        bfdProfile: 'fast',
        gracefulRestart: true,
        ebgpMultiHop: true,
        vrf: 'red',
        disableMP: false,
        dualStackAddressFamily: true,
      },
    ]);
  });

  it('takes its password from the Secret, and no problem ever shows it', () => {
    const { config } = compiled([peer('a', { passwordSecret: { name: 'pw' } })], withSecret);
    expect(config.peers[0]?.password).toBe('hush');
    const bad = compiled([peer('a', { password: 'sesame\n' })]);
    expect(JSON.stringify(bad.problems)).not.toContain('sesame');
  });
});

describe('FRR rules (api.md 6.8)', () => {
  const onNode = (name: string) => ({ nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': name } }] });
  const other = { peerAddress: '192.0.2.2' };

  it.each([
    ['FRR-1', { ...other, routerID: '10.0.0.1' }],
    ['FRR-2', {}],
    ['FRR-3', { ...other, myASN: 64999 }],
  ])('%s: the junior of two peers on one node is out', (code, spec) => {
    const { config, problems } = compiled([peer('b', {}, { age: 0 }), peer('a', spec, { age: 1 })]);
    expect(problems.map((problem) => [problem.code, problem.object.name])).toEqual([[code, 'a']]);
    expect(config.peers.map(({ name }) => name)).toEqual(['b']);
  });

  it.each([
    ['FRR-1', { ...other, routerID: '10.0.0.1' }],
    ['FRR-2', {}],
    ['FRR-3', { ...other, myASN: 64999 }],
  ])('%s: not between peers that share no node', (_code, spec) => {
    const { config, problems } = compiled([
      peer('a', onNode('node1')),
      peer('b', { ...spec, ...onNode('node2') }),
    ]);
    expect(problems).toEqual([]);
    expect(config.peers).toHaveLength(2);
  });

  it('FRR-2: the same address in another VRF is another peer', () => {
    expect(codes([peer('a'), peer('b', { vrf: 'red' })])).toEqual([]);
  });

  it('FRR-2: with no node known, every pair is assumed to share one', () => {
    expect(codes([peer('a', onNode('node1')), peer('b', onNode('node2'))], { nodes: [] })).toEqual(['FRR-2']);
  });

  it('FRR-3: two local ASNs in two VRFs are fine', () => {
    expect(codes([peer('a'), peer('b', { ...other, myASN: 64999, vrf: 'red' })])).toEqual([]);
  });

  it('FRR-2: a peer that is invalid by itself takes nobody with it', () => {
    const { config, problems } = compiled([
      peer('a', { bfdProfile: 'missing' }, { age: 0 }),
      peer('b', {}, { age: 1 }),
    ]);
    expect(problems.map(({ code }) => code)).toEqual(['FRR-2', 'PEER-19']);
    expect(config.peers.map(({ name }) => name)).toEqual(['b']);
  });
});

describe('scope of a speaker', () => {
  const red = node('red', { colour: 'red' });
  const onRed = { nodeSelectors: [{ matchLabels: { colour: 'red' } }] };
  const speaker = (view = red): Surroundings => ({ nodes: [red, node('blue')], scope: { kind: 'speaker', node: view } });

  it('reads the peers and BGP advertisements that select its node, and their problems only', () => {
    const objects = [peer('a', { ...onRed, myASN: 0 }), peer('b', { peerAddress: '192.0.2.2' }), bgpAdv('c', onRed)];
    const there = compiled(objects, speaker());
    expect(there.problems.map(({ code }) => code)).toEqual(['PEER-1']);
    expect(there.config.bgpAdvertisements).toHaveLength(1);
    const elsewhere = compiled(objects, speaker(node('blue')));
    expect(elsewhere.problems).toEqual([]);
    expect(elsewhere.config.peers.map(({ name }) => name)).toEqual(['b']);
    expect(elsewhere.config.bgpAdvertisements).toEqual([]);
  });

  it('PEER-14: a selector that cannot be read is told by every speaker', () => {
    expect(codes([peer('a', selector('', 'Exists'))], speaker(node('blue')))).toEqual(['PEER-14']);
  });

  it('the controller reads neither', () => {
    const { config, problems } = compiled([peer('a', { myASN: 0 })], { scope: { kind: 'controller' } });
    expect(problems).toEqual([]);
    expect(config.peers).toEqual([]);
  });
});
