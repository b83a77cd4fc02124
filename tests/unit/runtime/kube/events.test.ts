import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import { createEventRecorder, eventType, type EventRecorder } from '#runtime/kube/events.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { silent } from '#runtime/log/logger.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeApiServer } from '#tests/support/fake-apiserver/server.ts';
import { VirtualClock } from '#tests/support/virtual-clock.ts';

const service = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web', uid: 'u1' };
const allocated = { type: 'Normal', reason: 'IPAllocated', message: 'Assigned IP ["192.0.2.1"]' } as const;

let fake: FakeApiServer;
let clock: VirtualClock;
let recorder: EventRecorder;

beforeEach(async () => {
  fake = await FakeApiServer.start();
  clock = new VirtualClock();
  recorder = createEventRecorder({
    client: createKubeClient(createTransport(plainCredentials(fake.url), { logger: silent })),
    component: 'metallb-controller',
    host: 'node1',
    logger: silent,
    clock,
    random: () => 0.5,
    unixMs: () => 1_764_000_000_000 + clock.now(),
  });
});
afterEach(() => fake.close());

const events = () => fake.objects(eventType);

describe('event recorder (controller.md 2.10)', () => {
  it('writes a core/v1 Event about the object', async () => {
    recorder.record(service, allocated);
    await eventually(() => expect(events()).toHaveLength(1));
    expect(events()[0]).toMatchObject({
      metadata: { namespace: 'shop' },
      involvedObject: service,
      type: 'Normal',
      reason: 'IPAllocated',
      message: 'Assigned IP ["192.0.2.1"]',
      source: { component: 'metallb-controller', host: 'node1' },
      count: 1,
      firstTimestamp: '2025-11-24T16:00:00Z',
      lastTimestamp: '2025-11-24T16:00:00Z',
    });
    expect(events()[0]?.metadata.name).toMatch(/^web\.[0-9a-f]+$/);
  });

  it('several processes that tell the same write one event; the one that wrote it counts up', async () => {
    const told = { ...allocated, shared: true };
    const other = createEventRecorder({
      client: createKubeClient(createTransport(plainCredentials(fake.url), { logger: silent })),
      component: 'metallb-speaker',
      host: 'node2',
      logger: silent,
      clock,
    });
    recorder.record(service, told);
    await eventually(() => expect(events()).toHaveLength(1));
    other.record(service, told);
    other.record({ ...service, uid: 'u2' }, told);
    await eventually(() => expect(events()).toHaveLength(2));
    recorder.record(service, told);
    const first = () => events().find(({ involvedObject }) => isDeepStrictEqual(involvedObject, service));
    await eventually(() => expect(first()).toMatchObject({ count: 2, source: { host: 'node1' } }));
    fake.remove(eventType, `shop/${first()?.metadata.name}`);
    other.record(service, told);
    await eventually(() => expect(events()).toHaveLength(2));
    expect(events()).toContainEqual(expect.objectContaining({ count: 1, involvedObject: service }));
  });

  it('an object whose name is as long as a name can be has an event too', async () => {
    recorder.record({ ...service, name: `${'a'.repeat(219)}.${'b'.repeat(33)}` }, allocated);
    await eventually(() => expect(events()).toHaveLength(1));
    expect(events()[0]?.metadata.name).toMatch(/^a{219}\.[0-9a-f]+$/);
  });

  it('counts a repeat up by patch instead of writing another', async () => {
    recorder.record(service, allocated);
    await clock.advance(5000);
    recorder.record(service, allocated);
    recorder.record(service, { ...allocated, message: 'another' });
    await eventually(() => expect(events()).toHaveLength(2));
    expect(events().find(({ message }) => message === allocated.message)).toMatchObject({
      count: 2,
      firstTimestamp: '2025-11-24T16:00:00Z',
      lastTimestamp: '2025-11-24T16:00:05Z',
    });
    expect(new Set(fake.seen.map(({ method }) => method))).toEqual(new Set(['POST', 'PATCH']));
  });

  it('writes a new one when the old has expired', async () => {
    recorder.record(service, allocated);
    await eventually(() => expect(events()).toHaveLength(1));
    fake.remove(eventType, `shop/${events()[0]?.metadata.name}`);
    await clock.advance(1);
    recorder.record(service, allocated);
    await eventually(() => expect(events()).toHaveLength(1));
    expect(events()[0]).toMatchObject({ count: 1 });
  });

  it('puts events of cluster-scoped objects into default', async () => {
    recorder.record({ apiVersion: 'v1', kind: 'Node', name: 'node1' }, allocated);
    await eventually(() => expect(events()[0]?.metadata.namespace).toBe('default'));
  });

  it('gives an object a burst of 25 and then one each five minutes', async () => {
    for (let index = 0; index < 40; index += 1)
      recorder.record(service, { ...allocated, message: String(index) });
    recorder.record({ ...service, name: 'other' }, allocated);
    await eventually(() => expect(events()).toHaveLength(26));
    await clock.advance(300_000);
    recorder.record(service, { ...allocated, message: 'later' });
    recorder.record(service, { ...allocated, message: 'too many' });
    await eventually(() => expect(events()).toHaveLength(27));
  });

  it('keeps events through an outage of the API server, in order', async () => {
    fake.fail({ kind: 'status', code: 503 }, () => true, 3);
    recorder.record(service, allocated);
    recorder.record(service, { ...allocated, message: 'second' });
    await eventually(async () => {
      await clock.advance(1000);
      expect(events()).toHaveLength(2);
    });
  });

  it('gives up on an event that is refused, and goes on', async () => {
    fake.fail({ kind: 'status', code: 403, reason: 'Forbidden' });
    recorder.record(service, allocated);
    recorder.record(service, { ...allocated, message: 'second' });
    await eventually(() => expect(events()).toHaveLength(1));
  });

  it('drains what is planned, and takes nothing afterwards', async () => {
    recorder.record(service, allocated);
    await recorder.drain(1000);
    recorder.record(service, { ...allocated, message: 'late' });
    expect(events()).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
