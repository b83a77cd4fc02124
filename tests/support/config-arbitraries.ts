/**
 * Configuration objects of all kinds with all their fields, sound and faulty in many ways, for property tests. Names,
 * labels and addresses come from small sets, so that objects meet; the test of their reach says whether they do.
 */
import * as fc from 'fast-check';
import type { ConfigKind } from '#core/api/ingest.ts';
import { namespace, node, object, type TestObject } from '#tests/support/config-factories.ts';

export const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const some = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
/** Each of the fields there or not. */
const fields = <T extends object>(record: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(record, { requiredKeys: [] });
/** A few of the fields: with half of all there, hardly an object would be sound. */
const few = <T extends object>(record: { [K in keyof T]: fc.Arbitrary<T[K]> }, max: number) =>
  fc
    .tuple(fields(record), fc.subarray(Object.keys(record), { maxLength: max }))
    .map(([all, kept]): object =>
      Object.fromEntries(Object.entries(all).filter(([name]) => kept.includes(name))),
    );
/** Now and then a value that does not fit the schema. */
const misfit = <T>(sound: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: sound, weight: 60 }, { arbitrary: some<unknown>(null, 7.5, [], 'x'), weight: 1 });
const listOf = <T>(item: fc.Arbitrary<T>, maxLength = 3) => fc.array(item, { maxLength });
const faulty = <T>(weight: number, sound: fc.Arbitrary<T>, bad: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: sound, weight }, { arbitrary: bad, weight: 1 });

const expression = faulty(
  30,
  fc.record({
    key: some('team', 'rack'),
    operator: some('In', 'NotIn'),
    values: fc.uniqueArray(some('a', 'b', '1'), { minLength: 1, maxLength: 2 }),
  }),
  fc.record(
    {
      key: some('team', '-x', 'a/b/c'),
      operator: some('In', 'Exists', 'Near'),
      values: listOf(some('a', 'a', 'ä')),
    },
    { requiredKeys: ['key', 'operator'] },
  ),
);
const selector = fields({
  matchLabels: some({}, { team: 'a' }, { team: 'b', rack: '1' }),
  matchExpressions: listOf(expression, 2),
});
const selectors = listOf(selector, 2);

const PREFIXES = [
  '10.0.0.0/24',
  '10.0.1.0/24',
  '10.0.2.0/28',
  '10.0.3.7/24',
  '2001:db8::/120',
  '2001:db8:1::/64',
  '::ffff:192.0.2.0/120',
];
const RANGES = [
  '10.0.4.1-10.0.4.9',
  '10.0.5.0 - 10.0.5.255',
  '2001:db8:2::1-2001:db8:2::9',
  '10.0.0.200-10.0.1.10',
];
const NO_ENTRIES = [
  'x',
  '10.0.0.1',
  '10.0.0.9-10.0.0.1',
  '10.0.0.1-2001:db8::1',
  '10.0.0.0/33',
  '-',
  '',
  '01.2.3.4/8',
];
const entry = faulty(40, some(...PREFIXES, ...RANGES), some(...NO_ENTRIES));
const exclusion = faulty(
  12,
  some('10.0.0.7', '10.0.0.0/25', '10.0.0.128/25', '10.0.1.0-10.0.1.255', '203.0.113.1'),
  some(...NO_ENTRIES.filter((text) => text !== '10.0.0.1')),
);

const pool = fc.record(
  {
    addresses: fc.array(entry, { maxLength: 3 }),
    excludedAddresses: listOf(exclusion, 2),
    autoAssign: fc.boolean(),
    avoidBuggyIPs: fc.boolean(),
    serviceAllocation: misfit(
      fields({
        priority: some(-1, 0, 50),
        namespaces: listOf(some('red', 'blue', 'green'), 2),
        namespaceSelectors: selectors,
        serviceSelectors: selectors,
      }),
    ),
  },
  { requiredKeys: ['addresses'] },
);
const l2Advertisement = few(
  {
    ipAddressPools: listOf(names, 2),
    ipAddressPoolSelectors: selectors,
    nodeSelectors: selectors,
    interfaces: listOf(some('eth0', 'eth1')),
    serviceSelectors: selectors,
    preferredNodeSelectors: misfit(
      listOf(fc.record({ weight: faulty(40, some(1, 100), some(0, 101)), preference: selector }), 2),
    ),
    failover: faulty(40, some('Default', 'Sticky', 'Spread'), some('Never')),
    answerPing: misfit(fc.boolean()),
  },
  5,
);
const bgpAdvertisement = few(
  {
    aggregationLength: faulty(12, some(32, 32, 28, 24, 20), some(0, 33)),
    aggregationLengthV6: faulty(12, some(128, 128, 64, 32), some(-1, 129)),
    localPref: faulty(40, some(0, 0, 100, 200), some(-1, 2 ** 32)),
    med: faulty(40, some(0, 10), some(-1)),
    asPathPrepend: faulty(40, some(0, 3), some(11)),
    weightByEndpoints: misfit(fc.boolean()),
    communities: listOf(
      faulty(6, some('a', 'b', '1:1', 'large:1:2:3'), some('1:70000', 'nobody', '1:2:3', '1:2:3:4')),
      2,
    ),
    ipAddressPools: listOf(names, 2),
    ipAddressPoolSelectors: selectors,
    nodeSelectors: selectors,
    peers: listOf(names, 2),
    serviceSelectors: selectors,
  },
  5,
);

const ADDRESSES = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1'];
const timer = faulty(8, some('0s', '3s', '10s', '90s', '1m30s'), some('1s', '-5s', '0.5s', '90', 'soon', ''));
const PEER = {
  myASN: faulty(40, some(64512, 64512, 64512, 64513), some(0, 2 ** 32)),
  peerASN: faulty(12, some(64513, 64514, 64512, 4294967295), some(0, -1)),
  localASN: faulty(40, some(64999), some(0)),
  dynamicASN: faulty(8, some('internal', 'external'), some('both')),
  peerAddress: faulty(40, some(...ADDRESSES), some('host', '', '10.0.0.0/8', '1.2.3')),
  interface: faulty(8, some('eth0', 'eth1', ''), some('two words', 'a/b')),
  sourceAddress: faulty(8, some('10.9.9.9', '2001:db8::9', ''), some('x')),
  peerPort: faulty(40, some(179, 1179), some(16385)),
  holdTime: timer,
  keepaliveTime: timer,
  connectTime: faulty(8, some('5s', '65535s'), some('0s', '1500ms', 'x')),
  routerID: faulty(8, some('10.0.0.1', '10.0.0.1', '10.0.0.2', ''), some('x', '2001:db8::1')),
  nodeSelectors: selectors,
  password: faulty(8, some('', 'hush'), some('two words', 'x'.repeat(81))),
  passwordSecret: misfit(
    fields({ name: some('', 'sound', 'opaque', 'empty', 'blank', 'missing'), namespace: some('', 'other') }),
  ),
  bfdProfile: some('', 'a', 'b', 'c', 'missing'),
  enableGracefulRestart: fc.boolean(),
  ebgpMultiHop: fc.boolean(),
  vrf: faulty(8, some('', 'red'), some('two words')),
  disableMP: fc.boolean(),
  dualStackAddressFamily: fc.boolean(),
};
const peer = fc.tuple(few(PEER, 5), fc.boolean()).map(([part, bare]) => {
  if (bare && 'dynamicASN' in part) return { myASN: 64512, peerAddress: '192.0.2.1', ...part };
  const endpoint = 'interface' in part ? {} : { peerAddress: '192.0.2.1' };
  return { myASN: 64512, peerASN: 64513, ...endpoint, ...part };
});

const interval = faulty(40, some(10, 300, 60000), some(9, 60001));
const bfdProfile = fields({
  receiveInterval: interval,
  transmitInterval: interval,
  echoInterval: interval,
  detectMultiplier: faulty(40, some(2, 3, 255), some(1, 256)),
  minimumTtl: faulty(40, some(1, 254), some(0, 255)),
  echoMode: fc.boolean(),
  passiveMode: fc.boolean(),
});
const community = fields({
  communities: listOf(
    fields({
      name: some('a', 'b', 'c', '1:1'),
      value: faulty(8, some('1:1', '1:2', 'large:1:2:3'), some('x', '1:70000', '')),
    }),
    2,
  ),
});

/** The specs of each kind. */
export const specs = {
  IPAddressPool: pool,
  L2Advertisement: l2Advertisement,
  BGPAdvertisement: bgpAdvertisement,
  BGPPeer: peer,
  BFDProfile: bfdProfile,
  Community: community,
} as const satisfies Record<ConfigKind, fc.Arbitrary<object>>;

export const kinds = Object.keys(specs) as ConfigKind[];

/** One object, named by `called`. Now and then without spec. */
export function objectOf(kind: ConfigKind, called: fc.Arbitrary<string> = names): fc.Arbitrary<TestObject> {
  const spec: fc.Arbitrary<object | undefined> = faulty<object | undefined>(
    30,
    specs[kind],
    fc.constant(undefined),
  );
  const labels = some({}, { team: 'a' }, { team: 'b', rack: '1' });
  return fc
    .tuple(called, fc.nat(3), labels, spec)
    .map(([name, age, own, value]) => object(kind, name, value, { age, labels: own }));
}

export const keyOf = ({ kind, metadata }: TestObject): string => `${kind}/${metadata.name}`;

const set = (minLength: number): fc.Arbitrary<TestObject[]> =>
  fc.uniqueArray(fc.oneof(...kinds.map((kind) => objectOf(kind))), {
    selector: keyOf,
    minLength,
    maxLength: 20,
  });

/** Up to 20 objects, most often many, no two of one kind and name. */
export const cluster: fc.Arbitrary<TestObject[]> = fc.oneof(
  { arbitrary: set(0), weight: 1 },
  { arbitrary: set(12), weight: 3 },
);

const basic = 'kubernetes.io/basic-auth';
/** Nodes, namespaces and Secrets that the objects may meet. */
export const around = {
  nodes: [node('node1', { team: 'a' }), node('node2', { rack: '1' })],
  namespaces: [namespace('red', { team: 'a' }), namespace('blue')],
  secrets: [
    { name: 'sound', type: basic, password: 'hush' },
    { name: 'opaque', type: 'Opaque', password: 'hush' },
    { name: 'empty', type: basic, password: undefined },
    { name: 'blank', type: basic, password: 'two words' },
  ],
};
