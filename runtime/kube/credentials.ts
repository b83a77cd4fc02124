/**
 * Who we are and how to reach the API server, from a pod's service account or a kubeconfig file, wrapped so that
 * everything shares one pool of connections.
 */
import type { Dispatcher } from 'undici';
import type { Identity } from './identity.ts';
import { serviceAccount, serviceAccountFolder } from './service-account.ts';
import { Agent, ProxyAgent } from './undici.ts';

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
export async function loadCredentials(
  options: { kubeconfig?: string | undefined; refreshMs?: number; serviceAccount?: string } = {},
): Promise<Credentials> {
  const { kubeconfig, refreshMs = defaultRefreshMs } = options;
  return new SharedPool(await identityOf(kubeconfig, options.serviceAccount), refreshMs);
}

async function identityOf(file = '', folder = serviceAccountFolder): Promise<Identity> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  if (file === '' && host !== undefined) return serviceAccount(folder, host, port);
  const { kubeconfig } = await import('./kubeconfig.ts');
  return kubeconfig(file === '' ? undefined : file);
}

class SharedPool implements Credentials {
  readonly namespace: string | undefined;
  readonly #identity: Identity;
  readonly #refreshMs: number;
  #connection: Promise<Connection> | undefined;
  #readAt = 0;
  #fingerprint = '';
  #dispatcher: Dispatcher | undefined;

  constructor(identity: Identity, refreshMs: number) {
    this.#identity = identity;
    this.#refreshMs = refreshMs;
    this.namespace = identity.namespace;
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
    const { tls, headers } = await this.#identity.read();
    const fingerprint = JSON.stringify(tls);
    if (this.#dispatcher === undefined || fingerprint !== this.#fingerprint) {
      // Requests under way end on the old pool; `close` waits for them and then frees its sockets.
      void this.#dispatcher?.close();
      this.#dispatcher = this.#connect(tls);
      this.#fingerprint = fingerprint;
    }
    return { server: this.#identity.server, dispatcher: this.#dispatcher, headers };
  }

  #connect(tls: Readonly<Record<string, unknown>>): Dispatcher {
    const { proxy } = this.#identity;
    return proxy === undefined
      ? new Agent({ ...agentOptions, connect: { ...tls, ...keepAlive } })
      : new ProxyAgent({ ...agentOptions, uri: proxy, requestTls: { ...tls, ...keepAlive } });
  }
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
