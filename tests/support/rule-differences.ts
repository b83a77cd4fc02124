/**
 * Rules of api.md §6 that nothing breaks here, because we do something else: which, why, what instead, where
 * docs/compatibility.md says so, and a case that shows it. The ledger of the rules takes no other exception.
 */
import { decideBgp } from '#core/bgp/advertise.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import { validateMetalLB } from '#core/config/metallb-rules.ts';
import type { MetalLBSpec } from '#core/config/metallb.ts';
import type { Compiled } from '#core/config/compile.ts';
import { buildModel } from '#core/frr/build.ts';
import type { BgpPeer, Config } from '#core/model/config.ts';
import { gateService } from '#core/model/service-gate.ts';
import * as bgp from '#tests/support/bgp-factories.ts';
import {
  bfd,
  bgpAdv,
  community,
  NAMESPACE,
  peer,
  pool,
  type TestObject,
} from '#tests/support/config-factories.ts';

export interface Difference {
  readonly id: string;
  /** Why the rule does not hold here. */
  readonly why: string;
  /** What happens in place of the refusal. */
  readonly instead: string;
  /** First cell of the row of docs/compatibility.md that tells users. */
  readonly row: string;
  /** Objects that the original refuses; the API server takes them. Absent: nothing is compiled. */
  readonly objects?: readonly TestObject[];
  /** Codes of the problems that these objects have all the same, on one of them alone. */
  readonly problems?: readonly string[];
  /** True when what we do instead is done. */
  readonly shown: (compiled: Compiled) => boolean;
}

const NATIVE = 'native is served by FRR, which can do it';
const native = (
  id: string,
  instead: string,
  objects: readonly TestObject[],
  shown: (config: Config, compiled: Compiled) => boolean,
): Difference => ({
  id,
  why: NATIVE,
  instead,
  row: 'Native backend',
  objects,
  shown: (compiled) => shown(compiled.config, compiled),
});
const ofPeer = (id: string, instead: string, spec: object, shown: (peer: BgpPeer) => boolean): Difference =>
  native(id, instead, [peer('a', spec)], ({ peers: [one] }) => one !== undefined && shown(one));

const v4 = pool('v4', ['10.0.0.0/24']);
const v6 = pool('v6', ['2001:db8::/64']);
const large = { kind: 'large', value: '1:2:3' };
const unreadable = [{ matchExpressions: [{ key: 'team', operator: 'Near', values: ['x'] }] }];
const reaches = ({ bgpAdvertisements }: Config, ...pools: string[]): boolean =>
  JSON.stringify(bgpAdvertisements.map((each) => each.pools)) === JSON.stringify([pools]);

const nativeRules: readonly Difference[] = [
  native(
    'NAT-1',
    'the session has BFD',
    [bfd('x'), peer('a', { bfdProfile: 'x' })],
    ({ peers }) => peers[0]?.bfdProfile === 'x',
  ),
  ofPeer('NAT-2', 'the timer is used', { keepaliveTime: '10s' }, ({ timers }) => timers?.keepalive === 10),
  ofPeer('NAT-3', 'the session is in the VRF', { vrf: 'red' }, ({ vrf }) => vrf === 'red'),
  ofPeer('NAT-4', 'the timer is used', { connectTime: '5s' }, ({ connectTime }) => connectTime === 5),
  ofPeer(
    'NAT-5',
    'the session restarts gracefully',
    { enableGracefulRestart: true },
    ({ gracefulRestart }) => gracefulRestart,
  ),
  native(
    'NAT-6',
    'a warning (PEER-21)',
    [peer('a', { disableMP: true })],
    ({ peers }, { warnings }) => peers.length === 1 && warnings.some(({ code }) => code === 'PEER-21'),
  ),
  ofPeer(
    'NAT-7',
    'the session carries both families',
    { dualStackAddressFamily: true },
    (one) => one.dualStackAddressFamily,
  ),
  ofPeer(
    'NAT-8',
    'any AS of that kind is taken',
    { peerASN: 0, dynamicASN: 'external' },
    ({ remoteAs }) => remoteAs.kind === 'external',
  ),
  ofPeer(
    'NAT-9',
    'the session is unnumbered',
    { peerAddress: '', interface: 'eth0' },
    ({ endpoint }) => endpoint.kind === 'interface',
  ),
  ofPeer('NAT-10', 'the AS is presented', { localASN: 64999 }, ({ localAsn }) => localAsn === 64999),
  native(
    'NAT-11',
    'the profile is in force',
    [bfd('x', { receiveInterval: 100 })],
    ({ bfdProfiles: [one] }) => one?.receiveInterval === 100,
  ),
  native('NAT-12', 'the pool is announced', [v6, bgpAdv('a')], (config) => reaches(config, 'v6')),
  {
    ...native(
      'NAT-13',
      'the pool alone is out (POOL-3)',
      [v4, pool('bad', ['10.0.0.1']), bgpAdv('a')],
      (config) => reaches(config, 'v4'),
    ),
    problems: ['POOL-3'],
  },
  native(
    'NAT-14',
    'the community is sent',
    [bgpAdv('a', { communities: ['large:1:2:3'] })],
    ({ bgpAdvertisements: [one] }) => JSON.stringify(one?.communities) === JSON.stringify([large]),
  ),
  native(
    'NAT-15',
    'the alias can be used',
    [community('c', [{ name: 'x', value: 'large:1:2:3' }]), bgpAdv('a', { communities: ['x'] })],
    ({ bgpAdvertisements: [one] }) => JSON.stringify(one?.communities) === JSON.stringify([large]),
  ),
  {
    ...native(
      'NAT-16',
      'the advertisement alone is out (ADB-15)',
      [v4, bgpAdv('a', { ipAddressPoolSelectors: unreadable }), bgpAdv('b')],
      (config) => reaches(config, 'v4'),
    ),
    problems: ['ADB-15'],
  },
];

const applies = (spec: MetalLBSpec) => (): boolean =>
  validateMetalLB(spec, { namespace: NAMESPACE, name: 'metallb', externalNamespace: 'frr-k8s-system' })
    .length === 0;
const announces = (part: Partial<Config>, ips: readonly string[]): boolean =>
  decideBgp(bgpContext(bgp.config(part), bgp.node(), false), bgp.service(ips), bgp.slice(bgp.endpoint()))
    .kind === 'announce';
const modelOf = (part: Partial<Config>) =>
  buildModel(bgpContext(bgp.config(part), bgp.node(), false), [], {
    hostname: 'node-a',
    logLevel: 'informational',
  });
const carriesExtras = (): boolean => modelOf({ frrExtras: 'hostname mine' }).model.raw.length === 1;
const beyondLimit = Array.from({ length: 70 }, (_, index) => bgp.community(`64512:${index}`));
const narrowed = [bgp.pool('pool-a', '198.51.100.0/25')];
const gate = (ip: string): string => gateService(bgp.service([ip]), narrowed).kind;

const runTime: readonly Difference[] = [
  {
    id: 'MLB-11',
    why: 'frr-k8s-external is served by our own FRR',
    instead: 'it is deployed on every platform',
    row: '`bgpBackend` and the platform',
    shown: applies({ bgpBackend: 'frr-k8s-external' }),
  },
  {
    id: 'MLB-12',
    why: 'native is served by FRR',
    instead: 'it is deployed on every platform',
    row: '`bgpBackend` and the platform',
    shown: applies({ bgpBackend: 'native' }),
  },
  {
    id: 'X-2',
    why: 'one Service is no reason to keep the whole configuration out',
    instead: 'the configuration is used; the Service that lost its pool is announced no more',
    row: 'An announced Service whose pool is gone',
    shown: () => gate('198.51.100.10') === 'pass' && gate('198.51.100.200') === 'stop',
  },
  {
    id: 'X-3',
    why: 'native is served by FRR',
    instead: 'the extra lines are in the model',
    row: 'ConfigMap `bgpextras`',
    shown: carriesExtras,
  },
  {
    id: 'X-4',
    why: 'frr-k8s is served by our own FRR',
    instead: 'the extra lines are in the model',
    row: 'ConfigMap `bgpextras`',
    shown: carriesExtras,
  },
  {
    id: 'X-5',
    why: NATIVE,
    instead: 'the profile is in the model, whatever the backend',
    row: 'Native backend',
    objects: [bfd('x'), peer('a', { bfdProfile: 'x' })],
    shown: ({ config }) => modelOf(config).model.bfdProfiles.length === 1,
  },
  {
    id: 'X-6',
    why: 'one session is no reason to keep the others out',
    instead: 'the peer is left out and named, the others are in the model',
    row: 'A session that cannot be made',
    shown: () => {
      const peers = [bgp.peer('bad', 'eth0', { vrf: 'two words' }), bgp.peer('good', '10.0.0.1')];
      const { model, refused } = modelOf({ peers });
      return (
        refused.map((one) => one.peer).join() === 'bad' &&
        model.routers
          .flatMap(({ neighbors }) => neighbors)
          .map(({ name }) => name)
          .join() === 'good'
      );
    },
  },
  {
    id: 'SVC-3',
    why: 'FRR carries more than 63',
    instead: 'a route with 70 communities is announced',
    row: 'Communities on a route',
    shown: () =>
      announces({ bgpAdvertisements: [bgp.advertisement('a', { communities: beyondLimit })] }, [
        '198.51.100.10',
      ]),
  },
  {
    id: 'SVC-4',
    why: NATIVE,
    instead: 'IPv6 is announced, whatever the backend',
    row: 'Native backend',
    shown: () => announces({}, ['2001:db8:100::10']),
  },
];

export const differences: readonly Difference[] = [...nativeRules, ...runTime];
