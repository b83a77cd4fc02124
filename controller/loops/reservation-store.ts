/** The store of IPReservations, where there is such a kind and we may read it. */
import { metallbResources } from '#core/api/resources.ts';
import type { ReservationView } from '#core/ipam/reservation-plan.ts';
import { projectReservation } from '#core/ipam/reservation-view.ts';
import { KubeError, type KubeClient, type Store } from '#runtime/kube/types.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import { watchStore, type WatchContext } from '#runtime/kube/watch-store.ts';
import { sleep, systemClock } from '#runtime/queue/clock.ts';

const RETRY_MS = 1000;

export interface ReservationStoreOptions {
  readonly transport: Transport;
  readonly client: Pick<KubeClient, 'list'>;
  readonly namespace: string;
  readonly context: WatchContext;
}

/** The store, complete; undefined (and one line in the log) when the kind is not installed or not allowed. */
export async function reservationStore(
  options: ReservationStoreOptions,
): Promise<Store<ReservationView> | undefined> {
  const { transport, namespace, context } = options;
  if (!(await isServed(options))) return undefined;
  const type = metallbResources.IPReservation;
  const store = watchStore(transport, { type, namespace, project: projectReservation }, context);
  await store.synced;
  return store;
}

async function isServed({ client, namespace, context }: ReservationStoreOptions): Promise<boolean> {
  const { logger, signal } = context;
  while (!signal.aborted) {
    try {
      await client.list(metallbResources.IPReservation, { namespace, signal });
      return true;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.status === 404 || error.status === 403) {
        const reason = error.status === 404 ? 'the kind is not installed' : 'we may not read it';
        logger.info('no IPReservations: reservations are off until a restart', { reason });
        return false;
      }
      logger.debug('cannot ask for IPReservations yet', { error });
      await sleep(systemClock, RETRY_MS, signal);
    }
  }
  return false;
}
