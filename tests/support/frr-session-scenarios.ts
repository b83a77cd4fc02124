/** Golden scenarios of sessions, BFD profiles and the global part. */
import type { SecretView } from '#core/model/views.ts';
import { bfd, bgpAdv, peer } from '#tests/support/config-factories.ts';
import {
  both,
  dual,
  only,
  own,
  six,
  v4,
  type Given,
  type ObjectScenario,
} from '#tests/support/scenario-objects.ts';

const secret = { name: 'bgp', type: 'kubernetes.io/basic-auth', password: 'from-a-secret' } as SecretView;

const sessions: readonly ObjectScenario[] = [
  ['peer-ibgp-by-number', ...only(own)],
  ['peer-dynamic-external', ...only({ peerASN: undefined, dynamicASN: 'external' })],
  ['peer-dynamic-internal', ...only({ peerASN: undefined, dynamicASN: 'internal' })],
  ['peer-local-asn', ...only({ localASN: 65010 })],
  ['peer-local-asn-for-own-as', ...only({ ...own, localASN: 65010 })],
  [
    'peer-local-asn-dynamic-external',
    ...only({ peerASN: undefined, dynamicASN: 'external', localASN: 65010 }),
  ],
  ['peer-asn-of-32-bits', ...only({ myASN: 4_200_000_001, peerASN: 4_294_967_294 })],
  ['peer-multihop', ...only({ ebgpMultiHop: true })],
  ['peer-multihop-ipv6', ...only({ ...six, ebgpMultiHop: true }, both)],
  ['peer-ipv6-ebgp', ...only(six, both)],
  ['peer-ipv6-ibgp', ...only({ ...six, ...own }, both)],
  ['peer-ipv6-written-otherwise', ...only({ peerAddress: '2001:0DB8:0:0::0:1' }, both)],
  ['peer-ipv4-mapped', ...only({ peerAddress: '::ffff:192.0.2.1' })],
  ['peer-ipv4-compatible', ...only({ peerAddress: '::192.0.2.1', sourceAddress: '::192.0.2.42' }, both)],
  ['peer-source-address', ...only({ sourceAddress: '192.0.2.42' })],
  ['peer-source-address-ipv6', ...only({ ...six, sourceAddress: '2001:db8::42' }, both)],
  ['peer-port', ...only({ peerPort: 16_384 })],
  ['peer-hold-time', ...only({ holdTime: '90s' })],
  ['peer-keepalive', ...only({ keepaliveTime: '10s' })],
  ['peer-timers-zero', ...only({ holdTime: '0s', keepaliveTime: '0s' })],
  ['peer-timers-as-the-default', ...only({ holdTime: '180s', keepaliveTime: '60s' })],
  ['peer-timers-longest', ...only({ holdTime: '65535s', keepaliveTime: '21845s' })],
  ['peer-connect-time', ...only({ connectTime: '10s' })],
  ['peer-connect-time-as-the-default', ...only({ connectTime: '120s' })],
  ['peer-connect-time-30', ...only({ connectTime: '30s' })],
  ['peer-connect-time-longest', ...only({ connectTime: '65535s' })],
  ['peer-router-id', ...only({ routerID: '10.255.0.7' })],
  ['peer-password', ...only({ password: 'a?b|c!d#"e\'$f\\g`h' })],
  ['peer-password-80-characters', ...only({ password: 'x'.repeat(80) })],
  ['peer-password-begins-with-a-mark', ...only({ password: '!secret' })],
  ['peer-password-from-secret', ...only({ passwordSecret: { name: 'bgp' } }, { secrets: [secret] })],
  ['peer-graceful-restart', ...only({ enableGracefulRestart: true })],
  ['peer-dual-stack-ipv4', ...only({ dualStackAddressFamily: true }, both)],
  ['peer-dual-stack-ipv6', ...only({ ...six, dualStackAddressFamily: true }, both)],
  ['peer-unnumbered', ...only({ peerAddress: undefined, interface: 'eth1' }, both)],
  ['peer-unnumbered-ibgp', ...only({ ...own, peerAddress: undefined, interface: 'eth1' }, both)],
  [
    'peer-unnumbered-with-everything',
    ...only(
      {
        peerAddress: undefined,
        interface: 'bond0.100-a_b.c',
        peerASN: undefined,
        dynamicASN: 'external',
        localASN: 65010,
        password: 's3cret',
        holdTime: '9s',
        connectTime: '1s',
        enableGracefulRestart: true,
        bfdProfile: 'plain',
        peerPort: 1790,
      },
      both,
      bfd('plain'),
    ),
  ],
  ['peer-in-vrf', ...only({ vrf: 'red' })],
  ['peer-in-vrf-ipv6', ...only({ ...six, vrf: 'red' }, both)],
  ['peer-in-vrf-unnumbered', ...only({ vrf: 'red', peerAddress: undefined, interface: 'eth1' }, both)],
  [
    'peers-in-three-vrfs-same-address',
    [
      v4,
      bgpAdv('all'),
      peer('default'),
      peer('red', { vrf: 'red' }),
      peer('blue', { vrf: 'blue', myASN: 65001 }),
    ],
  ],
  [
    'peers-of-every-kind',
    [
      dual,
      bgpAdv('all'),
      peer('a'),
      peer('b', { ...own, peerAddress: '192.0.2.2' }),
      peer('c', { ...six, ...own }),
      peer('d', { peerAddress: '2001:db8::2', dualStackAddressFamily: true, ebgpMultiHop: true }),
      peer('e', { peerAddress: undefined, interface: 'eth1' }),
      peer('f', { peerAddress: '192.0.2.3', peerASN: undefined, dynamicASN: 'internal' }),
    ],
    both,
  ],
  [
    'peer-of-another-node',
    [
      v4,
      bgpAdv('all'),
      peer('tor'),
      peer('x', { peerAddress: '192.0.2.2', nodeSelectors: [{ matchLabels: { rack: '2' } }] }),
    ],
  ],
];

const bfdProfiles: readonly ObjectScenario[] = [
  [
    'bfd-defaults-written-out',
    ...only(
      { bfdProfile: 'd' },
      {},
      bfd('d', {
        receiveInterval: 300,
        transmitInterval: 300,
        detectMultiplier: 3,
        echoInterval: 50,
        minimumTtl: 254,
      }),
    ),
  ],
  [
    'bfd-smallest',
    ...only(
      { bfdProfile: 's' },
      {},
      bfd('s', {
        receiveInterval: 10,
        transmitInterval: 10,
        detectMultiplier: 2,
        echoInterval: 10,
        minimumTtl: 1,
      }),
    ),
  ],
  [
    'bfd-largest',
    ...only(
      { bfdProfile: 'l' },
      {},
      bfd('l', {
        receiveInterval: 60_000,
        transmitInterval: 60_000,
        detectMultiplier: 255,
        echoInterval: 60_000,
        minimumTtl: 253,
      }),
    ),
  ],
  [
    'bfd-passive-a13',
    ...only(
      { bfdProfile: 'bfdp' },
      {},
      bfd('bfdp', {
        receiveInterval: 150,
        transmitInterval: 150,
        detectMultiplier: 10,
        passiveMode: true,
        minimumTtl: 5,
      }),
    ),
  ],
  ['bfd-name-of-63-characters', ...only({ bfdProfile: 'p'.repeat(63) }, {}, bfd('p'.repeat(63)))],
  [
    'bfd-two-sessions-two-profiles',
    [
      v4,
      bgpAdv('all'),
      bfd('x', { echoMode: true }),
      bfd('y.z-1'),
      peer('a', { bfdProfile: 'x' }),
      peer('b', { peerAddress: '192.0.2.2', bfdProfile: 'y.z-1' }),
    ],
  ],
  ['bfd-in-vrf', ...only({ vrf: 'red', bfdProfile: 'x' }, {}, bfd('x', { passiveMode: true }))],
  ['bfd-multihop', ...only({ ebgpMultiHop: true, bfdProfile: 'x' }, {}, bfd('x', { minimumTtl: 200 }))],
];

const extras = (text: string): Given => ({ extras: text });
const others: readonly ObjectScenario[] = [
  ['log-all', ...only({}, { logLevel: 'all' })],
  ['log-warn', ...only({}, { logLevel: 'warn' })],
  ['log-error', ...only({}, { logLevel: 'error' })],
  ['log-none', ...only({}, { logLevel: 'none' })],
  ['node-name-with-dots', ...only({}, { node: { name: 'Worker-0.rack-1.example.org' } })],
  [
    'node-name-longest',
    ...only({}, { node: { name: `${'n'.repeat(60)}.${'o'.repeat(60)}.${'p'.repeat(60)}.example` } }),
  ],
  ['node-with-ipv6-only', ...only({ ...six, ...own }, { ...both, node: { internalIPs: ['2001:db8::42'] } })],
  [
    'extras-of-a-router',
    ...only(
      {},
      extras(
        'router bgp 64512\n bgp bestpath as-path multipath-relax\n neighbor 192.0.2.1 description to the fabric\nexit\n',
      ),
    ),
  ],
  [
    'extras-of-an-inbound-map',
    ...only(
      {},
      extras(
        'bgp as-path access-list near seq 5 permit ^64513$\nipv6 prefix-list six seq 5 permit 2001:db8::/32 le 64\nroute-map 192.0.2.1-in permit 20\n match as-path near\n',
      ),
    ),
  ],
  [
    'extras-with-comments',
    ...only({}, extras('! a comment\n\n# another\nbgp community-list standard mine seq 5 permit 64512:1\n')),
  ],
];

export const sessionScenarios: readonly ObjectScenario[] = [...sessions, ...bfdProfiles, ...others];
