/** HTTP to the API server: one shared pool of connections, deadlines, typed errors, watch lines. */
import type { Dispatcher } from 'undici';
import { messageOf } from '#core/errors.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { requestMetrics, type RequestMetrics } from '#runtime/metrics/names.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import type { Credentials } from './credentials.ts';
import { Deadline } from './deadline.ts';
import { parseJson, stringifyJson } from './json.ts';
import { splitLines } from './lines.ts';
import { KubeError } from './types.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Query = Readonly<Record<string, string | undefined>>;

export interface Call {
  readonly method: Method;
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  /** `application/json` by default. */
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** 30 s by default. */
  readonly deadlineMs?: number;
}

export interface Transport {
  /** The parsed answer. Throws KubeError; `status` 0 when there was no answer in time. */
  call(call: Call): Promise<unknown>;
  /**
   * Opens a watch and yields its lines as they come, without any limit of time: the caller ends it by the signal.
   * Throws KubeError when the server refuses it or the connection breaks; ends when the server closes it.
   */
  watch(path: string, query: Query, signal: AbortSignal): AsyncGenerator<string[]>;
  /** Milliseconds since the API server last answered or sent anything; for readiness. */
  readonly silentMs: number;
}

export interface TransportOptions {
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** For the server's logs, and the field manager of writes that name none; `metallb` unless told. */
  readonly userAgent?: string;
}

const defaultDeadlineMs = 30_000;
/** How long a watch may take until its headers are there. */
const watchHeadersMs = 30_000;

export function createTransport(credentials: Credentials, options: TransportOptions): Transport {
  return new HttpTransport(credentials, options);
}

class HttpTransport implements Transport {
  readonly #credentials: Credentials;
  readonly #logger: Logger;
  readonly #metrics: RequestMetrics | undefined;
  readonly #userAgent: string;
  #lastContact = performance.now();

  constructor(credentials: Credentials, options: TransportOptions) {
    this.#credentials = credentials;
    this.#logger = options.logger;
    this.#metrics = options.metrics && requestMetrics(options.metrics);
    this.#userAgent = options.userAgent ?? 'metallb';
  }

  get silentMs(): number {
    return performance.now() - this.#lastContact;
  }

  async call(call: Call): Promise<unknown> {
    const deadlineMs = call.deadlineMs ?? defaultDeadlineMs;
    using deadline = new Deadline(deadlineMs, call.signal);
    try {
      const response = await this.#send(call, deadline.signal, deadlineMs);
      const text = await response.body.text();
      this.#lastContact = performance.now();
      if (response.statusCode >= 300) throw toKubeError(call, response, text);
      return text === '' ? undefined : parseJson(text);
    } catch (error) {
      throw deadline.expired
        ? noAnswer(call, new Error(`no answer within ${deadlineMs} ms`))
        : noAnswer(call, error);
    }
  }

  async *watch(path: string, query: Query, signal: AbortSignal): AsyncGenerator<string[]> {
    const call: Call = { method: 'GET', path, query };
    try {
      const response = await this.#send(call, signal, watchHeadersMs);
      if (response.statusCode >= 300) throw toKubeError(call, response, await response.body.text());
      this.#lastContact = performance.now();
      for await (const lines of splitLines(response.body)) {
        this.#lastContact = performance.now();
        yield lines;
      }
    } catch (error) {
      throw noAnswer(call, error);
    }
  }

  async #send(call: Call, signal: AbortSignal, headersMs: number): Promise<Dispatcher.ResponseData> {
    const { method } = call;
    const started = performance.now();
    let code = '0';
    try {
      const { dispatcher, server, headers } = await this.#credentials.current();
      const response = await dispatcher.request({
        origin: server.origin,
        path: server.pathname.replace(/\/$/, '') + call.path + toQueryString(call.query),
        method,
        headers: {
          accept: 'application/json',
          'user-agent': this.#userAgent,
          ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
          ...headers,
        },
        body: call.body === undefined ? null : stringifyJson(call.body),
        signal,
        headersTimeout: headersMs,
        // A watch is silent as long as nothing happens; its reader has the idle limit.
        bodyTimeout: 0,
      });
      code = String(response.statusCode);
      return response;
    } finally {
      const seconds = (performance.now() - started) / 1000;
      this.#metrics?.requests.inc({ method, code });
      this.#metrics?.duration.observe({ method }, seconds);
      this.#logger.debug('called the API server', { method, path: call.path, code, seconds });
    }
  }
}

function toQueryString(query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, value);
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

/** What a broken connection, an abort or a deadline becomes. */
function noAnswer(call: Call, error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  const why = messageOf(error);
  return new KubeError(`${call.method} ${call.path}: no answer from the API server: ${why}`, {
    status: 0,
    reason: 'NoAnswer',
    cause: error,
  });
}

function toKubeError(call: Call, response: Dispatcher.ResponseData, text: string): KubeError {
  const status = toStatus(text);
  return new KubeError(
    `${call.method} ${call.path}: ${response.statusCode} ${status.message ?? text.slice(0, 500)}`,
    {
      status: response.statusCode,
      reason: status.reason ?? '',
      retryAfterMs:
        parseRetryAfter(response.headers['retry-after'], Date.now()) ??
        (status.details?.retryAfterSeconds === undefined
          ? undefined
          : status.details.retryAfterSeconds * 1000),
    },
  );
}

/** The fields of metav1.Status that we read. */
export interface KubeStatus {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: number };
}

function toStatus(text: string): KubeStatus {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    // A proxy's page, not the API's Status.
    return {};
  }
}

/** RFC 9110 §10.2.3: seconds or a date. Milliseconds from `now` (Unix, ms), or undefined when unreadable. */
export function parseRetryAfter(header: string | string[] | undefined, now: number): number | undefined {
  const value = Array.isArray(header) ? header[0] : header;
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
