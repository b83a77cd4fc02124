/** The admission webhooks as the API server sees them, with no more rights than are shipped. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import { WEBHOOK_CONFIGURATION } from '#core/api/webhooks.ts';
import { renewed } from '#controller/webhooks/certificates.ts';
import type { Lab } from '#lab/lab.ts';
import type { Daemon } from '#lab/process/daemon.ts';
import { tryRun } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { bfd, bgpAdv, peer, pool, type TestObject } from '#tests/support/config-factories.ts';
import { corpus } from '#tests/support/config-corpus.ts';
import { startWebhookServer, webhookLab, WEBHOOK_PORT } from '#tests/support/webhook-lab.ts';

const root = join(import.meta.dirname, '../../..');
const configurationPath = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${WEBHOOK_CONFIGURATION}`;

let lab: Lab;
let server: Daemon;

const pathOf = ({ kind, metadata }: TestObject): string => {
  const { group, version, plural } = metallbResources[kind];
  return `/apis/${group}/${version}/namespaces/${metadata.namespace}/${plural}`;
};

interface Answer {
  readonly status: number;
  readonly message: string;
}

async function send(method: string, path: string, body?: unknown, type?: string): Promise<Answer> {
  const answer = await lab.api.send(method, path, body, type);
  return { status: answer.status, message: (JSON.parse(answer.text) as { message?: string }).message ?? '' };
}

function create(entry: TestObject): Promise<Answer> {
  const { group, version } = metallbResources[entry.kind];
  const { name, namespace, labels } = entry.metadata;
  return send('POST', pathOf(entry), {
    ...entry,
    apiVersion: `${group}/${version}`,
    metadata: { name, namespace, labels },
  });
}

const merge = (entry: TestObject, patch: unknown): Promise<Answer> =>
  send('PATCH', `${pathOf(entry)}/${entry.metadata.name}`, patch, 'application/merge-patch+json');
const remove = (entry: TestObject): Promise<Answer> =>
  send('DELETE', `${pathOf(entry)}/${entry.metadata.name}`);

/** Waits until a faulty object is refused by the webhook and not by anything else. */
async function serving(): Promise<void> {
  await waitFor(
    'the webhook to refuse',
    async () => (await create(pool('probe', []))).message.includes('no prefixes'),
    { deadlineMs: 30_000, explain: () => Promise.resolve(server.logTail()) },
  );
}

beforeAll(async () => {
  lab = await webhookLab('mlb-api-webhooks');
  server = await startWebhookServer(lab);
  await serving();
});

afterAll(() => lab?.down());

const stored: TestObject[] = [];
afterEach(async () => {
  for (const entry of stored.splice(0).reverse()) await remove(entry);
});
async function store(...entries: TestObject[]): Promise<void> {
  for (const entry of entries) {
    expect(await create(entry)).toEqual({ status: 201, message: '' });
    stored.push(entry);
  }
}

describe('the corpus, on the API server', () => {
  it.each(corpus)('$name', async ({ objects, denied }) => {
    const candidate = objects.at(-1);
    if (candidate === undefined) throw new Error('a case without objects');
    await store(...objects.slice(0, -1));
    const answer = await create(candidate);
    if (denied === undefined) {
      stored.push(candidate);
      expect(answer).toEqual({ status: 201, message: '' });
    } else {
      expect([403, 422]).toContain(answer.status);
      expect(answer.message).toContain(denied);
    }
  });
});

describe('updates and deletions', () => {
  it('an update is judged like a creation', async () => {
    const a = pool('a', ['10.0.0.0/24']);
    await store(a, pool('b', ['10.1.0.0/24']));
    const answer = await merge(a, { spec: { addresses: ['10.1.0.0/25'] } });
    expect(answer.status).toBe(403);
    expect(answer.message).toContain('overlaps with already defined CIDR 10.1.0.0/24 of IPAddressPool b');
    expect((await merge(a, { metadata: { annotations: { note: 'x' } } })).status).toBe(200);
  });

  it('152: a pool that overlaps one that is there is denied, and so is one in another namespace', async () => {
    await store(pool('a', ['10.0.0.0/24']));
    const overlapping = await create(pool('b', ['10.0.0.128-10.0.1.7']));
    expect(overlapping.status).toBe(403);
    expect(overlapping.message).toContain(
      'overlaps with already defined CIDR 10.0.0.0/24 of IPAddressPool a',
    );
    const elsewhere = pool('c', ['10.9.0.0/24']);
    const answer = await create({ ...elsewhere, metadata: { ...elsewhere.metadata, namespace: 'default' } });
    expect(answer.status).toBe(403);
    expect(answer.message).toMatch(/resource must be created in metallb-system namespace/);
  });

  it('152: of two that overlap, one right behind the other, the second is denied; when the first is gone, it is not', async () => {
    for (let index = 0; index < 40; index += 1) {
      const [first, second] = [
        pool(`one${index}`, ['10.0.0.0/24']),
        pool(`other${index}`, ['10.0.0.128/25']),
      ];
      const answers = [await create(first), await create(second), await remove(first), await create(second)];
      await remove(second);
      expect(answers.map(({ status }) => status)).toEqual([201, 403, 200, 201]);
    }
  });

  it('#89 #138 BFD-8: a profile in use cannot be deleted', async () => {
    const profile = bfd('fast');
    await store(profile, peer('p', { bfdProfile: 'fast' }));
    const answer = await remove(profile);
    expect(answer.status).toBe(403);
    expect(answer.message).toContain('failed to delete BFDProfile');
  });

  it('A01 E4: kubectl shows the warning', async () => {
    const metadata = { name: 'w', namespace: 'metallb-system' };
    const spec = { addresses: ['192.0.2.200/28'] };
    const input = JSON.stringify({ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata, spec });
    const { argv, env } = lab.kubectlCommand(['apply', '--dry-run=server', '-f', '-']);
    const { code, stderr } = await tryRun(argv, { input, env });
    expect(code).toBe(0);
    expect(stderr).toContain('Warning: spec.addresses[0]: 192.0.2.200/28 is not the start of its block');
  });
});

describe('certificates', () => {
  interface Configuration {
    readonly metadata: { readonly resourceVersion: string };
    readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
  }
  const configuration = () => lab.api.get<Configuration>(configurationPath);

  it('every webhook has the CA; a restarted server takes the certificates that are there and writes nothing', async () => {
    const before = await configuration();
    expect(new Set(before.webhooks.map(({ clientConfig }) => clientConfig.caBundle)).size).toBe(1);
    const secretPath = '/api/v1/namespaces/metallb-system/secrets/metallb-webhook-cert';
    const secret = await lab.api.get<{ metadata: { resourceVersion: string }; data: object }>(secretPath);
    expect(Object.keys(secret.data).sort()).toEqual(['ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    await server.stop('SIGTERM');
    server = await startWebhookServer(lab);
    await serving();
    expect((await configuration()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    const after = await lab.api.get<{ metadata: { resourceVersion: string } }>(secretPath);
    expect(after.metadata.resourceVersion).toBe(secret.metadata.resourceVersion);
  });

  it('a CA bundle that somebody spoils is repaired at the next start', async () => {
    const { webhooks } = await configuration();
    const spoiled = webhooks.map((webhook) => ({
      ...webhook,
      clientConfig: { ...webhook.clientConfig, caBundle: 'Cg==' },
    }));
    await server.stop('SIGTERM');
    await lab.api.patch(configurationPath, { webhooks: spoiled });
    expect((await configuration()).webhooks).toEqual(spoiled);
    server = await startWebhookServer(lab);
    await serving();
    expect((await configuration()).webhooks).toEqual(webhooks);
  });
});

describe('C04, C06: a BGPPeer CRD of another installation, with a conversion stanza that calls us', () => {
  const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io';
  // Not just `Cg==`: Kubernetes 1.36 refuses what is no certificate.
  const foreign = Buffer.from(renewed(undefined, 'other.svc', new Date()).ca.cert).toString('base64');
  const peersOf = (version: string) => `/apis/metallb.io/${version}/namespaces/metallb-system/bgppeers`;
  const clientConfig = {
    caBundle: foreign,
    service: {
      name: 'metallb-webhook-service',
      namespace: 'metallb-system',
      path: '/convert',
      port: WEBHOOK_PORT,
    },
  };
  const conversion = {
    strategy: 'Webhook',
    webhook: { conversionReviewVersions: ['v1beta1', 'v1'], clientConfig },
  };
  interface Definition {
    readonly metadata: { readonly resourceVersion: string };
    readonly spec: { readonly conversion: typeof conversion };
  }
  const definition = () => lab.api.get<Definition>(crdPath);
  const spec = { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' };

  it('C06 E3: the CA bundle is put right while we run, and written once; peers convert both ways', async () => {
    await lab.api.patch(crdPath, { spec: { conversion } });
    await waitFor(
      'the CA in the conversion stanza',
      async () => (await definition()).spec.conversion.webhook.clientConfig.caBundle !== foreign,
      { deadlineMs: 40_000, explain: () => Promise.resolve(server.logTail()) },
    );
    const body = { apiVersion: 'metallb.io/v1beta1', kind: 'BGPPeer', metadata: { name: 'old' }, spec };
    await waitFor(
      'the API server to convert',
      async () => (await send('POST', peersOf('v1beta1'), body)).status === 201,
      { deadlineMs: 20_000, explain: () => Promise.resolve(server.logTail()) },
    );
    const read = (version: string) => lab.api.get<{ spec: object }>(`${peersOf(version)}/old`);
    for (const version of ['v1beta1', 'v1beta2']) {
      const stored = (await read(version)).spec;
      expect(stored).toMatchObject(spec);
      expect(Object.keys(stored)).not.toContain('holdTime');
    }
    const { resourceVersion } = (await definition()).metadata;
    await server.stop('SIGTERM');
    server = await startWebhookServer(lab);
    await serving();
    expect((await definition()).metadata.resourceVersion).toBe(resourceVersion);
  });

  it('C04 E3, C06 E1: applying our CRD ends the conversion, no CA is written into it, and with the server gone everything can be read and deleted', async () => {
    const file = join(root, 'config/crd/metallb.io_bgppeers.yaml');
    // ADR 3: a merge leaves half a stanza, which the API server refuses.
    await expect(lab.kubectl(['apply', '--server-side', '--force-conflicts', '-f', file])).rejects.toThrow(
      'conversion',
    );
    await lab.kubectl(['replace', '-f', file]);
    expect((await definition()).spec.conversion).toEqual({ strategy: 'None' });
    const { resourceVersion } = (await definition()).metadata;
    await server.stop('SIGTERM');
    await lab.kubectl(['get', 'bgppeers.v1beta1.metallb.io', 'old', '-n', 'metallb-system']);
    server = await startWebhookServer(lab);
    await serving();
    expect((await definition()).metadata.resourceVersion).toBe(resourceVersion);
    expect((await send('DELETE', `${peersOf('v1beta2')}/old`)).status).toBe(200);
  });
});

describe('without the webhook', () => {
  it('with failure policy Ignore everything goes on, and the schema still refuses', async () => {
    const { webhooks } = await lab.api.get<{ webhooks: readonly object[] }>(configurationPath);
    await server.stop('SIGTERM');
    await lab.api.patch(configurationPath, {
      webhooks: webhooks.map((webhook) => ({ ...webhook, failurePolicy: 'Ignore' })),
    });
    await waitFor(
      'the API server to let through',
      async () => (await create(pool('open', ['10.0.0.9-10.0.0.1']))).status === 201,
      { deadlineMs: 10_000, explain: () => Promise.resolve(server.logTail()) },
    );
    const refused = await create(bgpAdv('shut', { serviceSelectors: [{}], aggregationLength: 24 }));
    expect(refused.status).toBe(422);
    expect((await create(pool('shut', ['nonsense']))).message).toContain('invalid CIDR "nonsense"');
    // The same with no webhook registered at all.
    await lab.api.send('DELETE', configurationPath);
    expect((await create(pool('still-open', ['10.0.0.9-10.0.0.1']))).status).toBe(201);
  });
});
