/** The small servers of each program: health (plain HTTP) and metrics (HTTPS with authorization). */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { AppError } from '#core/errors.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import type { Authorize } from './authorizer.ts';
import { CertificateSource, reloadCertificate, secureOptions, tlsDefaults, type TlsSettings } from './tls.ts';

export interface RunningServer extends AsyncDisposable {
  /** The real one, also when 0 was asked for. */
  readonly port: number;
}

/** What is wrong, or undefined when all is well. */
export type Check = () => string | undefined;

export interface HealthOptions {
  readonly port: number;
  /** All interfaces by default; the speaker binds loopback. */
  readonly host?: string;
  readonly live?: Check;
  readonly ready?: Check;
}

/** `/healthz` and `/readyz`: 200 `ok`, or 503 and what is wrong. Throws AppError when the port is taken. */
export async function startHealthServer(options: HealthOptions): Promise<RunningServer> {
  const checks: Readonly<Record<string, Check | undefined>> = {
    '/healthz': options.live ?? (() => undefined),
    '/readyz': options.ready ?? (() => undefined),
  };
  const server = createServer((request, response) => {
    const check = checks[pathOf(request)];
    if (check === undefined) return answer(response, 404, 'not found\n');
    const problem = check();
    return problem === undefined ? answer(response, 200, 'ok') : answer(response, 503, `${problem}\n`);
  });
  return listen(server, { port: options.port, host: options.host, what: '--health-probe-port' });
}

export interface MetricsOptions {
  readonly port: number;
  readonly host?: string;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Plain HTTP, open to everyone who reaches it, when absent: tests and labs only. */
  readonly secure?: {
    readonly authorize: Authorize;
    /** Folder with `tls.crt` and `tls.key`; empty: self-signed. */
    readonly certDir: string;
    readonly tls?: TlsSettings;
    /** How often to look for new files; 10 s by default. */
    readonly reloadMs?: number;
  };
}

/** `/metrics` in Prometheus text format. Throws SettingsError (TLS settings) or AppError (port taken). */
export async function startMetricsServer(options: MetricsOptions): Promise<RunningServer> {
  const { port, host, logger, secure } = options;
  const listener: RequestListener = (request, response) => {
    serveMetrics(options, request, response).catch((error: unknown) => {
      logger.error('metrics cannot be served', { error });
      answer(response, 500, 'internal error\n');
    });
  };
  if (secure === undefined) return listen(createServer(listener), { port, host, what: '--port' });
  const secureSettings = secureOptions(secure.tls ?? tlsDefaults);
  const source = new CertificateSource({ directory: secure.certDir, hosts: ['localhost'], logger });
  const server = createSecureServer({ ...secureSettings, ...(await source.changed()) }, listener);
  const stopReload = reloadCertificate(server, source, { secure: secureSettings, everyMs: secure.reloadMs });
  const running = await listen(server, { port, host, what: '--port' });
  return {
    port: running.port,
    [Symbol.asyncDispose]: () => {
      stopReload();
      return running[Symbol.asyncDispose]();
    },
  };
}

async function serveMetrics(
  options: MetricsOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = pathOf(request);
  const { method = 'GET' } = request;
  if (path !== '/metrics') return answer(response, 404, 'not found\n');
  if (options.secure !== undefined) {
    const { authorization } = request.headers;
    const verdict = await options.secure.authorize({ authorization, method, path });
    if (verdict !== 200) return answer(response, verdict, `${refusals[verdict]}\n`);
  }
  if (method !== 'GET' && method !== 'HEAD') return answer(response, 405, 'method not allowed\n');
  return answer(response, 200, await options.metrics.expose(), 'text/plain; version=0.0.4; charset=utf-8');
}

const refusals = {
  401: 'a valid bearer token is needed',
  403: 'not allowed to get /metrics',
  500: 'the API server could not be asked for permission',
} as const;

function answer(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  });
  response.end(body);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}

/** Listens and returns a handle whose disposal ends open connections too. */
export async function listen(
  server: Server,
  options: { port: number; host?: string | undefined; what: string },
): Promise<RunningServer> {
  const { port, host, what } = options;
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new AppError('SOCKET', `${what} ${host ?? '*'}:${port} cannot be opened: ${cause.message}`, {
          retry: 'never',
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  server.removeAllListeners('error');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
