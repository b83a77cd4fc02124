/** The generated CRDs on a real API server: accepted, defaulting, denying, shown by kubectl. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import { Lab } from '#lab/lab.ts';
import { tryRun } from '#lab/process/run.ts';
import { quiet } from '#lab/report.ts';
import { examples } from '#tools/bundle/examples.ts';

const NAMESPACE = 'metallb-system';
type Kind = keyof typeof metallbResources;
interface Stored {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

let lab: Lab;

const collection = (kind: Kind): string => {
  const { group, version, plural } = metallbResources[kind];
  return `/apis/${group}/${version}/namespaces/${NAMESPACE}/${plural}`;
};

/** Creates an object and returns what is stored, or the API server's refusal. */
async function create(kind: Kind, name: string, spec?: unknown): Promise<{ status: number; body: Stored }> {
  const { group, version } = metallbResources[kind];
  const body = { apiVersion: `${group}/${version}`, kind, metadata: { name, namespace: NAMESPACE }, spec };
  const answer = await lab.api.send('POST', collection(kind), body);
  return { status: answer.status, body: JSON.parse(answer.text) as Stored };
}

async function merge(
  kind: Kind,
  name: string,
  patch: unknown,
  subresource = '',
): Promise<{ status: number; body: Stored }> {
  const path = `${collection(kind)}/${name}${subresource}`;
  const answer = await lab.api.send('PATCH', path, patch, 'application/merge-patch+json');
  return { status: answer.status, body: JSON.parse(answer.text) as Stored };
}

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-api-crds', level: 'light', nodes: 1, report: quiet });
  const files = readdirSync('config/crd').filter((file) => file.startsWith('metallb.io_'));
  await lab.kubectl(['apply', ...files.flatMap((file) => ['-f', `config/crd/${file}`])]);
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  await lab.kubectl(['create', 'namespace', NAMESPACE]);
});

afterAll(() => lab?.down());

it('all are established under their names, without a non-structural schema', async () => {
  interface Crd {
    readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
  }
  const { items } = await lab.api.get<{ items: Crd[] }>(
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  );
  expect(items).toHaveLength(Object.keys(metallbResources).length);
  for (const { status } of items) {
    const conditions = Object.fromEntries(status.conditions.map(({ type, status }) => [type, status]));
    expect(conditions).toEqual({ NamesAccepted: 'True', Established: 'True' });
  }
});

it('every example of the OLM bundle is taken as it is: no unknown field, no refusal', async () => {
  const refused: string[] = [];
  for (const { spec = {}, ...example } of examples()) {
    const [group = '', version = ''] = example.apiVersion.split('/');
    const { plural } = metallbResources[example.kind as Kind];
    const path = `/apis/${group}/${version}/namespaces/${NAMESPACE}/${plural}?dryRun=All&fieldValidation=Strict`;
    // The scorecard wants a spec in each, also of kinds that have none.
    const body = Object.keys(spec).length === 0 ? example : { ...example, spec };
    const answer = await lab.api.send('POST', path, body);
    if (answer.status !== 201) refused.push(`${example.kind}: ${answer.text}`);
  }
  expect(refused).toEqual([]);
});

describe('defaults', () => {
  it('come from the CRD', async () => {
    const pool = await create('IPAddressPool', 'defaults', { addresses: ['192.0.2.0/24'] });
    expect(pool.body.spec).toEqual({ addresses: ['192.0.2.0/24'], autoAssign: true, avoidBuggyIPs: false });
    const peer = await create('BGPPeer', 'defaults', {
      myASN: 64512,
      peerASN: 64513,
      peerAddress: '192.0.2.1',
    });
    expect(peer.body.spec).toMatchObject({ peerPort: 179, disableMP: false, dualStackAddressFamily: false });
    const advertisement = await create('BGPAdvertisement', 'defaults', {});
    expect(advertisement.body.spec).toEqual({ aggregationLength: 32, aggregationLengthV6: 128 });
  });

  it.each(['L2Advertisement', 'BGPAdvertisement', 'BFDProfile', 'Community', 'MetalLB', 'BGPPeer'] as const)(
    '%s may come without spec',
    async (kind) => {
      expect((await create(kind, 'bare')).status).toBe(201);
    },
  );

  it('IPAddressPool may not', async () => {
    expect((await create('IPAddressPool', 'bare')).status).toBe(422);
  });
});

describe('what is denied', () => {
  const base = { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' };
  it.each<[string, Kind, unknown, string]>([
    [
      'ADB-7 by CEL, with the phrase that tools look for',
      'BGPAdvertisement',
      { serviceSelectors: [{}], aggregationLength: 24 },
      'serviceSelectors and aggregationLength are mutually exclusive',
    ],
    [
      'ADB-8 by CEL',
      'BGPAdvertisement',
      { serviceSelectors: [{}], aggregationLengthV6: 64 },
      'mutually exclusive',
    ],
    [
      'connectTime below its bounds',
      'BGPPeer',
      { ...base, connectTime: '0s' },
      'between 1 and 65535 seconds',
    ],
    [
      'connectTime above its bounds',
      'BGPPeer',
      { ...base, connectTime: '65536s' },
      'between 1 and 65535 seconds',
    ],
    [
      'connectTime of broken seconds',
      'BGPPeer',
      { ...base, connectTime: '1500ms' },
      'whole number of seconds',
    ],
    ['a connectTime that is no duration', 'BGPPeer', { ...base, connectTime: 'soon' }, 'connectTime'],
    ['PEER-4', 'BGPPeer', { ...base, dynamicASN: 'both' }, 'supported values: "internal", "external"'],
    ['PEER-3 by CEL', 'BGPPeer', { ...base, dynamicASN: 'internal' }, 'both peerASN and dynamicASN'],
    ['PEER-7 by CEL', 'BGPPeer', { ...base, interface: 'eth0' }, 'both peerAddress and interface'],
    ['PEER-8 by CEL', 'BGPPeer', { ...base, holdTime: '2s' }, 'invalid hold time'],
    ['PEER-8 by CEL, negative', 'BGPPeer', { ...base, holdTime: '-0.5s' }, 'invalid hold time'],
    ['PEER-9 by CEL', 'BGPPeer', { ...base, holdTime: '9s', keepaliveTime: '10s' }, 'invalid keepalive time'],
    ['a hold time without unit', 'BGPPeer', { ...base, holdTime: '90' }, 'holdTime'],
    [
      'PEER-15 by CEL',
      'BGPPeer',
      { ...base, password: 'x', passwordSecret: { name: 's' } },
      'both password and passwordSecret',
    ],
    ['ADB-9 by CEL', 'BGPAdvertisement', { aggregationLength: 33 }, 'invalid aggregationLength'],
    ['ADB-10 by CEL', 'BGPAdvertisement', { aggregationLengthV6: 129 }, 'invalid aggregationLengthV6'],
    ['localPref below zero by CEL', 'BGPAdvertisement', { localPref: -1 }, 'invalid localPref'],
    ['MLB-7 by CEL', 'MetalLB', { bgpBackend: 'bird' }, 'unknown BGP backend'],
    [
      'MLB-1 by CEL',
      'MetalLB',
      { controllerTolerations: [{ effect: 'NoSchedule', tolerationSeconds: 5 }] },
      'effect must be NoExecute',
    ],
    [
      'MLB-2 by CEL',
      'MetalLB',
      { speakerTolerations: [{ tolerationSeconds: 5 }] },
      'effect must be NoExecute',
    ],
    ['a port above its bound', 'BGPPeer', { ...base, peerPort: 16385 }, 'peerPort'],
    ['an AS number above 32 bits', 'BGPPeer', { ...base, myASN: 4294967296 }, 'myASN'],
    ['BFD-2', 'BFDProfile', { detectMultiplier: 1 }, 'detectMultiplier'],
    ['BFD-3', 'BFDProfile', { receiveInterval: 9 }, 'receiveInterval'],
    ['BFD-4', 'BFDProfile', { transmitInterval: 60001 }, 'transmitInterval'],
    ['BFD-5', 'BFDProfile', { minimumTtl: 255 }, 'minimumTtl'],
    ['BFD-6', 'BFDProfile', { echoInterval: 9 }, 'echoInterval'],
    [
      'a weight above 100',
      'L2Advertisement',
      { preferredNodeSelectors: [{ weight: 101, preference: {} }] },
      'weight',
    ],
    [
      'a localPref of 33 bits',
      'BGPAdvertisement',
      { localPref: 4294967296 },
      'use a number from 0 to 4294967295',
    ],
    ['an unknown log level', 'MetalLB', { logLevel: 'loud' }, 'logLevel'],
    ['a class that is no label', 'MetalLB', { loadBalancerClass: '-x' }, 'loadBalancerClass'],
    [
      'an amount that is none',
      'MetalLB',
      { speakerConfig: { resources: { limits: { cpu: 'many' } } } },
      'cpu',
    ],
  ])('%s', async (_what, kind, spec, phrase) => {
    const { status, body } = await create(kind, 'denied', spec);
    expect(status).toBe(422);
    expect(body.message).toContain(phrase);
  });

  it.each([
    { holdTime: '0s', keepaliveTime: '0s' },
    { holdTime: '1m30s', keepaliveTime: '0s' },
    { keepaliveTime: '10s' },
    { holdTime: '0.9s', keepaliveTime: '0s' },
    { password: '', passwordSecret: { name: 's' } },
    { password: 'x', passwordSecret: {} },
    { peerASN: 0, dynamicASN: 'external' },
    { interface: '' },
  ])('accepted: %j', async (spec) => {
    const path = `${collection('BGPPeer')}?dryRun=All`;
    const metadata = { name: 'accepted', namespace: NAMESPACE };
    const peer = { apiVersion: 'metallb.io/v1beta2', kind: 'BGPPeer', metadata, spec: { ...base, ...spec } };
    expect((await lab.api.send('POST', path, peer)).status).toBe(201);
  });

  it('enableGracefulRestart cannot change; adding and removing it is allowed', async () => {
    await create('BGPPeer', 'graceful', { ...base, enableGracefulRestart: true });
    const changed = await merge('BGPPeer', 'graceful', { spec: { enableGracefulRestart: false } });
    expect(changed.status).toBe(422);
    expect(changed.body.message).toContain('enableGracefulRestart cannot be changed');
    expect((await merge('BGPPeer', 'graceful', { spec: { enableGracefulRestart: null } })).status).toBe(200);
    expect((await merge('BGPPeer', 'graceful', { spec: { enableGracefulRestart: false } })).status).toBe(200);
  });

  it('whose status an object describes cannot change', async () => {
    await create('ServiceL2Status', 'l2-x');
    const status = {
      status: { node: 'n', serviceName: 's', serviceNamespace: 'd', interfaces: [{ name: 'eth0' }] },
    };
    expect((await merge('ServiceL2Status', 'l2-x', status, '/status')).status).toBe(200);
    const moved = await merge('ServiceL2Status', 'l2-x', { status: { node: 'other' } }, '/status');
    expect(moved.status).toBe(422);
    expect(moved.body.message).toContain('node cannot be changed');
  });
});

describe('BGPPeer v1beta1 beside v1beta2 (no conversion webhook)', () => {
  const v1beta1 = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/bgppeers`;
  const spec = { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' };

  it('a v1beta1 peer without timers is stored without timers, and gets the port of v1beta2', async () => {
    const metadata = { name: 'old', namespace: NAMESPACE };
    const peer = { apiVersion: 'metallb.io/v1beta1', kind: 'BGPPeer', metadata, spec };
    expect((await lab.api.send('POST', v1beta1, peer)).status).toBe(201);
    const { spec: stored } = await lab.api.get<Stored>(`${collection('BGPPeer')}/old`);
    expect(stored).toEqual({ ...spec, peerPort: 179, disableMP: false, dualStackAddressFamily: false });
  });

  it('a v1beta2 peer reads as v1beta1 with the fields that both have', async () => {
    await create('BGPPeer', 'new', { ...spec, connectTime: '5s', holdTime: '90s', nodeSelectors: [{}] });
    const { spec: read } = await lab.api.get<Stored>(`${v1beta1}/new`);
    expect(read).toEqual({ ...spec, peerPort: 179, holdTime: '90s', nodeSelectors: [{}] });
  });

  it('kubectl is warned of the old version', async () => {
    const metadata = { name: 'warned', namespace: NAMESPACE };
    const manifest = JSON.stringify({ apiVersion: 'metallb.io/v1beta1', kind: 'BGPPeer', metadata, spec });
    const { argv, env } = lab.kubectlCommand(['apply', '-f', '-']);
    const { stderr } = await tryRun(argv, { input: manifest, env });
    expect(stderr).toContain('metallb.io/v1beta1 BGPPeer is deprecated, use metallb.io/v1beta2');
  });

  it('the API server says conversion None', async () => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io';
    const { spec } = await lab.api.get<Stored>(path);
    expect(spec?.['conversion']).toEqual({ strategy: 'None' });
  });
});

describe('what is kept', () => {
  it('counters of pools over the whole range of int64', async () => {
    await create('IPAddressPool', 'huge', { addresses: ['2001:db8::/48'] });
    const path = `${collection('IPAddressPool')}/huge/status`;
    const text =
      '{"status":{"assignedIPv4":0,"assignedIPv6":0,"availableIPv4":0,"availableIPv6":9223372036854775807}}';
    await lab.kubectl([
      'patch',
      'ipap/huge',
      `-n=${NAMESPACE}`,
      '--subresource=status',
      '--type=merge',
      `-p=${text}`,
    ]);
    expect((await lab.api.send('GET', path)).text).toContain('"availableIPv6":9223372036854775807');
  });

  it('unknown fields are pruned, and kubectl warns of them', async () => {
    const { status, body } = await create('L2Advertisement', 'pruned', { pools: ['a'] });
    expect(status).toBe(201);
    expect(body.spec).toEqual({});
  });

  it('a MetalLB with everything in it', async () => {
    const spec = {
      logLevel: 'debug',
      loadBalancerClass: 'example.com/class',
      bgpBackend: 'frr-k8s',
      nodeSelector: { a: 'b' },
      speakerTolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 }],
      speakerConfig: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'k', operator: 'Gt', values: ['1'] }] }],
            },
          },
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: {} } },
            ],
          },
        },
        resources: { limits: { cpu: 1, memory: '128Mi' }, claims: [{ name: 'c', request: 'r' }] },
      },
    };
    const { status, body } = await create('MetalLB', 'full', spec);
    expect(status).toBe(201);
    expect(body.spec).toEqual(spec);
  });
});

describe('kubectl', () => {
  const get = (...what: string[]) => lab.kubectl(['get', ...what, '-n', NAMESPACE]);

  it.each([
    ['bgpp', 'defaults', /NAME +ADDRESS +ASN +BFD PROFILE +MULTI HOPS/, /192\.0\.2\.1 +64513/],
    [
      'ipap',
      'defaults',
      /NAME +AUTO ASSIGN +AVOID BUGGY IPS +ADDRESSES/,
      /true +false +\["192\.0\.2\.0\/24"\]/,
    ],
    ['bgpadv', 'bare', /NAME +IPADDRESSPOOLS +IPADDRESSPOOL SELECTORS +PEERS/, /bare/],
    ['l2adv', 'bare', /NAME +IPADDRESSPOOLS +IPADDRESSPOOL SELECTORS +INTERFACES/, /bare/],
    ['bfdp', 'bare', /NAME +PASSIVE MODE +TRANSMIT INTERVAL +RECEIVE INTERVAL +MULTIPLIER/, /bare/],
    ['servicel2statuses', 'l2-x', /NAME +ALLOCATED NODE +SERVICE NAME +SERVICE NAMESPACE/, /l2-x +n +s +d/],
    ['mlb', 'bare', /NAME +AVAILABLE +DEGRADED +PROGRESSING +AGE/, /bare/],
    ['communities', 'bare', /NAME +AGE/, /bare/],
  ])('get %s shows its columns', async (resource, name, header, row) => {
    const text = await get(resource, name);
    expect(text).toMatch(header);
    expect(text).toMatch(row);
  });

  it('get bgppeers,ipaddresspools,metallbs works in one go', async () => {
    const text = await get('bgppeers,ipaddresspools,metallbs');
    for (const name of ['bgppeer.metallb.io/', 'ipaddresspool.metallb.io/', 'metallb.metallb.io/'])
      expect(text).toContain(name);
  });

  it('wide output adds the node selectors', async () => {
    expect(await get('l2adv', 'bare', '-o', 'wide')).toMatch(/NODE SELECTORS/);
  });

  it.each([
    ['bgppeer.spec.holdTime', 'after which the session counts as dead'],
    [
      'ipap.spec.serviceAllocation.namespaceSelectors.matchExpressions.operator',
      'In, NotIn, Exists or DoesNotExist',
    ],
    ['metallb.spec.speakerConfig.affinity.nodeAffinity', 'Which nodes the pods go to'],
    ['configurationstate.status.conditions', 'What the verdict rests on'],
  ])('explain %s', async (path, words) => {
    expect((await lab.kubectl(['explain', path])).replaceAll(/\s+/g, ' ')).toContain(words);
  });
});
