import { createServer, type Server } from 'node:https';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { issueCertificate, type CertificatePair } from '#runtime/http/certificate.ts';
import { loadCredentials, type Credentials } from '#runtime/kube/credentials.ts';
import { serviceAccount } from '#runtime/kube/service-account.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { silent } from '#runtime/log/logger.ts';

const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
const ca = issueCertificate({ commonName: 'ca', hosts: [], ca: true, ...validity });
const otherCa = issueCertificate({ commonName: 'ca', hosts: [], ca: true, ...validity });
const signedBy = (authority: CertificatePair, commonName: string) =>
  issueCertificate({
    commonName,
    hosts: ['127.0.0.1'],
    ...validity,
    issuer: { ...authority, name: { commonName: 'ca' } },
  });

let folder: string;
let server: Server;
let connections: number;
let seen: { authorization: string | undefined; client: string | undefined }[];
let credentials: Credentials;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'metallb-credentials-'));
  connections = 0;
  seen = [];
  server = createServer(
    { ...signedBy(ca, 'api'), requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const { CN } = (request.socket as TLSSocket).getPeerCertificate()?.subject ?? {};
      seen.push({ authorization: request.headers.authorization, client: CN as string | undefined });
      response.end('{}');
    },
  );
  server.on('secureConnection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await writeFile(join(folder, 'ca.crt'), ca.cert);
});
afterEach(async () => {
  await credentials[Symbol.asyncDispose]();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

async function connect(user: Record<string, unknown>): Promise<() => Promise<unknown>> {
  const { port } = server.address() as AddressInfo;
  const cluster = { server: `https://127.0.0.1:${port}`, 'certificate-authority': join(folder, 'ca.crt') };
  const config = {
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'metallb-system' } }],
    'current-context': 'x',
  };
  const path = join(folder, 'kubeconfig');
  await writeFile(path, JSON.stringify(config));
  credentials = await loadCredentials({ kubeconfig: path, refreshMs: 0 });
  const transport = createTransport(credentials, { logger: silent });
  return () => transport.call({ method: 'GET', path: '/version' });
}

describe('credentials', () => {
  it('share connections between calls, though they are read again each time', async () => {
    const call = await connect({ token: 't1' });
    for (let index = 0; index < 20; index += 1) await call();
    // The pool may open a second one while the first is still finishing a body.
    expect(connections).toBeLessThanOrEqual(2);
    expect(seen[19]).toEqual({ authorization: 'Bearer t1', client: undefined });
    expect(credentials.namespace).toBe('metallb-system');
  });

  it('take the token from a file, relative to the kubeconfig', async () => {
    await writeFile(join(folder, 'token'), 't2\n');
    const call = await connect({ tokenFile: 'token' });
    await call();
    expect(seen[0]?.authorization).toBe('Bearer t2');
  });

  it('present the client certificate, and the new one after its file changed', async () => {
    const write = async (commonName: string) => {
      const pair = signedBy(ca, commonName);
      await writeFile(join(folder, 'me.crt'), pair.cert);
      await writeFile(join(folder, 'me.key'), pair.key);
    };
    await write('first');
    const call = await connect({
      'client-certificate': join(folder, 'me.crt'),
      'client-key': join(folder, 'me.key'),
    });
    await call();
    await write('second');
    await call();
    expect(seen.map(({ client }) => client)).toEqual(['first', 'second']);
  });

  it('trust only the CA of the file, also after it changed', async () => {
    const call = await connect({ token: 't1' });
    await call();
    await writeFile(join(folder, 'ca.crt'), otherCa.cert);
    await expect(call()).rejects.toMatchObject({ status: 0, retry: 'backoff' });
    await writeFile(join(folder, 'ca.crt'), ca.cert);
    await call();
  });

  it('fail one call, not the program, when a file cannot be read', async () => {
    const call = await connect({ token: 't1' });
    await rm(join(folder, 'ca.crt'));
    await expect(call()).rejects.toMatchObject({ status: 0, retry: 'backoff' });
    await writeFile(join(folder, 'ca.crt'), ca.cert);
    await call();
  });

  it('name the file that cannot be used', async () => {
    await connect({});
    await expect(loadCredentials({ kubeconfig: join(folder, 'none') })).rejects.toThrow(
      /kubeconfig .*none cannot be read/,
    );
  });
});

describe('credentials of a pod', () => {
  afterEach(() => vi.unstubAllEnvs());

  const inPod = async (): Promise<() => Promise<unknown>> => {
    const { port } = server.address() as AddressInfo;
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '127.0.0.1');
    vi.stubEnv('KUBERNETES_SERVICE_PORT', String(port));
    await writeFile(join(folder, 'token'), 'first\n');
    await writeFile(join(folder, 'namespace'), 'metallb-system\n');
    credentials = await loadCredentials({ serviceAccount: folder, refreshMs: 0 });
    const transport = createTransport(credentials, { logger: silent });
    return () => transport.call({ method: 'GET', path: '/version' });
  };

  it('are the service account: namespace, CA, and the token as it is at each time', async () => {
    const call = await inPod();
    expect(credentials.namespace).toBe('metallb-system');
    await call();
    await writeFile(join(folder, 'token'), 'second\n');
    await call();
    expect(seen.map(({ authorization }) => authorization)).toEqual(['Bearer first', 'Bearer second']);
    await writeFile(join(folder, 'ca.crt'), otherCa.cert);
    await expect(call()).rejects.toMatchObject({ status: 0, retry: 'backoff' });
  });

  it('say what to do where a pod has no service account', async () => {
    await inPod();
    await rm(join(folder, 'namespace'));
    await expect(loadCredentials({ serviceAccount: folder })).rejects.toThrow(
      /namespace.*automountServiceAccountToken/,
    );
  });

  it('an IPv6 address of the API server is put in brackets', async () => {
    await inPod();
    expect(serviceAccount(folder, 'fd00::1', '6443').server.href).toBe('https://[fd00::1]:6443/');
  });
});

describe('where there is nothing to find', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('no kubeconfig and no pod: says so, instead of asking this machine', async () => {
    for (const name of ['KUBECONFIG', 'KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT'])
      vi.stubEnv(name, undefined);
    vi.stubEnv('HOME', folder);
    await expect(loadCredentials({})).rejects.toThrow(/give --kubeconfig.*there is no kubeconfig/);
  });
});
