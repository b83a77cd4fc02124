/**
 * A fake API server in memory: lists with pages, streamed lists, watches with bookmarks, 410 after compaction,
 * optimistic locking, status sub-resources, merge patch, server-side apply, token and access reviews, and faults by
 * script. Resources need no registration; give `kinds` to make others 404.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseJson, stringifyJson } from '#runtime/kube/json.ts';
import { keyOf } from '#runtime/kube/paths.ts';
import type { KubeObject, ResourceType } from '#runtime/kube/types.ts';
import { parseRoute, type Route } from './routes.ts';
import { selectorOf } from './selectors.ts';
import { Refusal, Storage } from './storage.ts';
import { Watches, type Breakage } from './watches.ts';
import { Writes } from './writes.ts';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly watch: boolean;
}

/** What to do instead of answering. `reset` cuts the connection, `hang` never answers. */
export type Fault =
  | { readonly kind: 'status'; readonly code: number; readonly reason?: string; readonly retryAfter?: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** A watch that is cut after so many lines; with 0 it ends at once in good order. */
  | { readonly kind: 'cut'; readonly lines: number };

export interface FakeOptions {
  /** Answer 422 to `sendInitialEvents`, as servers without the feature do. */
  readonly streamingLists?: boolean;
  readonly kinds?: readonly ResourceType[];
}

export class FakeApiServer {
  readonly storage = new Storage();
  readonly watches = new Watches(this.storage);
  /** Every request, in order. */
  readonly seen: Seen[] = [];
  /** For TokenReview: who has which token. */
  readonly tokens = new Map<string, { username: string; groups?: string[] }>();
  /** For SubjectAccessReview. */
  allow: (username: string, verb: string, path: string) => boolean = () => false;
  /** Admission of what is created or replaced: why it is denied, or undefined. */
  deny: (object: KubeObject) => string | undefined = () => undefined;
  readonly #options: FakeOptions;
  readonly #writes = new Writes(this.storage);
  readonly #faults: { matches: (seen: Seen) => boolean; fault: Fault; left: number }[] = [];
  #server: Server | undefined;
  #port = 0;

  private constructor(options: FakeOptions) {
    this.#options = options;
  }

  static async start(options: FakeOptions = {}): Promise<FakeApiServer> {
    const fake = new FakeApiServer(options);
    await fake.listen();
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Opens the port: the same one again after `close`. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => void this.#handle(request, response));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Cuts everything and closes the port; the objects stay. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The next `times` matching requests (all, by default) meet the fault. */
  fail(fault: Fault, matches: (seen: Seen) => boolean = () => true, times = 1): void {
    this.#faults.push({ matches, fault, left: times });
  }

  /** Ends the open watches. `silence` keeps them open and sends nothing more. */
  breakWatches(how: Breakage): void {
    this.watches.break(how);
  }

  /** Forgets history: a watch from an older version is answered 410. */
  compact(): void {
    this.storage.compactedBelow = this.storage.resourceVersion;
  }

  /** Creates the object, or replaces it keeping its identity. */
  put(type: ResourceType, object: KubeObject): KubeObject {
    const resource = resourceOf(type);
    const key = keyOf(object.metadata);
    const whole = { apiVersion: apiVersionOf(type), kind: type.kind, ...object };
    return this.storage.find(resource, key) === undefined
      ? this.storage.create(resource, whole)
      : this.storage.update(resource, key, whole);
  }

  remove(type: ResourceType, key: string): void {
    this.storage.remove(resourceOf(type), key);
  }

  objects(type: ResourceType): KubeObject[] {
    return this.storage.all(resourceOf(type));
  }

  find(type: ResourceType, key: string): KubeObject | undefined {
    return this.storage.find(resourceOf(type), key);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const seen = { method, url, watch: /[?&]watch=true/.test(url) };
    this.seen.push(seen);
    try {
      const text = await bodyOf(request);
      const fault = this.#plannedFault(seen);
      if (fault !== undefined && (await this.#meets(fault, response))) return;
      const body = text === '' ? undefined : parseJson(text);
      if (seen.watch && fault?.kind === 'cut') this.watches.cutNext = fault.lines;
      const answer = this.#answer(seen, request, body, response);
      if (answer !== undefined) send(response, method === 'POST' ? 201 : 200, answer);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
      sendStatus(response, refusal.code, refusal.reason, refusal.message);
    }
  }

  #plannedFault(seen: Seen): Fault | undefined {
    const planned = this.#faults.find(({ matches, left }) => left > 0 && matches(seen));
    if (planned === undefined) return undefined;
    planned.left -= 1;
    return planned.fault;
  }

  /** True when the fault has taken the answer's place. */
  async #meets(fault: Fault, response: ServerResponse): Promise<boolean> {
    switch (fault.kind) {
      case 'delay':
        await new Promise((resolve) => setTimeout(resolve, fault.ms));
        return false;
      case 'cut':
        return false;
      case 'hang':
        return true;
      case 'reset':
        response.socket?.resetAndDestroy();
        return true;
      case 'status':
        if (fault.retryAfter !== undefined) response.setHeader('retry-after', String(fault.retryAfter));
        sendStatus(response, fault.code, fault.reason ?? '', 'by script');
        return true;
    }
  }

  /** The body of the answer; undefined when it was sent already (a watch). */
  #answer(seen: Seen, request: IncomingMessage, body: unknown, response: ServerResponse): unknown {
    if (seen.url.startsWith('/version')) return { major: '1', minor: '36', gitVersion: 'v1.36.0-fake' };
    const review = this.#review(seen.url, body);
    if (review !== undefined) return review;
    const route = parseRoute(seen.url);
    if (route === undefined || !this.#serves(route)) throw new Refusal(404, 'NotFound', 'no such resource');
    if (seen.watch) return this.#watch(route, response);
    if (seen.method !== 'GET') {
      const contentType = request.headers['content-type'] ?? '';
      const isWhole = seen.method === 'POST' || seen.method === 'PUT';
      const denial = isWhole ? this.deny(body as KubeObject) : undefined;
      if (denial !== undefined)
        throw new Refusal(403, 'Forbidden', `admission webhook "fake" denied the request: ${denial}`);
      if (route.query.get('dryRun') === 'All') return body;
      return this.#writes.perform({ method: seen.method, route, body, contentType });
    }
    return route.name === undefined ? this.#list(route) : this.storage.get(route.resource, keyIn(route));
  }

  #serves(route: Route): boolean {
    const { kinds } = this.#options;
    return kinds === undefined || kinds.some((type) => resourceOf(type) === route.resource);
  }

  #watch(route: Route, response: ServerResponse): undefined {
    if (route.query.has('sendInitialEvents') && this.#options.streamingLists === false) {
      throw new Refusal(422, 'Invalid', 'sendInitialEvents: Forbidden: the feature is disabled');
    }
    this.watches.open(route, response);
  }

  #list(route: Route): unknown {
    const matches = selectorOf(route.query);
    const all = this.storage
      .all(route.resource)
      .filter(({ metadata }) => route.namespace === undefined || metadata.namespace === route.namespace)
      .filter(matches);
    const start = Number(route.query.get('continue') ?? 0);
    const limit = Number(route.query.get('limit') ?? 0) || all.length;
    const end = start + limit;
    return {
      kind: 'List',
      apiVersion: 'v1',
      metadata: {
        resourceVersion: String(this.storage.resourceVersion),
        ...(end < all.length ? { continue: String(end) } : {}),
      },
      // A real server sends list items without kind and apiVersion.
      items: all.slice(start, end).map((object) => ({ ...object, kind: undefined, apiVersion: undefined })),
    };
  }

  #review(url: string, body: unknown): unknown {
    const { spec } = (body ?? {}) as { spec?: Record<string, unknown> };
    if (url.endsWith('/tokenreviews')) {
      const user = this.tokens.get(String(spec?.['token']));
      return { status: user === undefined ? {} : { authenticated: true, user } };
    }
    if (url.endsWith('/subjectaccessreviews')) {
      const { verb = '', path = '' } = (spec?.['nonResourceAttributes'] ?? {}) as Record<string, string>;
      return { status: { allowed: this.allow(String(spec?.['user']), verb, path) } };
    }
    return undefined;
  }
}

function keyIn(route: Route): string {
  return keyOf({ namespace: route.namespace, name: route.name ?? '' });
}

function resourceOf(type: ResourceType): string {
  return `${type.group}/${type.version}/${type.plural}`;
}

function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(stringifyJson(body));
}

function sendStatus(response: ServerResponse, code: number, reason: string, message: string): void {
  send(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
}
