/** C04 with everything running: CRDs that somebody else installed, where some are missing or older than ours. */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renewed } from '#controller/webhooks/certificates.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import { eventually } from '#tests/support/eventually.ts';
import { LONG_MS, R1, RouterLab } from '#tests/support/router-lab.ts';

const PROGRAMS = ['controller', 'speaker-node1'] as const;
type Program = (typeof PROGRAMS)[number];
/** Kind that may be missing → who says so, and what is lost. */
const losses: Readonly<Record<string, readonly (readonly [Program, RegExp])[]>> = {
  configurationstates: [
    ['controller', /the verdict on the configuration .* is off until its CRD is there/],
    ['speaker-node1', /the verdict on the configuration .* is off until its CRD is there/],
  ],
  servicebgpstatuses: [['speaker-node1', /the list of who announces a Service \(ServiceBGPStatus\) is off/]],
  bgpsessionstates: [['speaker-node1', /the states of BGP sessions are off until its CRD is there/]],
  ipreservations: [['controller', /reservations are off until its CRD is there/]],
};

let routers: RouterLab;
beforeAll(async () => {
  routers = await RouterLab.up('mlb-f-crds', 1);
  await routers.lab.kubectl([
    'apply',
    '--server-side',
    '-f',
    'config/crd',
    '-f',
    'config/manifests/rbac.yaml',
  ]);
  await routers.route(routers.r1, { asn: 64501, nodeAsn: 64500 });
});
afterAll(() => routers?.down());
afterEach(async () => {
  await routers.clear();
  for (const name of PROGRAMS) await routers.lab.daemons.find(name)?.stop('SIGTERM');
  await routers.lab.frr('node1').stop();
});

const object = (kind: string, version: string, name: string, spec: object): string =>
  JSON.stringify({
    apiVersion: `metallb.io/${version}`,
    kind,
    metadata: { name, namespace: NAMESPACE },
    spec,
  });
const apply = (text: string) => routers.lab.kubectl(['apply', '-f', '-'], { input: text });
const SPEC = { myASN: 64500, peerASN: 64501, peerAddress: R1, connectTime: '5s' };

/** Starts controller, FRR and speaker; what they write from now on is what `since` gives. */
async function start(): Promise<(program: Program) => string[]> {
  const before = new Map(PROGRAMS.map((name) => [name, routers.log(name).length]));
  await routers.stage.deploy[1]?.run(() => undefined);
  return (program) => routers.log(program).slice(before.get(program)).split('\n');
}

/** Addresses are given and announced: E1. */
async function works(service: string, address: string): Promise<void> {
  await routers.service(service);
  await eventually(async () => expect(await routers.addresses(service)).toEqual([address]), LONG_MS);
  await eventually(async () => {
    expect(await routers.nextHops(routers.r1, `${address}/32`)).toEqual(routers.allNodes);
  }, LONG_MS);
}

async function configure(): Promise<void> {
  await apply(object('IPAddressPool', 'v1beta1', 'p', { addresses: ['198.51.100.0/28'] }));
  await apply(object('BGPAdvertisement', 'v1beta1', 'adv', {}));
  await apply(object('BGPPeer', 'v1beta2', 'r1', SPEC));
}

async function removeKinds(plurals: readonly string[]): Promise<void> {
  await routers.lab.kubectl([
    'delete',
    ...plurals.map((plural) => `crd/${plural}.metallb.io`),
    '--timeout=60s',
  ]);
  await eventually(async () => {
    const served = await routers.lab.kubectl(['api-resources', '--api-group=metallb.io', '-o', 'name']);
    for (const plural of plurals) expect(served).not.toContain(plural);
  }, LONG_MS);
}

/** Every kind is missed once, by name, with what is lost: E2. */
function expectTold(since: (program: Program) => string[], plurals: readonly string[]): void {
  for (const plural of plurals)
    for (const [program, lost] of losses[plural] ?? []) {
      const lines = since(program).filter((line) => line.includes(`${plural}.metallb.io`));
      expect(lines, `${program} about ${plural}`).toEqual([expect.stringMatching(lost)]);
    }
}

/** The BGPPeer CRD as of MetalLB 0.14: fewer fields, no rules, and a conversion webhook that nobody answers. */
function olderPeers(): string {
  const kept =
    'bfdProfile connectTime disableMP ebgpMultiHop enableGracefulRestart holdTime keepaliveTime myASN nodeSelectors ' +
    'password passwordSecret peerASN peerAddress peerPort routerID sourceAddress vrf';
  const crd = parse(readFileSync('config/crd/metallb.io_bgppeers.yaml', 'utf8')) as {
    spec: {
      conversion: object;
      versions: { name: string; schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[];
    };
  };
  const caBundle = Buffer.from(renewed(undefined, 'other.svc', new Date()).ca.cert).toString('base64');
  const service = { name: 'metallb-webhook-service', namespace: NAMESPACE, path: '/convert' };
  const webhook = { conversionReviewVersions: ['v1beta1'], clientConfig: { caBundle, service } };
  crd.spec.conversion = { strategy: 'Webhook', webhook };
  for (const version of crd.spec.versions.filter(({ name }) => name === 'v1beta2')) {
    const { properties } = version.schema.openAPIV3Schema.properties.spec;
    version.schema.openAPIV3Schema.properties.spec = {
      type: 'object',
      required: ['myASN', 'peerASN', 'peerAddress'],
      properties: Object.fromEntries(kept.split(' ').map((name) => [name, properties[name] ?? {}])),
    };
  }
  return JSON.stringify(crd);
}

interface Schema {
  readonly type: string;
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, object>>;
}

/** What came later is used within a minute: E4. */
async function expectFound(): Promise<void> {
  await eventually(async () => {
    for (const of of PROGRAMS) expect(await routers.state(of)).toMatchObject({ result: 'Valid' });
    const statuses = await routers.lab.kubectl(['-n', NAMESPACE, 'get', 'servicebgpstatuses', '-o', 'json']);
    const { items } = JSON.parse(statuses) as { items: { status?: object }[] };
    expect(items.map(({ status }) => status)).toEqual([
      { node: 'node1', serviceName: 'a', serviceNamespace: 'default', peers: ['r1'] },
    ]);
  }, LONG_MS);
}

describe('C04: CRDs from elsewhere', () => {
  it('C04 E1, E3: (1) without a conversion: all works, v1beta1 can be read, nobody writes the CRD', async () => {
    const version = () =>
      routers.lab.kubectl([
        'get',
        'crd',
        'bgppeers.metallb.io',
        '-o',
        'jsonpath={.metadata.resourceVersion}',
      ]);
    const before = await version();
    await configure();
    await start();
    await works('a', '198.51.100.0');
    const old = await routers.object<{ spec: object }>('bgppeers.v1beta1', 'r1');
    const { connectTime: _, ...shared } = SPEC;
    expect(old.spec).toMatchObject(shared);
    expect(await version()).toBe(before);
  });

  it.each([
    ['(2)', 'configurationstates'],
    ['(3)', 'servicebgpstatuses'],
  ])('C04 E1, E2, E4: %s without %s: all else works, told once, used when it comes', async (_, plural) => {
    await removeKinds([plural]);
    await configure();
    const since = await start();
    await works('a', '198.51.100.0');
    await eventually(() => expectTold(since, [plural]), LONG_MS);
    await routers.lab.kubectl(['apply', '--server-side', '-f', `config/crd/metallb.io_${plural}.yaml`]);
    await expectFound();
    expectTold(since, [plural]);
  });

  it('C04 E1, E2, E4: (4), (5) the kinds of MetalLB 0.14: all else works; the full CRDs are used without a restart', async () => {
    await removeKinds(Object.keys(losses));
    await routers.lab.kubectl(['replace', '-f', '-'], { input: olderPeers() });
    await configure();
    const since = await start();
    await works('a', '198.51.100.0');
    await eventually(() => expectTold(since, Object.keys(losses)), LONG_MS);
    await works('b', '198.51.100.1');
    await routers.lab.kubectl(['delete', 'service', 'b']);
    expectTold(since, Object.keys(losses));
    await routers.lab.kubectl(['replace', '-f', 'config/crd/metallb.io_bgppeers.yaml']);
    await routers.lab.kubectl(['apply', '--server-side', '-f', 'config/crd']);
    await expectFound();
    await eventually(async () => {
      const sessions = await routers.lab.kubectl([
        '-n',
        NAMESPACE,
        'get',
        'bgpsessionstates.metallb.io',
        '-o',
        'name',
      ]);
      expect(sessions.trim().split('\n')).toEqual([expect.stringContaining('node1')]);
    }, LONG_MS);
    // A field that the older schema had not.
    const { peerASN: _, ...shared } = SPEC;
    const changed = object('BGPPeer', 'v1beta2', 'r1', { ...shared, dynamicASN: 'external' });
    await eventually(() => routers.lab.kubectl(['replace', '-f', '-'], { input: changed }), LONG_MS);
    await eventually(async () => {
      expect(await routers.lab.frr('node1').vtysh('show running-config')).toContain(
        `neighbor ${R1} remote-as external`,
      );
    }, LONG_MS);
    await routers.established(routers.r1);
    expectTold(since, Object.keys(losses));
  });
});
