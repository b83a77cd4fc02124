/**
 * One corpus of configuration for everything that gives verdicts: schema and CEL of the API server with the webhook,
 * and `metallb validate`. The last object is the one under judgement; those before it are sound and stored.
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
import { kept } from '#tests/support/rule-cases.ts';
import { differences } from '#tests/support/rule-differences.ts';

export interface Case {
  /** The rule of api.md §6, and what is special about the case. */
  readonly name: string;
  readonly objects: readonly TestObject[];
  /** Part of the reason; undefined: accepted. */
  readonly denied: string | undefined;
}

const refused = (name: string, denied: string, ...objects: TestObject[]): Case => ({ name, denied, objects });
const accepted = (name: string, ...objects: TestObject[]): Case => ({ name, denied: undefined, objects });

const labelled = { matchLabels: { team: 'a' } };
const twice = [labelled, labelled];
const unreadable = [{ matchExpressions: [{ key: 'team', operator: 'Near', values: ['x'] }] }];
const inDefault = (entry: TestObject): TestObject => ({
  ...entry,
  metadata: { ...entry.metadata, namespace: 'default' },
});
const ELSEWHERE = 'resource must be created in metallb-system namespace';
const v4 = pool('v4', ['10.0.0.0/24']);

const pools: readonly Case[] = [
  refused('POOL-2', 'no prefixes', pool('a', [])),
  refused('POOL-3', 'invalid CIDR "10.0.0.1"', pool('a', ['10.0.0.1'])),
  refused('POOL-4', 'is after end', pool('a', ['10.0.0.9-10.0.0.1'])),
  refused('POOL-4 mixed families', 'different families', pool('a', ['10.0.0.1-2001:db8::1'])),
  refused(
    'POOL-5',
    'duplicate "x"',
    pool('a', ['10.0.0.0/24'], { serviceAllocation: { namespaces: ['x', 'x'] } }),
  ),
  refused(
    'POOL-6',
    'duplicate definition',
    pool('a', ['10.0.0.0/24'], { serviceAllocation: { namespaceSelectors: twice } }),
  ),
  refused(
    'POOL-7',
    'duplicate definition',
    pool('a', ['10.0.0.0/24'], { serviceAllocation: { serviceSelectors: twice } }),
  ),
  refused(
    'POOL-8',
    'not a valid label selector operator',
    pool('a', ['10.0.0.0/24'], { serviceAllocation: { namespaceSelectors: unreadable } }),
  ),
  refused(
    'POOL-9',
    'not a valid label selector operator',
    pool('a', ['10.0.0.0/24'], { serviceAllocation: { serviceSelectors: unreadable } }),
  ),
  refused('POOL-11', 'overlaps with already defined CIDR', v4, pool('w', ['10.0.0.128/25'])),
  refused('POOL-11 within', 'overlaps with already defined CIDR', pool('a', ['10.0.0.0/24', '10.0.0.9/32'])),
  refused('POOL-12', ELSEWHERE, inDefault(pool('a', []))),
  refused('POOL-14', 'excludedAddresses', pool('a', ['10.0.0.0/24'], { excludedAddresses: ['x'] })),
  accepted('POOL-14 an address', pool('a', ['10.0.0.0/24'], { excludedAddresses: ['10.0.0.7'] })),
  accepted('POOL-3 host bits', pool('a', ['10.0.0.9/24'])),
  accepted('POOL-4 blanks', pool('a', ['10.0.0.1 - 10.0.0.9', '2001:db8::/64'])),
  accepted('POOL-11 neighbours', v4, pool('w', ['10.0.1.0/24'])),
];

const communities: readonly Case[] = [
  refused(
    'COM-1',
    'invalid community value: invalid section',
    community('a', [{ name: 'x', value: '1:70000' }]),
  ),
  refused(
    'COM-1 four parts',
    'expected community to be of format large',
    community('a', [{ name: 'x', value: '1:2:3:4' }]),
  ),
  refused(
    'COM-2',
    'duplicate definition of community',
    community('a', [{ name: 'x', value: '1:1' }]),
    community('b', [{ name: 'x', value: '1:2' }]),
  ),
  refused('COM-3', ELSEWHERE, inDefault(community('a', []))),
  accepted(
    'COM-1 both kinds',
    community('a', [
      { name: 'x', value: '1:1' },
      { name: 'y', value: 'large:1:2:3' },
    ]),
  ),
];

const layer2: readonly Case[] = [
  refused('ADL-1', 'duplicate "x"', l2Adv('a', { ipAddressPools: ['x', 'x'] })),
  refused('ADL-2', 'duplicate definition', l2Adv('a', { ipAddressPoolSelectors: twice })),
  refused('ADL-3', 'duplicate definition', l2Adv('a', { nodeSelectors: twice })),
  refused('ADL-4', 'duplicate definition', l2Adv('a', { serviceSelectors: twice })),
  refused('ADL-5', 'invalid label selector', l2Adv('a', { nodeSelectors: unreadable })),
  refused('ADL-6', 'invalid label selector', l2Adv('a', { serviceSelectors: unreadable })),
  refused(
    'ADL-7',
    'invalid label selector',
    l2Adv('a', { preferredNodeSelectors: [{ weight: 1, preference: unreadable[0] }] }),
  ),
  refused('ADL-8', 'invalid label selector', l2Adv('a', { ipAddressPoolSelectors: unreadable })),
  refused('ADL-9', ELSEWHERE, inDefault(l2Adv('a'))),
  accepted('ADL unknown pool', l2Adv('a', { ipAddressPools: ['later'], interfaces: ['eth0', 'eth0'] })),
  accepted('ADL without spec', object('L2Advertisement', 'a')),
];

const bgp: readonly Case[] = [
  refused('ADB-1', 'duplicate "x"', bgpAdv('a', { ipAddressPools: ['x', 'x'] })),
  refused('ADB-2', 'duplicate "1:1"', bgpAdv('a', { communities: ['1:1', '1:1'] })),
  refused('ADB-3', 'duplicate "x"', bgpAdv('a', { peers: ['x', 'x'] })),
  refused('ADB-4', 'duplicate definition', bgpAdv('a', { ipAddressPoolSelectors: twice })),
  refused('ADB-5', 'duplicate definition', bgpAdv('a', { nodeSelectors: twice })),
  refused('ADB-6', 'duplicate definition', bgpAdv('a', { serviceSelectors: twice })),
  refused('ADB-7', 'mutually exclusive', bgpAdv('a', { serviceSelectors: [{}], aggregationLength: 24 })),
  refused('ADB-8', 'mutually exclusive', bgpAdv('a', { serviceSelectors: [{}], aggregationLengthV6: 64 })),
  refused('ADB-9', 'invalid aggregationLength:', bgpAdv('a', { aggregationLength: 33 })),
  refused('ADB-10', 'invalid aggregationLengthV6:', bgpAdv('a', { aggregationLengthV6: 129 })),
  refused('ADB-11', 'invalid community value', bgpAdv('a', { communities: ['1:70000'] })),
  refused('ADB-12 with a colon', 'invalid community format', bgpAdv('a', { communities: ['1:2:3'] })),
  refused('ADB-13', 'invalid label selector', bgpAdv('a', { nodeSelectors: unreadable })),
  refused('ADB-14', 'invalid label selector', bgpAdv('a', { serviceSelectors: unreadable })),
  refused('ADB-15', 'invalid label selector', bgpAdv('a', { ipAddressPoolSelectors: unreadable })),
  refused(
    'ADB-16',
    'prefix 24 in this pool is more specific than the aggregation length for addresses 10.0.0.0/24',
    v4,
    bgpAdv('a', { aggregationLength: 16 }),
  ),
  refused('ADB-17', 'localPref', v4, bgpAdv('a'), bgpAdv('b', { localPref: 100 })),
  refused('ADB-19', ELSEWHERE, inDefault(bgpAdv('a'))),
  refused('localPref below zero', 'localPref', bgpAdv('a', { localPref: -1 })),
  refused('B26 localPref of 33 bits', 'localPref', bgpAdv('a', { localPref: 4294967296 })),
  accepted('B26 localPref of 32 bits', bgpAdv('a', { localPref: 4294967295 })),
  accepted('an alias for later', bgpAdv('a', { communities: ['later'] })),
  accepted('ADB-16 fits', v4, bgpAdv('a', { aggregationLength: 24 })),
  accepted('C08 a large community', bgpAdv('a', { communities: ['large:64500:1:2'] })),
];

const peers: readonly Case[] = [
  refused('PEER-1', 'missing local ASN', peer('a', { myASN: 0 })),
  refused('PEER-2', 'missing peer ASN', peer('a', { peerASN: 0 })),
  refused('PEER-3', 'both peerASN and dynamicASN', peer('a', { dynamicASN: 'external' })),
  refused('PEER-4', 'dynamicASN', peer('a', { peerASN: 0, dynamicASN: 'both' })),
  refused('PEER-5', 'ebgpMultiHop', peer('a', { peerASN: 64512, ebgpMultiHop: true })),
  refused('PEER-6', 'missing peer address', peer('a', { peerAddress: '' })),
  refused('PEER-7', 'both peerAddress and interface', peer('a', { interface: 'eth0' })),
  refused('PEER-8', 'hold time', peer('a', { holdTime: '2s' })),
  refused('PEER-9', 'keepalive time', peer('a', { holdTime: '9s', keepaliveTime: '10s' })),
  refused('PEER-10', 'invalid BGPPeer address', peer('a', { peerAddress: 'router' })),
  refused('PEER-11', 'invalid router ID', peer('a', { routerID: 'x' })),
  refused('PEER-12', 'invalid source address', peer('a', { sourceAddress: 'x' })),
  refused('PEER-13', 'duplicate definition', peer('a', { nodeSelectors: twice })),
  refused('PEER-14', 'invalid label selector', peer('a', { nodeSelectors: unreadable })),
  refused(
    'PEER-15',
    'both password and passwordSecret',
    peer('a', { password: 'x', passwordSecret: { name: 's' } }),
  ),
  refused('PEER-22', ELSEWHERE, inDefault(peer('a', { peerAddress: 'bad' }))),
  refused('PEER-23', 'network device', peer('a', { vrf: 'two words' })),
  accepted('PEER-23 PEER-24 the longest', peer('a', { vrf: 'v'.repeat(15), password: '!'.repeat(80) })),
  refused('PEER-24', 'TCP MD5', peer('a', { password: 'two\nlines' })),
  refused('connectTime', 'whole', peer('a', { connectTime: '1500ms' })),
  refused('a timer without unit', 'spec.holdTime', peer('a', { holdTime: '90' })),
  refused('B26 an AS number of 33 bits', 'myASN', peer('a', { myASN: 4294967296 })),
  refused('FRR-1', 'routerID', peer('a'), peer('b', { peerAddress: '192.0.2.2', routerID: '10.0.0.1' })),
  refused('FRR-2', 'already exists', peer('a'), peer('b')),
  refused('FRR-3', 'myASN', peer('a'), peer('b', { peerAddress: '192.0.2.2', myASN: 64999 })),
  accepted('A05', peer('a', { holdTime: '1m30s', keepaliveTime: '0s', passwordSecret: {} })),
  accepted('B26 AS numbers of 32 bits', peer('a', { myASN: 4200000001, peerASN: 4294967294 })),
  accepted(
    'C08 IPv6, VRF, timers',
    peer('a', { peerAddress: '2001:db8::1', vrf: 'red', keepaliveTime: '10s' }),
  ),
  accepted(
    'a profile and a Secret for later',
    peer('a', { bfdProfile: 'later', passwordSecret: { name: 'later' } }),
  ),
  accepted('PEER-21', peer('a', { disableMP: true })),
  accepted('FRR-2 other VRF', peer('a'), peer('b', { vrf: 'red' })),
];

const profiles: readonly Case[] = [
  refused('BFD-2', 'detectMultiplier', bfd('a', { detectMultiplier: 1 })),
  refused('BFD-3', 'receiveInterval', bfd('a', { receiveInterval: 9 })),
  refused('BFD-4', 'transmitInterval', bfd('a', { transmitInterval: 60001 })),
  refused('BFD-5', 'minimumTtl', bfd('a', { minimumTtl: 0 })),
  refused('BFD-6', 'echoInterval', bfd('a', { echoInterval: 9 })),
  refused('BFD-9', ELSEWHERE, inDefault(bfd('a'))),
  refused('A24', 'receiveInterval', bfd('a', { receiveInterval: '300ms' })),
  accepted('BFD', bfd('a', { detectMultiplier: 3, echoMode: true, receiveInterval: 10 })),
];

const same = { key: 'team', operator: 'In', values: ['a', 'b'] };
const selectors: readonly Case[] = [
  refused(
    'SEL-1 (PEER-13)',
    'duplicate',
    peer('a', { nodeSelectors: [{ matchExpressions: [{ ...same, values: ['a', 'a'] }] }] }),
  ),
  refused(
    'SEL-2 (ADL-3)',
    'duplicate',
    l2Adv('a', { nodeSelectors: [{ matchExpressions: [same, { ...same, values: ['b', 'a'] }] }] }),
  ),
  refused('SEL-3 (ADB-5)', 'duplicate definition', bgpAdv('a', { nodeSelectors: twice })),
  refused('SEL-4 FRR-4 (PEER-14)', 'invalid label selector', peer('a', { nodeSelectors: unreadable })),
];

/** The cases of the rules that hold here. */
export const ruleCorpus: readonly Case[] = [
  ...pools,
  ...communities,
  ...layer2,
  ...bgp,
  ...peers,
  ...profiles,
  ...selectors,
  ...kept.map(([ids, ...objects]) => accepted(`${ids}: kept`, ...objects)),
];

/** What the original's rules refuse and ours do not. */
const differing: readonly Case[] = differences.flatMap(({ id, instead, objects = [], problems = [] }) =>
  objects.length === 0 || problems.length > 0 ? [] : [accepted(`differs from ${id}: ${instead}`, ...objects)],
);

export const corpus: readonly Case[] = [...ruleCorpus, ...differing];
