/** Requests to the lab's API server from outside its namespaces, as the administrator, through a Unix socket. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { Pki } from '#lab/control/pki.ts';
import { LabError } from '#lab/errors.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

const MERGE_PATCH = 'application/merge-patch+json';

export class LabApi {
  readonly #socket: string;
  readonly #pki: Pki;

  constructor(socket: string, pki: Pki) {
    this.#socket = socket;
    this.#pki = pki;
  }

  /** One request; any status is an answer. Rejects when no connection comes about or after 10 s. */
  send(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<ApiAnswer> {
    const read = (file: string) => readFileSync(this.#pki.path(file));
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          socketPath: this.#socket,
          servername: 'localhost',
          method,
          path,
          agent: false,
          ca: read('ca.crt'),
          cert: read('admin.crt'),
          key: read('admin.key'),
          headers: { accept: 'application/json', 'content-type': contentType },
          timeout: 1e4,
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', reject);
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
          );
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer to ${method} ${path} within 10 s`)));
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    return this.#expect<T>('GET', path);
  }

  async create<T = Record<string, unknown>>(path: string, body: unknown): Promise<T> {
    return this.#expect<T>('POST', path, body);
  }

  /** JSON merge patch (RFC 7396). */
  async patch<T = Record<string, unknown>>(path: string, body: unknown): Promise<T> {
    return this.#expect<T>('PATCH', path, body, MERGE_PATCH);
  }

  async delete(path: string): Promise<void> {
    await this.#expect('DELETE', path);
  }

  async #expect<T>(...args: Parameters<LabApi['send']>): Promise<T> {
    const [method, path] = args;
    const { status, text } = await this.send(...args);
    if (status >= 200 && status < 300) return JSON.parse(text) as T;
    throw new LabError(`${method} ${path}: the API server answers ${status}: ${text.slice(0, 400)}`);
  }
}
