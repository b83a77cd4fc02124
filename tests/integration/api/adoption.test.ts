/**
 * Adoption of a MetalLB installation on a real API server: its objects are in etcd in the forms that its releases have
 * written, our CRDs come over its own, and everything that was in force compiles without an edit (api.md §5).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { ingestSchemas, type ConfigKind } from '#core/api/ingest.ts';
import { metallbResources } from '#core/api/resources.ts';
import { compile, type Compiled } from '#core/config/compile.ts';
import { requestedAddresses, requestedPool } from '#core/ipam/request.ts';
import type { RawObject } from '#core/model/projections.ts';
import { projectService } from '#core/model/projections.ts';
import { Lab } from '#lab/lab.ts';
import { quiet } from '#lab/report.ts';
import { eventually } from '#tests/support/eventually.ts';
import { node, resources, type TestObject } from '#tests/support/config-factories.ts';

const NAMESPACE = 'metallb-system';
const files = readdirSync('config/crd').filter((file) => file.startsWith('metallb.io_'));
const kinds = Object.keys(ingestSchemas) as ConfigKind[];

let lab: Lab;

/** Our CRD with schemas that take everything, as a stand-in for whatever was there when the objects were written. */
function lax(file: string): string {
  const crd = parse(readFileSync(`config/crd/${file}`, 'utf8')) as {
    spec: { versions: { schema: { openAPIV3Schema: unknown } }[] };
  };
  for (const version of crd.spec.versions)
    version.schema.openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return stringify(crd);
}

const collection = (kind: ConfigKind, version: string = metallbResources[kind].version): string =>
  `/apis/metallb.io/${version}/namespaces/${NAMESPACE}/${metallbResources[kind].plural}`;

async function write(
  kind: ConfigKind,
  name: string,
  rest: object,
  version: string = metallbResources[kind].version,
): Promise<number> {
  const body = {
    apiVersion: `metallb.io/${version}`,
    kind,
    metadata: { name, namespace: NAMESPACE },
    ...rest,
  };
  return (await lab.api.send('POST', collection(kind, version), body)).status;
}

const peer = { myASN: 64512, peerASN: 64513, disableMP: false };

/** What releases 0.13 to 0.15 leave in etcd: defaults of their CRDs spelled out, zero timers, empty selectors. */
const stored: readonly (readonly [ConfigKind, string, object])[] = [
  [
    'IPAddressPool',
    'plain',
    { spec: { addresses: ['192.0.2.0/28'], autoAssign: true, avoidBuggyIPs: false } },
  ],
  ['IPAddressPool', 'blanks', { spec: { addresses: ['192.0.2.16 - 192.0.2.31'], autoAssign: false } }],
  ['IPAddressPool', 'inside', { spec: { addresses: ['192.0.2.40/29', '2001:db8::/112'] }, status: {} }],
  [
    'IPAddressPool',
    'pinned',
    { spec: { addresses: ['192.0.2.64/28'], serviceAllocation: { priority: 50, namespaces: ['default'] } } },
  ],
  ['L2Advertisement', 'bare', {}],
  [
    'L2Advertisement',
    'twice',
    { spec: { ipAddressPools: ['plain'], interfaces: ['eth0', 'eth0'] }, status: {} },
  ],
  ['BGPAdvertisement', 'bare', {}],
  [
    'BGPAdvertisement',
    'lengths',
    {
      spec: {
        aggregationLength: 32,
        aggregationLengthV6: 128,
        communities: ['no-export'],
        ipAddressPools: ['plain'],
      },
    },
  ],
  ['Community', 'aliases', { spec: { communities: [{ name: 'no-export', value: '65535:65281' }] } }],
  ['BFDProfile', 'fast', { spec: { receiveInterval: 300, transmitInterval: 300, echoMode: false } }],
  // Written as v1beta1, converted by the webhook of the original: timers that nobody asked for.
  [
    'BGPPeer',
    'converted',
    {
      spec: {
        ...peer,
        peerAddress: '192.0.2.201',
        peerPort: 179,
        holdTime: '0s',
        keepaliveTime: '0s',
        nodeSelectors: [{}],
        passwordSecret: {},
      },
    },
  ],
  [
    'BGPPeer',
    'hold-only',
    {
      spec: {
        ...peer,
        peerAddress: '192.0.2.202',
        holdTime: '1m30s',
        keepaliveTime: '0s',
        bfdProfile: 'fast',
      },
    },
  ],
  // Releases before the default of peerPort, and before the bound of it.
  ['BGPPeer', 'port-zero', { spec: { ...peer, peerAddress: '192.0.2.203', peerPort: 0 } }],
  [
    'BGPPeer',
    'ancient',
    {
      spec: {
        myASN: 64512,
        peerASN: 64513,
        peerAddress: '192.0.2.204',
        routerID: '',
        sourceAddress: '',
        typo: true,
      },
    },
  ],
];

async function compileStored(): Promise<Compiled> {
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const { items } = await lab.api.get<{ items: TestObject[] }>(collection(kind));
      return items.map((raw) => ({ ...raw, kind }));
    }),
  );
  return compile(resources(lists.flat(), { nodes: [node('node1')] }), { kind: 'cluster' });
}

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-api-adopt', level: 'light', nodes: 1, report: quiet });
  await lab.kubectl(['create', 'namespace', NAMESPACE]);
  const input = files.map(lax).join('---\n');
  await lab.kubectl(['apply', '-f', '-'], { input });
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  for (const [kind, name, rest] of stored) expect(await write(kind, name, rest)).toBe(201);
  await lab.kubectl(['replace', ...files.flatMap((file) => ['-f', `config/crd/${file}`])]);
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  // A replaced CRD has no storage for a moment, though it is Established.
  for (const kind of kinds) await eventually(() => lab.api.get(collection(kind)), 30_000);
});

afterAll(() => lab?.down());

describe('objects that were there before our CRDs', () => {
  it('compile without an edit, and all are in force', async () => {
    const { config, problems } = await compileStored();
    expect(problems).toEqual([]);
    const names = (kind: ConfigKind) => stored.flatMap(([of, name]) => (of === kind ? [name] : [])).sort();
    expect(config.pools.map(({ name }) => name)).toEqual(names('IPAddressPool'));
    expect(config.peers.map(({ name }) => name)).toEqual(names('BGPPeer'));
    expect(config.bfdProfiles.map(({ name }) => name)).toEqual(names('BFDProfile'));
    expect(config.l2Advertisements.map(({ name }) => name)).toEqual(names('L2Advertisement'));
    expect(config.bgpAdvertisements.map(({ name }) => name)).toEqual(names('BGPAdvertisement'));
  });

  it('zero timers stay what they are, a port of zero is 179', async () => {
    const { config } = await compileStored();
    expect(config.peers.map(({ name, timers, port }) => [name, timers, port])).toEqual([
      ['ancient', undefined, 179],
      ['converted', { hold: 0, keepalive: 0 }, 179],
      ['hold-only', { hold: 90, keepalive: 0 }, 179],
      ['port-zero', undefined, 179],
    ]);
  });

  it.each(stored)('%s %s can be labelled although its spec may not fit our schema', async (kind, name) => {
    const path = `${collection(kind)}/${name}`;
    const patch = { metadata: { labels: { adopted: 'yes' } } };
    expect((await lab.api.send('PATCH', path, patch, 'application/merge-patch+json')).status).toBe(200);
  });

  it('peers read as v1beta1 too', async () => {
    const { items } = await lab.api.get<{ items: { spec: object }[] }>(collection('BGPPeer', 'v1beta1'));
    expect(items.length).toBe(stored.filter(([kind]) => kind === 'BGPPeer').length);
  });
});

describe('manifests of an old installation, applied again under our CRDs', () => {
  const peers: readonly (readonly [string, object])[] = [
    ['no timers', {}],
    ['hold time only', { holdTime: '90s' }],
    ['zero timers', { holdTime: '0s', keepaliveTime: '0s' }],
    ['a port of zero', { peerPort: 0 }],
    [
      'node selectors of v1beta1',
      { nodeSelectors: [{ matchExpressions: [{ key: 'rack', operator: 'In', values: ['a'] }] }] },
    ],
  ];
  const numbered = peers.map(([what, spec], index) => ({
    what,
    spec,
    peerAddress: `198.51.100.${index + 1}`,
  }));
  it.each(numbered)('a v1beta1 peer with $what', async ({ what, spec, peerAddress }) => {
    const name = `again-${what.replaceAll(' ', '-')}`;
    const whole = { ...peer, peerAddress, ...spec };
    expect(await write('BGPPeer', name, { spec: whole }, 'v1beta1')).toBe(201);
    const { problems, config } = await compileStored();
    expect(problems).toEqual([]);
    expect(config.peers.map((each) => each.name)).toContain(name);
  });

  it('annotations of a Service under the old prefix are read', async () => {
    const annotations = {
      'metallb.universe.tf/address-pool': 'plain',
      'metallb.universe.tf/loadBalancerIPs': '192.0.2.1',
    };
    const path = '/api/v1/namespaces/default/services';
    const spec = { type: 'LoadBalancer', ports: [{ port: 80 }] };
    const body = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'old', annotations }, spec };
    expect((await lab.api.send('POST', path, body)).status).toBe(201);
    const service = projectService(await lab.api.get<RawObject>(`${path}/old`));
    expect(requestedPool(service)).toBe('plain');
    expect(requestedAddresses(service)).toMatchObject({ addresses: [{ family: 'ipv4' }] });
  });
});
