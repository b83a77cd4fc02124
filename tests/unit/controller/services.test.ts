/** The loop over Services with a clock of its own: what counts as the time that an allocation took. */
import { describe, expect, it } from 'vitest';
import { ServiceLoop } from '#controller/loops/services.ts';
import { RecentServices } from '#controller/loops/service-record.ts';
import { controllerMetrics } from '#controller/metrics.ts';
import { Ipam } from '#core/ipam/ipam.ts';
import type { ServiceView } from '#core/model/views.ts';
import type { KubeObject } from '#runtime/kube/types.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { pool, service } from '#tests/support/ipam.ts';

/** A moment that only the test of the lease reaches. */
const LEASE_ENDS_MS = 10_000_000;
const { signal } = new AbortController();

function setUp(addresses: readonly string[], onRead: () => void = () => {}) {
  const ipam = new Ipam('');
  ipam.configure([pool('p', addresses)], []);
  const registry = createMetrics();
  const views = new Map<string, ServiceView>();
  const clock = { ms: 0 };
  const loop = new ServiceLoop({
    ipam,
    services: views,
    recent: new RecentServices(),
    client: {
      get: async ({ namespace = '', name }): Promise<KubeObject> => {
        onRead();
        return {
          metadata: { namespace, name, uid: `uid-${namespace}/${name}`, resourceVersion: '1' },
          spec: { type: 'LoadBalancer', clusterIPs: ['10.96.0.1'], ports: [{ port: 80, protocol: 'TCP' }] },
        };
      },
      replace: async (_ref, object) => {
        clock.ms += 500;
        return object;
      },
    },
    events: { record: () => {} },
    metrics: controllerMetrics(registry, ipam),
    logger: silent,
    onEffects: () => {},
    now: () => clock.ms,
    mayWrite: () => clock.ms < LEASE_ENDS_MS,
  });
  const create = (key: string): void => {
    const view = service(key);
    views.set(key, view);
    loop.heard(view);
  };
  const remove = async (key: string): Promise<void> => {
    views.delete(key);
    await loop.reconcile(key, signal);
  };
  const figure = async (name: string): Promise<number> => {
    const text = await registry.expose();
    const line = new RegExp(`^metallb_allocator_allocation_duration_seconds_${name} (.*)$`, 'm').exec(text);
    return Number(line?.[1]);
  };
  return { clock, loop, create, remove, figure };
}

describe('metallb_allocator_allocation_duration_seconds', () => {
  it('counts the time in the queue and that of the write', async () => {
    const { clock, loop, create, figure } = setUp(['192.0.2.0/28']);
    create('default/a');
    clock.ms = 2000;
    await loop.reconcile('default/a', signal);
    expect([await figure('count'), await figure('sum')]).toEqual([1, 2.5]);
  });

  it('leaves out the time without a free address', async () => {
    const { clock, loop, create, remove, figure } = setUp(['192.0.2.0/32']);
    create('default/a');
    await loop.reconcile('default/a', signal);
    create('default/b');
    await loop.reconcile('default/b', signal);
    expect(await figure('count')).toBe(1);
    clock.ms = 3_600_000;
    await remove('default/a');
    await loop.reconcile('default/b', signal);
    expect([await figure('count'), await figure('sum')]).toEqual([2, 1]);
  });
});

describe('lease', () => {
  it('a write that was decided on while the lease was ours is not made when it no longer is', async () => {
    let renewed = false;
    const { clock, loop, create, figure } = setUp(['192.0.2.0/28'], () => {
      clock.ms = renewed ? 0 : LEASE_ENDS_MS;
    });
    create('default/a');
    await expect(loop.reconcile('default/a', signal)).rejects.toMatchObject({ retry: 'soon' });
    expect(await figure('count')).toBe(0);
    renewed = true;
    clock.ms = 0;
    await loop.reconcile('default/a', signal);
    expect(await figure('count')).toBe(1);
  });
});
