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

const remove = {
  objects: () => lab.kubectl(['delete', 'metallbs,ipaddresspools,bgppeers', '--all', '-n', NAMESPACE, GONE]),
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

describe('C06: removal', () => {
  it.each<[string, readonly (keyof typeof remove)[]]>([
    ['(a) as documented', ['objects', 'webhooks', 'namespace', 'crds']],
    ['(b) namespace first, then CRDs', ['namespace', 'crds', 'webhooks']],
    ['(c) CRDs first', ['crds', 'namespace', 'webhooks']],
  ])('E1, E2, E4: %s', async (_, steps) => {
    await install();
    for (const step of steps) await remove[step]();
    await expectNothingLeft();
  });

  it('E1: (d) namespace and CRDs at once', async () => {
    await install();
    const names = CRDS.map((name) => `crd/${name.slice('metallb.io_'.length, -'.yaml'.length)}.metallb.io`);
    await lab.kubectl(['delete', GONE, `namespace/${NAMESPACE}`, ...names]);
    await remove.webhooks();
    await expectNothingLeft();
  });

  it('E3: a CRD of another installation whose conversion is dead is mended by replacing it with ours', async () => {
    await install();
    const caBundle = Buffer.from(renewed(undefined, 'other.svc', new Date()).ca.cert).toString('base64');
    const service = { name: 'metallb-webhook-service', namespace: NAMESPACE, path: '/convert' };
    const webhook = { conversionReviewVersions: ['v1'], clientConfig: { caBundle, service } };
    await lab.api.patch(definition, { spec: { conversion: { strategy: 'Webhook', webhook } } });
    await expect(lab.kubectl(['get', 'bgppeers.v1beta1.metallb.io', '-n', NAMESPACE])).rejects.toThrow(
      'conversion webhook',
    );
    await lab.kubectl(['replace', '-f', 'config/crd/metallb.io_bgppeers.yaml']);
    for (const step of ['namespace', 'crds', 'webhooks'] as const) await remove[step]();
    await expectNothingLeft();
  });
});
