/** The loop over IPReservations, with a clock of its own: what it tries again, and when. */
import { expect, it } from 'vitest';
import { Ipam } from '#core/ipam/ipam.ts';
import type { ReservationView } from '#core/ipam/reservation-plan.ts';
import { ReservationLoop } from '#controller/loops/reservations.ts';
import { ReflectedStore } from '#runtime/kube/store.ts';
import { KubeError, type KubeObject } from '#runtime/kube/types.ts';
import { silent } from '#runtime/log/logger.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import { ask, pool, recorded, service } from '#tests/support/ipam.ts';
import { VirtualClock } from '#tests/support/virtual-clock.ts';

const MINUTE = 60_000;

/** A Service that wants its address kept, in a world in which nobody may write IPReservations unless `allowed`. */
function setUp() {
  const clock = new VirtualClock();
  const view = service('n/a', { ...recorded(['192.0.2.1']), annotations: ask({ 'reserve-for': '1h' }) });
  const ipam = new Ipam('');
  ipam.configure([pool('p', ['192.0.2.0/30'])], [view]);
  const world = { allowed: false, tries: [] as number[], told: [] as string[] };
  const loop = new ReservationLoop({
    ipam,
    reservations: new ReflectedStore<ReservationView>({ project: () => undefined, onError: () => undefined }),
    services: new Map([[view.key, view]]),
    namespace: 'metallb-system',
    client: {
      create: (_type, object): Promise<KubeObject> => {
        world.tries.push(clock.now());
        if (world.allowed) return Promise.resolve(object);
        return Promise.reject(new KubeError('forbidden', { status: 403, reason: 'Forbidden' }));
      },
      patch: () => Promise.reject(new Error('nothing to patch')),
      delete: () => Promise.reject(new Error('nothing to delete')),
    },
    events: { record: (_, { reason }) => world.told.push(reason) },
    logger: silent,
    handles: () => true,
    look: (name) => queue.add(name),
    onEffects: () => undefined,
    now: () => clock.now(),
  });
  const queue = createQueue({
    name: 'reservations',
    handler: (name, signal) => loop.reconcile(name, signal),
    logger: silent,
    clock,
  });
  return { clock, loop, view, world };
}

it('a reservation that may not be written is tried again though nothing changes, and told of once', async () => {
  const { clock, loop, view, world } = setUp();
  loop.takeOver([view]);
  await clock.advance(10 * MINUTE);
  expect(world.tries.length).toBeGreaterThan(2);
  const pauses = world.tries.slice(1).map((at, index) => at - (world.tries[index] ?? 0));
  expect(Math.min(...pauses), 'it does not hammer').toBeGreaterThanOrEqual(MINUTE / 10);
  expect(world.told).toEqual(['ReservationFailed']);
  world.allowed = true;
  const before = world.tries.length;
  await clock.advance(MINUTE);
  expect(world.tries.length).toBeGreaterThan(before);
});
