/**
 * Who we are and how to reach the API server: client-node's KubeConfig (kubeconfig file, in-cluster account, exec
 * and OIDC plugins), wrapped so that everything shares one pool of connections. The only value import of
 * client-node in runtime/.
 */
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { dirname, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { parse } from 'yaml';
import { SettingsError } from '#core/errors.ts';

/** What one request needs; the dispatcher is the shared pool. */
export interface Connection {
  readonly server: URL;
  readonly dispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Credentials extends AsyncDisposable {
  /** The namespace of the service account or of the kubeconfig's context. */
  readonly namespace: string | undefined;
  current(): Promise<Connection>;
}

/** Tokens, CA and client certificate are read again this often; a changed CA or certificate makes a new pool. */
const defaultRefreshMs = 30_000;
const agentOptions = { allowH2: false, keepAliveTimeout: 30_000, connectTimeout: 10_000 };
const keepAlive = { keepAlive: true, keepAliveInitialDelay: 30_000 };

/**
 * From the file, if one is named; else from the pod's service account; else as kubectl does (KUBECONFIG, the home
 * folder). Throws SettingsError when nothing usable is found.
 */
export function loadCredentials(
  options: { kubeconfig?: string | undefined; refreshMs?: number } = {},
): Credentials {
  const config = new KubeConfig();
  try {
    if (options.kubeconfig !== undefined && options.kubeconfig !== '') loadFile(config, options.kubeconfig);
    else if (process.env['KUBERNETES_SERVICE_HOST'] !== undefined) config.loadFromCluster();
    else config.loadFromDefault();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SettingsError([`kubeconfig ${options.kubeconfig ?? '(default)'} cannot be read: ${why}`]);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new SettingsError([
      'no API server: give --kubeconfig, or run in a pod with a service account (current context names no cluster)',
    ]);
  }
  return new KubeConfigCredentials(config, new URL(cluster.server), options.refreshMs ?? defaultRefreshMs);
}

/** client-node does not know `user.tokenFile`: it becomes the auth provider that reads it. */
function loadFile(config: KubeConfig, path: string): void {
  config.loadFromFile(path);
  const { users } = parse(readFileSync(path, 'utf8')) as {
    users?: readonly { name: string; user?: { tokenFile?: string } }[];
  };
  for (const { name, user } of users ?? []) {
    if (user?.tokenFile === undefined) continue;
    const tokenFile = resolve(dirname(path), user.tokenFile);
    const authProvider = { name: 'tokenFile', config: { tokenFile } };
    config.users = config.users.map((known) => (known.name === name ? { ...known, authProvider } : known));
  }
}

class KubeConfigCredentials implements Credentials {
  readonly namespace: string | undefined;
  readonly #config: KubeConfig;
  readonly #server: URL;
  readonly #refreshMs: number;
  #connection: Promise<Connection> | undefined;
  #readAt = 0;
  #fingerprint = '';
  #dispatcher: Dispatcher | undefined;

  constructor(config: KubeConfig, server: URL, refreshMs: number) {
    this.#config = config;
    this.#server = server;
    this.#refreshMs = refreshMs;
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace?.trim();
  }

  current(): Promise<Connection> {
    const now = performance.now();
    if (this.#connection === undefined || now - this.#readAt > this.#refreshMs) {
      this.#readAt = now;
      this.#connection = this.#read().catch((error: unknown) => {
        this.#connection = undefined;
        throw error;
      });
    }
    return this.#connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  async #read(): Promise<Connection> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
    const tls = definedOf({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername });
    const fingerprint = JSON.stringify(tls);
    if (this.#dispatcher === undefined || fingerprint !== this.#fingerprint) {
      // Requests under way end on the old pool; `close` waits for them and then frees its sockets.
      void this.#dispatcher?.close();
      this.#dispatcher = this.#connect(tls);
      this.#fingerprint = fingerprint;
    }
    return { server: this.#server, dispatcher: this.#dispatcher, headers: this.#headers(options) };
  }

  #connect(tls: Record<string, unknown>): Dispatcher {
    const proxy = this.#config.getCurrentCluster()?.proxyUrl;
    return proxy === undefined
      ? new Agent({ ...agentOptions, connect: { ...tls, ...keepAlive } })
      : new ProxyAgent({ ...agentOptions, uri: proxy, requestTls: { ...tls, ...keepAlive } });
  }

  #headers(options: RequestOptions): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
    }
    const user = this.#config.getCurrentUser();
    if (user?.username !== undefined && headers['authorization'] === undefined) {
      const basic = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64');
      headers['authorization'] = `Basic ${basic}`;
    }
    return headers;
  }
}

function definedOf(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** A plain HTTP server without authentication: fakes and tests. */
export function plainCredentials(url: string, namespace?: string): Credentials {
  const dispatcher = new Agent(agentOptions);
  const connection = { server: new URL(url), dispatcher, headers: {} };
  return {
    namespace,
    current: () => Promise.resolve(connection),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}
