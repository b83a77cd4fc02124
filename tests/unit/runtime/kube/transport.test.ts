import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { plainCredentials, type Credentials } from '#runtime/kube/credentials.ts';
import { splitLines } from '#runtime/kube/lines.ts';
import { createTransport, parseRetryAfter, type Transport } from '#runtime/kube/transport.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';

let server: Server;
let credentials: Credentials;
const metrics = createMetrics();

afterEach(async () => {
  await credentials[Symbol.asyncDispose]();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function against(listener: RequestListener): Promise<Transport> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  credentials = plainCredentials(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return createTransport(credentials, { logger: silent, metrics });
}

describe('transport', () => {
  it('says what the API server said, with reason and time to wait', async () => {
    const status = { kind: 'Status', code: 429, reason: 'TooManyRequests', message: 'slow down' };
    const transport = await against((_request, response) => {
      response.writeHead(429, { 'retry-after': '3' }).end(JSON.stringify(status));
    });
    await expect(transport.call({ method: 'GET', path: '/x' })).rejects.toMatchObject({
      name: 'KubeError',
      status: 429,
      reason: 'TooManyRequests',
      retryAfterMs: 3000,
      retry: 'backoff',
      message: 'GET /x: 429 slow down',
    });
    expect(await metrics.expose()).toContain('metallb_k8s_client_requests_total{method="GET",code="429"} 1');
  });

  it('survives an answer that is not from the API server', async () => {
    const transport = await against((_request, response) => response.writeHead(502).end('<html>bad gateway'));
    await expect(transport.call({ method: 'GET', path: '/x' })).rejects.toMatchObject({
      status: 502,
      reason: '',
      message: 'GET /x: 502 <html>bad gateway',
    });
  });

  it('gives up at the deadline and says so, before and after the headers', async () => {
    const transport = await against((request, response) => {
      if (request.url === '/late-body') response.writeHead(200).write('{');
    });
    for (const path of ['/never', '/late-body']) {
      await expect(transport.call({ method: 'GET', path, deadlineMs: 50 })).rejects.toMatchObject({
        status: 0,
        message: `GET ${path}: no answer from the API server: no answer within 50 ms`,
      });
    }
  });

  it('puts query, content type and body into the request', async () => {
    let seen: unknown;
    const transport = await against((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen = { url: request.url, type: request.headers['content-type'], body };
        response.end('{"ok":true}');
      });
    });
    const call = {
      method: 'PATCH',
      path: '/p',
      query: { a: 'x y', b: undefined },
      body: { n: 2n ** 63n },
    } as const;
    const answer = await transport.call({ ...call, contentType: 'application/merge-patch+json' });
    expect(answer).toEqual({ ok: true });
    expect(seen).toEqual({
      url: '/p?a=x+y',
      type: 'application/merge-patch+json',
      body: '{"n":9223372036854775808}',
    });
  });

  it('ends the request of a watch that nobody reads any more', async () => {
    let closed = false;
    const transport = await against((request, response) => {
      response.write('{}\n');
      request.on('close', () => (closed = true));
    });
    for await (const lines of transport.watch('/w', {}, new AbortController().signal)) {
      expect(lines).toEqual(['{}']);
      break;
    }
    await expect.poll(() => closed).toBe(true);
  });
});

describe('parseRetryAfter (RFC 9110 §10.2.3)', () => {
  it.each([
    ['2', 2000],
    ['0.5', 500],
    [['7', '8'], 7000],
    ['Thu, 01 Jan 1970 00:00:10 GMT', 10_000],
    ['soon', undefined],
    [undefined, undefined],
  ])('reads %j as %s ms', (header, expected) => {
    expect(parseRetryAfter(header, 0)).toBe(expected);
  });

  it('never waits for the past', () => {
    expect(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 60_000)).toBe(0);
  });
});

describe('splitLines', () => {
  it('gives whole lines wherever the chunks were cut, also within a character', async () => {
    const line = fc
      .string({ unit: 'grapheme', maxLength: 20 })
      .filter((text) => text !== '' && !text.includes('\n'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 10 }),
        fc.array(fc.nat({ max: 300 })),
        async (lines, cuts) => {
          const bytes = Buffer.from(lines.map((text) => `${text}\n`).join('') + 'cut off in the mid');
          const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort(
            (a, b) => a - b,
          );
          const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
          const seen: string[] = [];
          for await (const batch of splitLines(fromArray(chunks))) seen.push(...batch);
          expect(seen).toEqual(lines);
        },
      ),
    );
  });
});

async function* fromArray(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Promise.resolve(chunk);
}
