/** Open watches of a fake API server. */
import type { ServerResponse } from 'node:http';
import type { KubeObject } from '#runtime/kube/types.ts';
import type { Route } from './routes.ts';
import { selectorOf } from './selectors.ts';
import type { LogEntry, Storage } from './storage.ts';

export type Breakage = 'close' | 'reset' | 'silence';

export class Watches {
  /** The next watch is cut after so many lines. */
  cutNext: number | undefined;
  readonly #storage: Storage;
  readonly #open = new Set<Watch>();

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.onChange = (entry) => {
      for (const watch of this.#open) watch.take(entry);
    };
  }

  get count(): number {
    return this.#open.size;
  }

  open(route: Route, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
    response.flushHeaders();
    const from = Number(route.query.get('resourceVersion') ?? 0);
    if (from > 0 && from < this.#storage.compactedBelow) {
      const status = { kind: 'Status', status: 'Failure', code: 410, reason: 'Expired' };
      const message = `too old resource version: ${from} (${this.#storage.compactedBelow})`;
      return void response.end(`${JSON.stringify({ type: 'ERROR', object: { ...status, message } })}\n`);
    }
    const watch = new Watch(route, response, this.#storage, this.cutNext);
    this.cutNext = undefined;
    this.#open.add(watch);
    response.on('close', () => this.#open.delete(watch));
    const initial = route.query.get('sendInitialEvents') === 'true' || from === 0;
    if (initial) watch.sendAll();
    else for (const entry of this.#storage.log) if (entry.resourceVersion > from) watch.take(entry);
    if (route.query.get('sendInitialEvents') === 'true') watch.bookmark(true);
  }

  bookmark(): void {
    for (const watch of this.#open) watch.bookmark(false);
  }

  break(how: Breakage): void {
    for (const watch of this.#open) watch.break(how);
    if (how !== 'silence') this.#open.clear();
  }
}

class Watch {
  readonly #route: Route;
  readonly #response: ServerResponse;
  readonly #storage: Storage;
  readonly #matches: (object: KubeObject) => boolean;
  #silent = false;
  /** Entries up to here were part of the start. */
  #sent = 0;
  #linesLeft: number;

  constructor(route: Route, response: ServerResponse, storage: Storage, linesLeft = Infinity) {
    this.#route = route;
    this.#response = response;
    this.#storage = storage;
    this.#matches = selectorOf(route.query);
    this.#linesLeft = linesLeft;
    if (linesLeft === 0) response.end();
  }

  sendAll(): void {
    for (const object of this.#storage.all(this.#route.resource)) {
      if (this.#covers(object) && this.#matches(object)) this.#send('ADDED', object);
    }
    this.#sent = this.#storage.resourceVersion;
  }

  take(entry: LogEntry): void {
    if (entry.resource !== this.#route.resource || entry.resourceVersion <= this.#sent) return;
    this.#sent = entry.resourceVersion;
    if (!this.#covers(entry.object)) return;
    const before = entry.old !== undefined && this.#matches(entry.old);
    const after = entry.type !== 'DELETED' && this.#matches(entry.object);
    if (!before && !after) return;
    this.#send(after ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED', entry.object);
  }

  bookmark(initialEventsEnd: boolean): void {
    const annotations = initialEventsEnd ? { 'k8s.io/initial-events-end': 'true' } : {};
    const resourceVersion = String(this.#storage.resourceVersion);
    this.#send('BOOKMARK', { metadata: { name: '', resourceVersion, annotations } });
  }

  break(how: Breakage): void {
    if (how === 'silence') this.#silent = true;
    else if (how === 'close') this.#response.end();
    else this.#response.socket?.resetAndDestroy();
  }

  #covers(object: KubeObject): boolean {
    const { namespace, name } = this.#route;
    return (
      (namespace === undefined || object.metadata.namespace === namespace) &&
      (name === undefined || object.metadata.name === name)
    );
  }

  #send(type: string, object: unknown): void {
    if (this.#silent || this.#linesLeft <= 0) return;
    this.#linesLeft -= 1;
    const cut = () => void (this.#linesLeft === 0 && this.#response.socket?.resetAndDestroy());
    this.#response.write(`${JSON.stringify({ type, object })}\n`, cut);
  }
}
