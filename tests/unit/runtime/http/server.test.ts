import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthorizer } from '#runtime/http/authorizer.ts';
import { selfSigned } from '#runtime/http/certificate.ts';
import { startHealthServer, startMetricsServer, type RunningServer } from '#runtime/http/server.ts';
import { CertificateSource, secureOptions } from '#runtime/http/tls.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { FakeApiServer } from '#tests/support/fake-apiserver/server.ts';
import { VirtualClock } from '#tests/support/virtual-clock.ts';

const host = '127.0.0.1';
let servers: RunningServer[] = [];

afterEach(async () => {
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  servers = [];
});

async function started(starting: Promise<RunningServer>): Promise<number> {
  const server = await starting;
  servers.push(server);
  return server.port;
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly commonName: string | undefined;
}

function get(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const send = url.startsWith('https') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const options = { headers, method, rejectUnauthorized: false, agent: false as const };
    const request = send(url, options, (response) => {
      const { commonName } = readCommonName(response.socket as TLSSocket);
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode, body, commonName }));
    });
    request.on('error', reject);
    request.end();
  });
}

function readCommonName(socket: TLSSocket): { commonName: string | undefined } {
  const subject = 'getPeerCertificate' in socket ? socket.getPeerCertificate().subject : undefined;
  return { commonName: subject?.CN as string | undefined };
}

describe('health server (controller.md 1.2)', () => {
  it('says ok, or 503 and what is wrong', async () => {
    let problem: string | undefined = 'services are not in yet';
    const port = await started(startHealthServer({ port: 0, host, ready: () => problem }));
    expect(await get(`http://${host}:${port}/healthz`)).toMatchObject({ status: 200, body: 'ok' });
    expect(await get(`http://${host}:${port}/readyz`)).toMatchObject({
      status: 503,
      body: 'services are not in yet\n',
    });
    problem = undefined;
    expect(await get(`http://${host}:${port}/readyz?verbose`)).toMatchObject({ status: 200, body: 'ok' });
    expect(await get(`http://${host}:${port}/metrics`)).toMatchObject({ status: 404 });
  });

  it('names flag and port when the port is taken', async () => {
    const port = await started(startHealthServer({ port: 0, host }));
    await expect(startHealthServer({ port, host })).rejects.toMatchObject({
      code: 'SOCKET',
      message: expect.stringContaining(`--health-probe-port ${host}:${port}`) as string,
    });
  });
});

describe('metrics server', () => {
  let fake: FakeApiServer;
  let clock: VirtualClock;
  let url: string;

  beforeEach(async () => {
    fake = await FakeApiServer.start();
    fake.tokens.set('good', { username: 'prometheus' });
    fake.tokens.set('weak', { username: 'nobody' });
    fake.allow = (username, verb, path) => username === 'prometheus' && verb === 'get' && path === '/metrics';
    clock = new VirtualClock();
    const client = createKubeClient(createTransport(plainCredentials(fake.url), { logger: silent }));
    const metrics = createMetrics();
    metrics.counter({ name: 'seen_total', help: 's' }).inc();
    const secure = { authorize: createAuthorizer(client, clock), certDir: '' };
    const port = await started(startMetricsServer({ port: 0, host, metrics, logger: silent, secure }));
    url = `https://${host}:${port}/metrics`;
  });
  afterEach(() => fake.close());

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const reviews = () => fake.seen.length;

  it('serves who may read, by HTTPS with a certificate of its own', async () => {
    const answer = await get(url, bearer('good'));
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('seen_total 1');
    expect(answer.commonName).toBe('localhost');
  });

  it('answers 401 without a token, with another scheme, or with an unknown token', async () => {
    expect((await get(url)).status).toBe(401);
    expect((await get(url, { authorization: 'Basic Z29vZA==' })).status).toBe(401);
    expect(reviews()).toBe(0);
    expect((await get(url, bearer('unknown'))).status).toBe(401);
  });

  it('answers 403 without permission, also for another verb', async () => {
    expect((await get(url, bearer('weak'))).status).toBe(403);
    expect((await get(url, bearer('good'), 'POST')).status).toBe(403);
  });

  it('answers 500 when the API server cannot be asked, and asks again next time', async () => {
    fake.fail({ kind: 'status', code: 503 });
    expect((await get(url, bearer('good'))).status).toBe(500);
    expect((await get(url, bearer('good'))).status).toBe(200);
  });

  it('remembers a token for one minute, a yes for five and a no for 30 seconds', async () => {
    await get(url, bearer('good'));
    await get(url, bearer('good'));
    expect(reviews()).toBe(2);
    await clock.advance(60_000);
    await get(url, bearer('good'));
    expect(reviews()).toBe(3);
    await clock.advance(240_000);
    await get(url, bearer('good'));
    expect(reviews()).toBe(5);
    await get(url, bearer('weak'));
    await clock.advance(30_000);
    await get(url, bearer('weak'));
    expect(reviews()).toBe(8);
  });

  it('serves plain HTTP to everybody only when told so', async () => {
    const port = await started(
      startMetricsServer({ port: 0, host, metrics: createMetrics(), logger: silent }),
    );
    expect((await get(`http://${host}:${port}/metrics`)).status).toBe(200);
    await expect(get(url.replace('https', 'http'), bearer('good'))).rejects.toThrow();
  });
});

describe('TLS settings', () => {
  it('are TLS 1.3 by default and take the names of Kubernetes', () => {
    expect(secureOptions({ minVersion: '', cipherSuites: [], curves: [] })).toEqual({
      minVersion: 'TLSv1.3',
    });
    const suite = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
    expect(
      secureOptions({ minVersion: 'VersionTLS12', cipherSuites: [suite], curves: ['29', '23'] }),
    ).toEqual({ minVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', ecdhCurve: 'X25519:P-256' });
  });

  it('report every mistake', () => {
    const wrong = { minVersion: 'VersionTLS13', cipherSuites: ['NONE', 'NONE'], curves: ['0'] };
    expect(() => secureOptions(wrong)).toThrow(
      /--tls-cipher-suites: cannot be set.*\n.*has duplicates\n.*NONE is not known\n.*NONE is not known\n.*: 0 is not known/,
    );
    expect(() => secureOptions({ minVersion: 'TLS2', cipherSuites: [], curves: [] })).toThrow(
      /--tls-min-version/,
    );
  });
});

describe('certificate files', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'metallb-tls-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const write = async (commonName: string) => {
    const { cert, key } = selfSigned(commonName, [commonName]);
    await writeFile(join(directory, 'tls.crt'), cert);
    await writeFile(join(directory, 'tls.key'), key);
  };

  it('are loaded again when they change, and replace the certificate in memory when they appear', async () => {
    const metrics = createMetrics();
    const secure = { authorize: () => Promise.resolve(200 as const), certDir: directory, reloadMs: 5 };
    const port = await started(startMetricsServer({ port: 0, host, metrics, logger: silent, secure }));
    const seen = async (name: string) => {
      const deadline = performance.now() + 5000;
      while (performance.now() < deadline) {
        const { commonName } = await get(`https://${host}:${port}/metrics`);
        if (commonName === name) return true;
      }
      return false;
    };
    expect(await seen('localhost')).toBe(true);
    await write('first.example.com');
    expect(await seen('first.example.com')).toBe(true);
    await write('second.example.org');
    expect(await seen('second.example.org')).toBe(true);
    await writeFile(join(directory, 'tls.crt'), 'half written');
    expect(await seen('second.example.org')).toBe(true);
  });

  it('are not reported as changed twice', async () => {
    await write('one.example.com');
    const source = new CertificateSource({ directory, hosts: ['localhost'], logger: silent });
    expect((await source.changed())?.cert).toContain('BEGIN CERTIFICATE');
    expect(await source.changed()).toBeUndefined();
  });
});
