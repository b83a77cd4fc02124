/** C06: removal ends in every order, with nobody of ours running, and installing again works. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renewed } from '#controller/webhooks/certificates.ts';
import { metallbResources } from '#core/api/resources.ts';
import { Lab } from '#lab/lab.ts';
import { quiet } from '#lab/report.ts';
import { webhookServer } from '#operator/render/webhook.ts';
import { eventually } from '#tests/support/eventually.ts';
import { plainOptions } from '#tools/manifests/producer.ts';

const NAMESPACE = 'metallb-system';
const CRDS = readdirSync('config/crd').filter((name) => name.startsWith('metallb.io_'));
const files = CRDS.flatMap((name) => ['-f', `config/crd/${name}`]);
/** Deleting waits until the object is gone, and fails after a minute (E1). */
const GONE = '--timeout=60s';
/** BGPPeer as another installation left it; peers may be stored in its older version. */
const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-api-removal', level: 'light', nodes: 1, report: quiet });
});
afterAll(() => lab?.down());

const webhooks = (): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: webhookServer(plainOptions('test', ''), 'Ignore'),
  });

/** What a user has: CRDs, namespace, webhook (its pod never runs), a pool, a peer written as v1beta1. */
async function install(): Promise<void> {
  await lab.kubectl(['apply', ...files]);
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  // Established comes before the storage is up; a CRD that is deleted in between may hang for minutes (Kubernetes).
  const kinds = Object.values(metallbResources).map(({ plural, group }) => `${plural}.${group}`);
  await eventually(() => lab.kubectl(['get', kinds.join(','), '--all-namespaces']), 60_000);
  await lab.kubectl(['create', 'namespace', NAMESPACE]);
  await lab.kubectl(['apply', '-f', '-'], { input: webhooks() });
  const metadata = { name: 'a', namespace: NAMESPACE };
  const spec = { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' };
  const items = [
    { apiVersion: 'metallb.io/v1beta1', kind: 'BGPPeer', metadata, spec },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata,
      spec: { addresses: ['192.0.2.0/24'] },
    },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'MetalLB',
      metadata: { ...metadata, name: 'metallb' },
      spec: {},
    },
  ];
  await lab.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
}

/** Lets the CRD of BGPPeer convert by a webhook that nobody answers: `version` needs it to be read. */
async function killConversion(version = 'v1beta1'): Promise<void> {
  // Calls then fail at once, not after 30 s.
  await lab.kubectl(['delete', 'service', 'metallb-webhook-service', '-n', NAMESPACE]);
  // Not just `Cg==`: Kubernetes 1.36 refuses what is no certificate.
  const caBundle = Buffer.from(renewed(undefined, 'other.svc', new Date()).ca.cert).toString('base64');
  const service = { name: 'metallb-webhook-service', namespace: NAMESPACE, path: '/convert' };
  const webhook = { conversionReviewVersions: ['v1beta1', 'v1'], clientConfig: { caBundle, service } };
  await lab.api.patch(definition, { spec: { conversion: { strategy: 'Webhook', webhook } } });
  await eventually(
    () =>
      expect(lab.kubectl(['get', `bgppeers.${version}.metallb.io`, '-n', NAMESPACE])).rejects.toThrow(
        'conversion webhook',
      ),
    60_000,
  );
}

/** Chooses the version in which peers are stored from now on. */
async function storePeersAs(version: string): Promise<void> {
  const crd = await lab.api.get<Definition>(definition);
  const versions = crd.spec.versions.map((each) => ({ ...each, storage: each.name === version }));
  await lab.api.patch(definition, { spec: { versions } });
}

interface Definition {
  readonly spec: { readonly versions: readonly { readonly name: string }[] };
}

const none = async (): Promise<void> => {};

const remove = {
  /** The program goes, and Kubernetes takes away what belonged to it. */
  deployment: async () => {
    await lab.kubectl(['delete', 'deployment', 'webhook-server', '-n', NAMESPACE, GONE]);
    await eventually(async () => {
      expect(await lab.kubectl(['get', 'pods,replicasets', '-n', NAMESPACE, '-o', 'name'])).toBe('');
    }, 60_000);
  },
  objects: () => lab.kubectl(['delete', 'metallbs,ipaddresspools,bgppeers', '--all', '-n', NAMESPACE, GONE]),
  /** Both in one command. */
  namespaceAndCrds: () => {
    const names = CRDS.map((name) => `crd/${name.slice('metallb.io_'.length, -'.yaml'.length)}.metallb.io`);
    return lab.kubectl(['delete', GONE, `namespace/${NAMESPACE}`, ...names]);
  },
  webhooks: () => lab.kubectl(['delete', '--ignore-not-found', GONE, '-f', '-'], { input: webhooks() }),
  namespace: () => lab.kubectl(['delete', 'namespace', NAMESPACE, GONE]),
  crds: () => lab.kubectl(['delete', GONE, ...files]),
};

async function expectNothingLeft(): Promise<void> {
  const found = async (type: string, word: string) =>
    (await lab.kubectl(['get', type, '-o', 'name'])).split('\n').filter((name) => name.includes(word));
  expect(await found('crd', 'metallb.io')).toEqual([]);
  expect(await found('namespace', NAMESPACE)).toEqual([]);
}

type Order = readonly [name: string, steps: readonly (keyof typeof remove)[]];
const documented: Order = ['(a) as documented', ['objects', 'webhooks', 'namespace', 'crds']];
const others: readonly Order[] = [
  ['(b) namespace first, then CRDs', ['namespace', 'crds', 'webhooks']],
  ['(c) CRDs first', ['crds', 'namespace', 'webhooks']],
  ['(d) Deployment first, then namespace and CRDs at once', ['deployment', 'namespaceAndCrds', 'webhooks']],
];
const cases = [
  ['our CRD', documented, none],
  ...[documented, ...others].map(
    (order) => ['a CRD whose conversion is dead', order, killConversion] as const,
  ),
] as const;

describe('C06: removal', () => {
  it.each(cases.map(([crd, [order, steps], spoil]) => [crd, order, steps, spoil] as const))(
    'C06 E1, E4: %s, %s',
    async (_crd, _order, steps, spoil) => {
      await install();
      await spoil();
      for (const step of steps) await remove[step]();
      await expectNothingLeft();
    },
  );

  it('C06 E3: a dead conversion that peers stored as v1beta1 need is mended by replacing the CRD with ours', async () => {
    await install();
    await storePeersAs('v1beta1');
    await lab.kubectl(['annotate', 'bgppeer', 'a', 'written=again', '-n', NAMESPACE]);
    await storePeersAs('v1beta2');
    await killConversion('v1beta2');
    await lab.kubectl(['replace', '-f', 'config/crd/metallb.io_bgppeers.yaml']);
    await lab.kubectl(['get', 'bgppeers.v1beta2.metallb.io', 'a', '-n', NAMESPACE]);
    for (const step of ['namespace', 'crds', 'webhooks'] as const) await remove[step]();
    await expectNothingLeft();
  });
});
