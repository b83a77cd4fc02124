/** Why a Service waits is told once, and once more before the Event expires. */
import { expect, it } from 'vitest';
import { Ipam } from '#core/ipam/ipam.ts';
import type { ServiceView } from '#core/model/views.ts';
import { ServiceLoop } from '#controller/loops/services.ts';
import { RecentServices } from '#controller/loops/service-record.ts';
import { controllerMetrics } from '#controller/metrics.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { pool, service } from '#tests/support/ipam.ts';

const MINUTE = 60_000;

it('as long as it waits, every fifty minutes; not after that', async () => {
  let now = 0;
  const ipam = new Ipam('');
  const views = new Map<string, ServiceView>([['n/a', service('n/a', { loadBalancerIP: '203.0.113.1' })]]);
  ipam.configure([pool('p', ['192.0.2.0/30'])], views.values());
  const told: string[] = [];
  const never = (): Promise<never> => Promise.reject(new Error('nothing to write'));
  const loop = new ServiceLoop({
    ipam,
    services: { get: (key) => views.get(key) },
    recent: new RecentServices(),
    client: { get: never, replace: never },
    events: { record: (_, { reason }) => told.push(`${now / MINUTE} ${reason}`) },
    metrics: controllerMetrics(createMetrics(), ipam),
    logger: silent,
    onEffects: () => undefined,
    now: () => now,
    mayWrite: () => true,
  });
  const look = (key: string): Promise<unknown> => loop.reconcile(key, new AbortController().signal);
  await look('n/a');
  for (; now <= 130 * MINUTE; now += 10 * MINUTE) {
    await look('n/a');
    for (const key of loop.remind()) await look(key);
  }
  expect(told).toEqual(['0 AllocationFailed', '50 AllocationFailed', '100 AllocationFailed']);
  views.delete('n/a');
  await look('n/a');
  now += 60 * MINUTE;
  expect(loop.remind()).toEqual([]);
});
