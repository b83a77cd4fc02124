/** Golden scenarios of advertisements and routes. */
import { bgpAdv, community, peer, pool } from '#tests/support/config-factories.ts';
import {
  both,
  dual,
  own,
  six,
  two,
  v4,
  type Given,
  type ObjectScenario,
  type Scene,
} from '#tests/support/scenario-objects.ts';

/** Several peers, one advertisement with these fields. */
const advertised = (spec: object, given: Given = {}): Scene => [
  [
    dual,
    bgpAdv('all', spec),
    peer('tor'),
    peer('rr', { ...own, peerAddress: '192.0.2.2', dualStackAddressFamily: true }),
  ],
  given,
];
const standard = (count: number) => Array.from({ length: count }, (_, index) => `64512:${index + 1}`);
const labelled = { first: { labels: { app: 'web' } }, services: two };
const selecting = { serviceSelectors: [{ matchLabels: { app: 'web' } }] };

export const routeScenarios: readonly ObjectScenario[] = [
  ['aggregate-ipv4', ...advertised({ aggregationLength: 25 }, { services: two })],
  ['aggregate-ipv6', ...advertised({ aggregationLengthV6: 120 }, both)],
  [
    'aggregate-shortest',
    [pool('a', ['0.0.0.0/1']), bgpAdv('all', { aggregationLength: 1 }), peer('tor')],
    { services: [['10.0.0.1']] },
  ],
  ['preference-for-own-as-only', ...advertised({ localPref: 300 }, both)],
  ['preference-100-is-told', ...advertised({ localPref: 100 })],
  ['preference-largest', ...advertised({ localPref: 2_147_483_647 })],
  [
    'communities-well-known',
    ...advertised({
      communities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 666, 65281, 65282, 65283, 65284].map((low) => `65535:${low}`),
    }),
  ],
  [
    'communities-zero-and-largest',
    ...advertised({ communities: ['0:0', '0:1', '65534:65535', '65535:65535'] }),
  ],
  [
    'communities-large',
    ...advertised(
      { communities: ['large:4294967295:0:4294967295', 'large:64512:1:2', 'large:64512:1:10'] },
      both,
    ),
  ],
  ['communities-sorted', ...advertised({ communities: ['64512:10', 'large:1:2:3', '64512:9', '1:1'] })],
  ['communities-64', ...advertised({ communities: standard(64) })],
  [
    'community-aliases',
    [
      v4,
      bgpAdv('all', { communities: ['vpn', 'wide', '64512:7'] }),
      peer('tor'),
      community('c', [
        { name: 'vpn', value: '64512:1' },
        { name: 'wide', value: 'large:1:2:3' },
      ]),
    ],
  ],
  ['med-largest', ...advertised({ med: 4_294_967_295 }, both)],
  ['prepend-longest', ...advertised({ asPathPrepend: 10 })],
  [
    'peers-by-name',
    [
      v4,
      bgpAdv('all', { peers: ['tor', 'nobody'] }),
      peer('tor'),
      peer('other', { peerAddress: '192.0.2.2' }),
    ],
  ],
  [
    'advertisements-united',
    [
      v4,
      bgpAdv('a', { communities: ['64512:1'] }),
      bgpAdv('b', { communities: ['64512:2'], peers: ['tor'] }),
      peer('tor'),
      peer('other', { peerAddress: '192.0.2.2' }),
    ],
  ],
  ['services-selected', [v4, bgpAdv('a', selecting), peer('tor')], labelled],
  [
    'services-selected-and-aggregate',
    [v4, bgpAdv('a', selecting), bgpAdv('b', { aggregationLength: 24 }), peer('tor')],
    labelled,
  ],
  [
    'host-and-aggregate-of-different-kind',
    [
      v4,
      bgpAdv('host', { communities: ['65535:65282'], localPref: 200 }),
      bgpAdv('wide', { aggregationLength: 26, med: 5 }),
      peer('tor'),
      peer('rr', { ...own, peerAddress: '192.0.2.2' }),
    ],
    { services: two },
  ],
  [
    'four-classes-three-peers',
    [
      ...['a', 'b', 'c', 'd'].flatMap((name, index) => [
        pool(name, [`198.51.10${index}.0/24`]),
        bgpAdv(name, {
          ipAddressPools: [name],
          localPref: 100 * (index + 1),
          communities: [`64512:${index}`],
          ...(index === 3 ? { peers: ['p2'] } : {}),
        }),
      ]),
      peer('p1'),
      peer('p2', { ...own, peerAddress: '192.0.2.2' }),
      peer('p3', { peerAddress: '192.0.2.3', localASN: 65010 }),
    ],
    { services: [0, 1, 2, 3].map((index) => [`198.51.10${index}.9`]) },
  ],
  ['two-services-one-address', ...advertised({}, { services: [['198.51.100.10'], ['198.51.100.10']] })],
  [
    'nothing-local',
    ...advertised({}, { first: { externalTrafficPolicy: 'Local' }, node: { name: 'node-b' } }),
  ],
  ['no-advertisement', [v4, peer('tor')]],
  [
    'three-hundred-routes',
    [pool('a', ['198.51.0.0/16']), bgpAdv('all'), peer('tor'), peer('x', { peerAddress: '192.0.2.2' })],
    { services: Array.from({ length: 300 }, (_, n) => [`198.51.${n >> 8}.${n & 255}`]) },
  ],
  [
    'ipv6-as-frr-writes-it',
    [pool('a', ['2001:db8::/32', '::198.51.100.0/120', '64:ff9b::/96']), bgpAdv('all'), peer('tor', six)],
    {
      services: [
        ['2001:db8:0:1:1:1:1:1'],
        ['2001:db8::1:0:0:1'],
        ['2001:db8:0:0:1::1'],
        ['2001:db8:1:2:3:4:5:0'],
        ['::198.51.100.10'],
        ['64:ff9b::198.51.100.10'],
      ],
    },
  ],
];
