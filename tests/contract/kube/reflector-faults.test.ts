/** The reflector against every fault the fake API server knows; time is virtual, the network is real. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { Store } from '#runtime/kube/types.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeApiServer, type Fault, type Seen } from '#tests/support/fake-apiserver/server.ts';
import { VirtualClock } from '#tests/support/virtual-clock.ts';
import { configMap, configMaps } from './client-contract.ts';
import { project, type View } from './reflector-contract.ts';

let fake: FakeApiServer;
let clock: VirtualClock;
let abort: AbortController;
let metrics: Metrics;

beforeEach(async () => {
  fake = await FakeApiServer.start();
  clock = new VirtualClock();
  abort = new AbortController();
  metrics = createMetrics();
  fake.put(configMaps, configMap('one', { v: '1' }));
});
afterEach(async () => {
  abort.abort();
  await fake.close();
});

function follow(): Store<View> {
  const transport = createTransport(plainCredentials(fake.url), { logger: silent });
  const options = { type: configMaps, project };
  const { signal } = abort;
  return watchStore(transport, options, { logger: silent, metrics, signal, clock, random: () => 0.5 });
}

const lists = () => fake.seen.filter((seen) => !seen.watch || seen.url.includes('sendInitialEvents'));
const watches = () => fake.seen.filter((seen) => seen.watch);
const isWatch = (seen: Seen) => seen.watch;
/** Waits for `count` watch requests, moving time on while the reflector waits. */
const watchesReach = (count: number) =>
  eventually(async () => {
    await clock.advance(500);
    expect(watches().length).toBeGreaterThanOrEqual(count);
  });
const equalsServer = (store: Store<View>) =>
  eventually(async () => {
    await clock.advance(500);
    const truth = fake
      .objects(configMaps)
      .map((raw) => [`default/${raw.metadata.name}`, project(raw)] as const);
    expect(new Map(store)).toEqual(new Map(truth));
  });

describe('reflector', () => {
  it.each(['close', 'reset'] as const)(
    'goes on from the same version after %s, without a list',
    async (how) => {
      const store = follow();
      await store.synced;
      fake.breakWatches(how);
      fake.put(configMaps, configMap('two'));
      fake.remove(configMaps, 'default/one');
      await equalsServer(store);
      expect(lists()).toHaveLength(1);
    },
  );

  it('lists anew after 410, and finds what was deleted meanwhile', async () => {
    const store = follow();
    await store.synced;
    fake.breakWatches('close');
    fake.put(configMaps, configMap('two'));
    fake.remove(configMaps, 'default/one');
    fake.compact();
    await equalsServer(store);
    expect(lists()).toHaveLength(2);
  });

  it('takes a bookmark for its version, so that compaction behind it costs no list', async () => {
    const store = follow();
    await store.synced;
    fake.put({ ...configMaps, plural: 'secrets', kind: 'Secret' }, configMap('noise'));
    fake.compact();
    fake.watches.bookmark();
    await eventually(async () => {
      expect(await metrics.expose()).toMatch(/watch_events_total{kind="ConfigMap",type="BOOKMARK"} 2/);
    });
    fake.breakWatches('close');
    fake.put(configMaps, configMap('two'));
    await equalsServer(store);
    expect(lists()).toHaveLength(1);
  });

  const faults: Fault[] = [
    { kind: 'status', code: 500 },
    { kind: 'status', code: 503 },
    { kind: 'status', code: 403 },
    { kind: 'status', code: 404 },
    { kind: 'reset' },
  ];
  it.each(faults)('survives repeated $kind $code, at the start and later', async (fault) => {
    fake.fail(fault, isWatch, 3);
    const store = follow();
    await watchesReach(4);
    await store.synced;
    fake.fail(fault, isWatch, 3);
    fake.breakWatches('close');
    fake.put(configMaps, configMap('two'));
    await equalsServer(store);
    expect(lists()).toHaveLength(4);
  });

  it('waits as long as Retry-After asks', async () => {
    const store = follow();
    await store.synced;
    fake.fail({ kind: 'status', code: 429, reason: 'TooManyRequests', retryAfter: 20 }, isWatch);
    fake.breakWatches('close');
    await eventually(() => expect(watches()).toHaveLength(2));
    await eventually(() => expect(clock.nextIn).toBe(20_000));
    await clock.advance(19_000);
    expect(watches()).toHaveLength(2);
    await clock.advance(1000);
    await eventually(() => expect(watches()).toHaveLength(3));
  });

  it('leaves a silent connection after 150 s and goes on from the same version', async () => {
    const store = follow();
    await store.synced;
    fake.breakWatches('silence');
    fake.put(configMaps, configMap('two'));
    await clock.advance(149_000);
    expect(store.has('default/two')).toBe(false);
    await clock.advance(1000);
    await equalsServer(store);
    expect(lists()).toHaveLength(1);
  });

  it('does not spin when each watch is closed at once', async () => {
    const store = follow();
    await store.synced;
    fake.fail({ kind: 'cut', lines: 0 }, isWatch, 1000);
    fake.breakWatches('close');
    for (let time = 0; time < 4000; time += 100) {
      // The next alarm is a pause, not the idle limit of a running watch.
      await eventually(() => expect(clock.nextIn).toBeLessThan(31_000));
      await clock.advance(100);
    }
    // Pauses of 0.4, 0.8, 1.6, 3.2 s: half of 0.8 · 2^n.
    expect(watches().length).toBeGreaterThanOrEqual(4);
    expect(watches().length).toBeLessThanOrEqual(6);
  });

  it('starts over when the streamed list breaks in the middle, and shows no half of it', async () => {
    for (let index = 0; index < 300; index += 1) fake.put(configMaps, configMap(`many-${index}`, { v: '1' }));
    fake.fail({ kind: 'cut', lines: 150 }, isWatch, 2);
    const store = follow();
    const sizes = new Set<number>();
    store.onChange(() => sizes.add(store.size));
    await watchesReach(3);
    await store.synced;
    await equalsServer(store);
    expect([...sizes]).toEqual([301]);
  });

  it('survives the restart of the API server', async () => {
    const store = follow();
    await store.synced;
    await fake.close();
    fake.put(configMaps, configMap('two'));
    await clock.advance(60_000);
    expect(store.has('default/one')).toBe(true);
    await fake.listen();
    await equalsServer(store);
  });

  it('opens nothing more once its signal is aborted, also during a pause', async () => {
    const store = follow();
    await store.synced;
    fake.fail({ kind: 'status', code: 500 }, isWatch, 1);
    fake.breakWatches('close');
    await eventually(() => expect(watches()).toHaveLength(2));
    abort.abort();
    await clock.advance(60_000);
    expect(watches()).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });
});
