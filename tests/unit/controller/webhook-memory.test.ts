/**
 * The webhook answers from what watches have shown only while that is all there is: what it let through itself, another
 * server beside it, and a watch that stands still each make it read.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import type { AdmissionAnswer, AdmissionRequest } from '#core/config/admission.ts';
import { Memory } from '#controller/webhooks/memory.ts';
import { decide } from '#controller/webhooks/server.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { silent } from '#runtime/log/logger.ts';
import { bfd, NAMESPACE, peer, pool, type TestObject } from '#tests/support/config-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeApiServer, type Seen } from '#tests/support/fake-apiserver/server.ts';

const SERVICE = 'metallb-webhook-service';

/** An API server that asks the webhook before it stores anything, as the real one does. */
class Asking implements AsyncDisposable {
  readonly fake: FakeApiServer;
  readonly memory: Memory;
  readonly #client;
  readonly #abort = new AbortController();
  ms = 0;

  private constructor(fake: FakeApiServer) {
    this.fake = fake;
    const transport = createTransport(plainCredentials(fake.url), { logger: silent });
    const context = { logger: silent, signal: this.#abort.signal, now: () => this.ms };
    this.memory = new Memory(transport, { namespace: NAMESPACE, service: SERVICE, ...context });
    this.#client = createKubeClient(transport);
  }

  static async start(): Promise<Asking> {
    const asking = new Asking(await FakeApiServer.start());
    await eventually(() => expect(asking.memory.objects('IPAddressPool')).toBeDefined());
    return asking;
  }

  ask(
    object: TestObject,
    how: { operation?: 'CREATE' | 'UPDATE'; dryRun?: boolean } = {},
  ): Promise<AdmissionAnswer> {
    const { operation = 'CREATE', dryRun = false } = how;
    const { kind, metadata } = object;
    const oldObject = this.fake.find(metallbResources[kind], `${NAMESPACE}/${metadata.name}`);
    const { name, namespace } = metadata;
    const asRaw = object as unknown as NonNullable<AdmissionRequest['object']>;
    const request: AdmissionRequest = { operation, kind, namespace, name, object: asRaw, oldObject };
    const options = { client: this.#client, namespace: NAMESPACE, memory: this.memory, logger: silent };
    return decide({ ...options, now: () => this.ms }, { request, dryRun });
  }

  store(object: TestObject): void {
    this.fake.put(metallbResources[object.kind], object as unknown as Parameters<FakeApiServer['put']>[1]);
  }

  /** Asks, and stores what is let through. */
  async write(object: TestObject, operation: 'CREATE' | 'UPDATE' = 'CREATE'): Promise<boolean> {
    const { allowed } = await this.ask(object, { operation });
    if (allowed) this.store(object);
    return allowed;
  }

  /** Plurals of the kinds that were listed. */
  get lists(): string[] {
    return this.fake.seen
      .filter(({ method, watch }) => method === 'GET' && !watch)
      .map(({ url }) => /\/([a-z]+)(?:\?|$)/.exec(url)?.[1] ?? url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.fake.close();
  }
}

let api: Asking;
beforeEach(async () => {
  api = await Asking.start();
});
afterEach(() => api[Symbol.asyncDispose]());

const seen = (kind: 'IPAddressPool' | 'BGPPeer', count: number): Promise<void> =>
  eventually(() => expect(api.memory.objects(kind)).toHaveLength(count));

describe('the memory of the webhook', () => {
  it('spares reading: nothing is listed while the watch has shown everything', async () => {
    expect(await api.write(pool('a', ['10.0.0.0/24']))).toBe(true);
    await seen('IPAddressPool', 1);
    expect(await api.write(pool('b', ['10.0.1.0/24']))).toBe(true);
    await seen('IPAddressPool', 2);
    expect(api.lists).toEqual([]);
  });

  it('152: of two pools that overlap, one right behind the other, the second is refused, however late the watch is', async () => {
    api.fake.breakWatches('silence');
    expect(await api.write(pool('a', ['10.0.0.0/24']))).toBe(true);
    expect(await api.write(pool('b', ['10.0.0.128/25']))).toBe(false);
    expect(await api.write(pool('c', ['10.0.1.0/24']))).toBe(true);
    expect(await api.write(pool('d', ['10.0.1.0/24']))).toBe(false);
    expect(api.lists).toEqual(['ipaddresspools', 'ipaddresspools', 'ipaddresspools']);
  });

  it('an update counts as well: of the old and of the new addresses', async () => {
    await api.write(pool('a', ['10.0.0.0/24']));
    await seen('IPAddressPool', 1);
    api.fake.breakWatches('silence');
    expect(await api.write(pool('a', ['10.0.1.0/24']), 'UPDATE')).toBe(true);
    expect(await api.write(pool('b', ['10.0.1.0/24']))).toBe(false);
    expect(await api.write(pool('b', ['10.0.0.0/24']))).toBe(true);
  });

  it('an update that is taken back counts until the watch has shown that', async () => {
    api.fake.breakWatches('silence');
    await api.write(pool('a', ['10.0.0.0/24']));
    await api.write(pool('a', ['10.0.1.0/24']), 'UPDATE');
    await api.write(pool('a', ['10.0.0.0/24']), 'UPDATE');
    // Only what came in between is shown, then nothing for a while; then the rest.
    const watches = (one: Seen): boolean => one.watch && one.url.includes('/ipaddresspools');
    api.fake.fail({ kind: 'cut', lines: 1 }, watches);
    api.fake.fail({ kind: 'status', code: 503 }, watches);
    const before = api.fake.seen.filter(watches).length;
    api.fake.breakWatches('close');
    await eventually(() => expect(api.fake.seen.filter(watches).length).toBe(before + 2));
    expect(api.memory.objects('IPAddressPool')).toBeUndefined();
    await seen('IPAddressPool', 1);
  });

  it('what is gone stands in nobody’s way, though the watch has not shown that yet', async () => {
    await api.write(pool('a', ['10.0.0.0/24']));
    await seen('IPAddressPool', 1);
    api.fake.breakWatches('silence');
    api.fake.remove(metallbResources.IPAddressPool, `${NAMESPACE}/a`);
    expect(await api.write(pool('b', ['10.0.0.0/24']))).toBe(true);
    expect(api.lists).toEqual(['ipaddresspools']);
  });

  it('what was let through and never stored makes it read for a minute, and refuses nobody', async () => {
    expect((await api.ask(pool('ghost', ['10.0.0.0/24']))).allowed).toBe(true);
    expect((await api.ask(pool('trial', ['10.0.0.0/24']), { dryRun: true })).allowed).toBe(true);
    expect(api.lists).toEqual(['ipaddresspools']);
    api.ms = 61_000;
    await api.ask(pool('trial', ['10.0.0.0/24']), { dryRun: true });
    await api.ask(pool('trial', ['10.0.0.0/24']), { dryRun: true });
    expect(api.lists).toEqual(['ipaddresspools', 'ipaddresspools']);
  });

  it('what was let through long ago and is stored counts until the watch shows it, however long that takes', async () => {
    api.fake.breakWatches('silence');
    await api.write(pool('a', ['10.0.0.0/24']));
    for (api.ms = 61_000; api.ms < 300_000; api.ms += 61_000)
      expect((await api.ask(pool('b', ['10.0.0.0/24']))).allowed).toBe(false);
  });

  it('a trial is not remembered', async () => {
    await api.ask(pool('a', ['10.0.0.0/24']), { dryRun: true });
    expect(api.memory.objects('IPAddressPool')).toEqual([]);
  });

  it('another server beside it makes it read; the two addresses of one do not', async () => {
    const slice = (name: string, ...uids: string[]) => ({
      metadata: { name, namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': SERVICE } },
      endpoints: uids.map((uid) => ({ addresses: ['192.0.2.1'], targetRef: { uid } })),
    });
    api.fake.put(kinds.EndpointSlice, slice('ipv4', 'one'));
    api.fake.put(kinds.EndpointSlice, slice('ipv6', 'one'));
    api.store(pool('x', ['10.9.0.0/24']));
    await seen('IPAddressPool', 1);
    await api.ask(pool('a', ['10.0.0.0/24']), { dryRun: true });
    expect(api.lists).toEqual([]);
    api.fake.put(kinds.EndpointSlice, slice('ipv4', 'one', 'two'));
    await eventually(() => expect(api.memory.objects('IPAddressPool')).toBeUndefined());
    await api.ask(pool('a', ['10.0.0.0/24']), { dryRun: true });
    expect(api.lists).toEqual(['ipaddresspools']);
  });

  it('BFD profiles are always read: nobody asks before they are changed', async () => {
    api.store(bfd('fast'));
    await api.ask(peer('p', { bfdProfile: 'fast' }), { dryRun: true });
    expect(api.lists).toEqual(['bfdprofiles']);
  });
});
