/** Everything a speaker reads, with each text field filled, and ways to put other texts into any one of them. */
import { nodeModel, type NodeModel } from '#core/frr/node-model.ts';
import type { NodeView, SecretView, ServiceView } from '#core/model/views.ts';
import { endpoint, service } from '#tests/support/bgp-factories.ts';
import {
  bfd,
  bgpAdv,
  community,
  l2Adv,
  namespace,
  node,
  peer,
  pool,
  resources,
  type TestObject,
} from '#tests/support/config-factories.ts';

export interface World {
  readonly objects: readonly TestObject[];
  readonly services: readonly ServiceView[];
  readonly node: NodeView;
  readonly secrets: readonly SecretView[];
}

const every = {
  matchLabels: { kind: 'x' },
  matchExpressions: [
    { key: 'kind', operator: 'In', values: ['x', 'y'] },
    { key: 'other', operator: 'DoesNotExist' },
  ],
};
const labels = { kind: 'x' };
const routerID = '10.0.0.1';
const spec = { nodeSelectors: [every] };

/** A world in which every field of type string of the kinds a speaker reads is set, and everything is announced. */
export function fullWorld(): World {
  const objects = [
    pool(
      'pool-a',
      ['198.51.100.0/24', '2001:db8:1::1-2001:db8:1::ff'],
      {
        excludedAddresses: ['198.51.100.1'],
        serviceAllocation: {
          namespaces: ['default'],
          namespaceSelectors: [every],
          serviceSelectors: [every],
        },
      },
      { labels },
    ),
    bgpAdv('adv', {
      ...spec,
      ipAddressPools: ['pool-a'],
      ipAddressPoolSelectors: [every],
      serviceSelectors: [every],
      peers: ['numbered', 'by-interface', 'with-secret'],
      communities: ['alias', '64512:1', 'large:1:2:3'],
      localPref: 100,
      med: 5,
      asPathPrepend: 2,
      weightByEndpoints: true,
    }),
    l2Adv('l2', {
      ...spec,
      ipAddressPools: ['pool-a'],
      ipAddressPoolSelectors: [every],
      serviceSelectors: [every],
      preferredNodeSelectors: [{ weight: 1, preference: every }],
      interfaces: ['eth0'],
      failover: 'Sticky',
    }),
    community('aliases', [{ name: 'alias', value: '64512:7' }]),
    bfd('profile', { receiveInterval: 100, echoMode: false, minimumTtl: 10 }),
    peer('numbered', {
      ...spec,
      dualStackAddressFamily: true,
      sourceAddress: '192.0.2.42',
      routerID,
      password: 's3cret',
      bfdProfile: 'profile',
      holdTime: '9s',
      keepaliveTime: '3s',
      connectTime: '5s',
      peerPort: 1790,
    }),
    peer('by-interface', {
      peerAddress: undefined,
      peerASN: undefined,
      dynamicASN: 'external',
      interface: 'eth1',
      routerID,
    }),
    peer('with-secret', {
      peerAddress: '192.0.2.2',
      vrf: 'red',
      routerID,
      passwordSecret: { name: 'bgp', namespace: 'metallb-system' },
    }),
  ];
  // What is undefined is not there, as in an object from the API server.
  return {
    objects: JSON.parse(JSON.stringify(objects)) as TestObject[],
    services: [service(['198.51.100.10', '2001:db8:1::10'], { labels, annotations: { a: 'b' } })],
    node: { ...node('node-a', labels), internalIPs: ['10.0.0.42'] },
    secrets: [{ name: 'bgp', type: 'kubernetes.io/basic-auth', password: 'hush' }],
  };
}

export type Path = readonly (string | number)[];

/** The places of all values that are neither object nor list. */
export function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

/** `objects BGPPeer numbered spec password`: a path in words. */
export function pathName(world: World, path: Path): string {
  const [part, index, ...rest] = path;
  const object = part === 'objects' ? world.objects[Number(index)] : undefined;
  return object === undefined ? path.join(' ') : [object.kind, object.metadata.name, ...rest].join(' ');
}

/** The world with another value in one place. */
export function changed(world: World, path: Path, value: unknown): World {
  const put = (inner: unknown, [key, ...rest]: Path): unknown => {
    if (key === undefined) return value;
    if (Array.isArray(inner)) return inner.map((each: unknown, i) => (i === key ? put(each, rest) : each));
    const fields = inner as Readonly<Record<string, unknown>>;
    return { ...fields, [key]: put(fields[String(key)], rest) };
  };
  return put(world, path) as World;
}

/** What the speaker of the world's node makes of it. */
export function worldModel({ objects, services, node: own, secrets }: World): NodeModel {
  const slices = services.map(({ key }) => ({ key: `${key}-1`, serviceKey: key, endpoints: [endpoint()] }));
  const around = { nodes: [own], secrets, namespaces: [namespace('default', labels)] };
  const snapshot = { resources: resources(objects, around), services, slices };
  return nodeModel(snapshot, own, { lbClass: '', ignoreExcludeLb: false, frrLog: 'informational' });
}
