/**
 * For each rule of api.md §6 that looks at configuration objects, objects that just keep it; the corpus holds those that
 * break it. Rules that do not hold here are in rule-differences.ts.
 */
import {
  bfd,
  bgpAdv,
  community,
  l2Adv,
  object,
  peer,
  pool,
  type TestObject,
} from '#tests/support/config-factories.ts';

const labelled = { matchLabels: { team: 'a' } };
const other = { matchLabels: { team: 'b' } };
const both = [labelled, other];
const expressions = [
  {
    matchExpressions: [
      { key: 'team', operator: 'In', values: ['a', 'b'] },
      { key: 'team', operator: 'NotIn', values: ['a', 'b'] },
    ],
  },
];
const readable = [{ matchExpressions: [{ key: 'example.com/team', operator: 'Exists' }] }];
const v4 = pool('v4', ['10.0.0.0/24']);
const second = (spec: object) => peer('b', { peerAddress: '192.0.2.2', ...spec });
const allocation = (serviceAllocation: object) => pool('a', ['10.0.0.0/24'], { serviceAllocation });

/** Under `ids`, separated by blanks; the last object is the one under judgement. */
export const kept: readonly (readonly [ids: string, ...objects: TestObject[]])[] = [
  ['SEL-1 SEL-2 SEL-3', peer('a', { nodeSelectors: [...both, ...expressions] })],
  [
    'SEL-3 once as labels, once as an expression',
    l2Adv('a', {
      nodeSelectors: [labelled, { matchExpressions: [{ key: 'team', operator: 'In', values: ['a'] }] }],
    }),
  ],
  ['SEL-4', bgpAdv('a', { nodeSelectors: readable })],
  ['PEER-1 PEER-2 PEER-3 PEER-6 PEER-7 PEER-10 PEER-22', peer('a')],
  [
    'PEER-2 PEER-4 dynamic',
    object('BGPPeer', 'a', { myASN: 64512, dynamicASN: 'external', peerAddress: '192.0.2.1' }),
  ],
  ['PEER-3 peerASN zero beside dynamicASN', peer('a', { peerASN: 0, dynamicASN: 'internal' })],
  ['PEER-5 multi-hop to another AS', peer('a', { ebgpMultiHop: true })],
  ['PEER-6 PEER-7 unnumbered', object('BGPPeer', 'a', { myASN: 64512, peerASN: 64513, interface: 'eth0' })],
  ['PEER-8 PEER-9 the shortest', peer('a', { holdTime: '3s', keepaliveTime: '3s' })],
  ['PEER-8 PEER-9 switched off', peer('a', { holdTime: '0s', keepaliveTime: '0s' })],
  ['PEER-10 IPv6', peer('a', { peerAddress: '2001:db8::1' })],
  ['PEER-11 PEER-12', peer('a', { routerID: '10.0.0.1', sourceAddress: '2001:db8::7' })],
  ['PEER-13 PEER-14', peer('a', { nodeSelectors: [...both, ...readable] })],
  ['PEER-15 a password alone', peer('a', { password: 'secret', passwordSecret: { name: '' } })],
  ['a Secret that is judged at run time', peer('a', { passwordSecret: { name: 'later' } })],
  ['FRR-1 FRR-3 alike', peer('a', { routerID: '10.0.0.1' }), second({ routerID: '10.0.0.1' })],
  ['FRR-3 another VRF', peer('a'), second({ myASN: 64999, vrf: 'red' })],
  [
    'FRR-1 FRR-2 FRR-3 FRR-4 other nodes',
    peer('a', { nodeSelectors: [{ matchLabels: { rack: '1' } }] }),
    peer('b', { myASN: 64999, routerID: '10.0.0.2', nodeSelectors: [{ matchLabels: { rack: '2' } }] }),
  ],
  [
    'BFD-2 BFD-3 BFD-4 BFD-5 BFD-6 lowest',
    bfd('a', {
      detectMultiplier: 2,
      receiveInterval: 10,
      transmitInterval: 10,
      minimumTtl: 1,
      echoInterval: 10,
    }),
  ],
  [
    'BFD-2 BFD-3 BFD-4 BFD-5 BFD-6 BFD-9 highest',
    bfd('a', {
      detectMultiplier: 255,
      receiveInterval: 60000,
      transmitInterval: 60000,
      minimumTtl: 254,
      echoInterval: 60000,
    }),
  ],
  ['POOL-2 POOL-3 POOL-4 POOL-12', pool('a', ['10.0.0.0/24', '10.0.1.1-10.0.1.1'])],
  ['POOL-5', allocation({ namespaces: ['x', 'y'] })],
  ['POOL-6 POOL-8', allocation({ namespaceSelectors: [...both, ...readable] })],
  ['POOL-7 POOL-9', allocation({ serviceSelectors: [...both, ...readable] })],
  ['POOL-11 halves of one block', pool('b', ['10.0.0.0/25']), pool('a', ['10.0.0.128/25'])],
  [
    'COM-2 COM-3',
    community('a', [{ name: 'x', value: '1:1' }]),
    community('b', [{ name: 'y', value: '1:1' }]),
  ],
  ['ADL-1 ADL-9', l2Adv('a', { ipAddressPools: ['x', 'y'] })],
  ['ADL-2 ADL-8', l2Adv('a', { ipAddressPoolSelectors: [...both, ...readable] })],
  ['ADL-3 ADL-5', l2Adv('a', { nodeSelectors: [...both, ...readable] })],
  ['ADL-4 ADL-6', l2Adv('a', { serviceSelectors: [...both, ...readable] })],
  ['ADL-7', l2Adv('a', { preferredNodeSelectors: [{ weight: 1, preference: readable[0] }] })],
  ['ADB-1 ADB-3 ADB-19', bgpAdv('a', { ipAddressPools: ['x', 'y'], peers: ['x', 'y'] })],
  ['ADB-2 ADB-11 equal in value, not in text', bgpAdv('a', { communities: ['1:1', '01:1', 'large:1:2:3'] })],
  ['ADB-4 ADB-15', bgpAdv('a', { ipAddressPoolSelectors: [...both, ...readable] })],
  ['ADB-5 ADB-13', bgpAdv('a', { nodeSelectors: [...both, ...readable] })],
  ['ADB-6 ADB-14', bgpAdv('a', { serviceSelectors: [...both, ...readable] })],
  [
    'ADB-7 ADB-8 lengths of one address',
    bgpAdv('a', { serviceSelectors: [labelled], aggregationLength: 32, aggregationLengthV6: 128 }),
  ],
  ['ADB-9 ADB-10', bgpAdv('a', { ipAddressPools: ['x'], aggregationLength: 1, aggregationLengthV6: 64 })],
  ['ADB-17 other lengths', v4, bgpAdv('b'), bgpAdv('a', { localPref: 100, aggregationLength: 26 })],
  ['ADB-17 other peers', v4, bgpAdv('b', { peers: ['x'] }), bgpAdv('a', { localPref: 100, peers: ['y'] })],
  ['X-1 echo without IPv6', bfd('p', { echoMode: true }), peer('b', { bfdProfile: 'p' }), v4, bgpAdv('a')],
];
