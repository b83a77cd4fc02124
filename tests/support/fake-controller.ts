/** The controller's loops against a fake API server, with what they said, decided and sent. */
import { expect } from 'vitest';
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { metallbResources } from '#core/api/resources.ts';
import { Controller } from '#controller/controller.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import type { EventText } from '#runtime/kube/events.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { KubeObject } from '#runtime/kube/types.ts';
import { silent, type LogFields, type Logger } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { ipsOf, NAMESPACE } from './controller-lab.ts';
import { eventually } from './eventually.ts';
import { FakeApiServer, type Seen } from './fake-apiserver/server.ts';

export interface FakeService {
  readonly spec?: object;
  readonly ips?: readonly string[];
  readonly pool?: string;
}

export class FakeController implements AsyncDisposable {
  readonly fake: FakeApiServer;
  readonly metrics = createMetrics();
  readonly events: (EventText & { name: string })[] = [];
  /** Keys of Services in the order in which they were decided on. */
  readonly looks: string[] = [];
  /** What it warned of, oldest first. */
  readonly warnings: string[] = [];
  readonly controller: Controller;
  readonly #abort = new AbortController();

  private constructor(fake: FakeApiServer) {
    this.fake = fake;
    const transport = createTransport(plainCredentials(fake.url), { logger: silent });
    const note = (message: string, fields?: LogFields): void => {
      if (message === 'decided' || message === 'no address for a Service')
        this.looks.push(String(fields?.['key']));
    };
    const warn = (message: string, fields?: LogFields): void => {
      this.warnings.push(message);
      note(message, fields);
    };
    const logger: Logger = { ...silent, debug: note, warn, child: () => logger };
    this.controller = new Controller({
      transport,
      client: createKubeClient(transport),
      events: {
        record: ({ name }, event) => this.events.push({ ...event, name }),
        drain: () => Promise.resolve(),
      },
      metrics: this.metrics,
      logger,
      signal: this.#abort.signal,
      namespace: NAMESPACE,
      lbClass: '',
      secretPassthrough: false,
      owner: () => Promise.resolve(undefined),
    });
  }

  /** A controller that watches and does not act yet. */
  static async create(): Promise<FakeController> {
    return new FakeController(await FakeApiServer.start());
  }

  /** Lets it act, and waits for its first pass. */
  async start(): Promise<void> {
    await this.controller.synced();
    this.controller.activate([]);
    await eventually(() => expect(this.controller.notReady()).toBeUndefined());
  }

  pool(name: string, ...addresses: readonly string[]): void {
    const metadata = { name, namespace: NAMESPACE };
    this.fake.put(metallbResources.IPAddressPool, { metadata, spec: { addresses } });
  }

  service(name: string, change: FakeService = {}): void {
    const theirs = { 'example.com/theirs': 'x' };
    const annotations = { ...theirs, ...(change.pool && { [ALLOCATED_FROM_POOL]: change.pool }) };
    this.fake.put(kinds.Service, {
      metadata: { name, namespace: 'default', annotations },
      spec: { type: 'LoadBalancer', clusterIPs: ['10.96.0.9'], ports: [{ port: 80 }], ...change.spec },
      status: {
        conditions: [{ type: 'Foreign' }],
        loadBalancer: change.ips ? { ingress: change.ips.map((ip) => ({ ip, ipMode: 'VIP' })) } : {},
      },
    });
  }

  deleteService(name: string): void {
    this.fake.remove(kinds.Service, `default/${name}`);
  }

  found(name: string): KubeObject {
    const object = this.fake.find(kinds.Service, `default/${name}`);
    if (object === undefined) throw new Error(`no Service ${name}`);
    return object;
  }

  ips(name: string): string[] {
    return ipsOf(this.found(name));
  }

  expectIps(name: string, expected: readonly string[]): Promise<void> {
    return eventually(() => expect(this.ips(name)).toEqual(expected));
  }

  /** Methods of the requests that match, watches left out. */
  requests(matches: (seen: Seen) => boolean): string[] {
    return this.fake.seen.filter((seen) => !seen.watch && matches(seen)).map(({ method }) => method);
  }

  /** How often each Service was decided on since `from`. */
  looksSince(from: number): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const key of this.looks.slice(from)) counts[key] = (counts[key] ?? 0) + 1;
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.controller.drain(1000);
    await this.fake.close();
  }
}

export const ofServices = ({ url }: Seen): boolean => url.includes('/services/');
