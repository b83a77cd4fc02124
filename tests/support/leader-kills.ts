/** Services are created while whoever leads is killed, again and again (issue 5, proof). */
import { expect } from 'vitest';
import { kinds } from '#runtime/kube/kinds.ts';
import { leaseType } from '#runtime/lease/elector.ts';
import {
  ipsOf,
  LEADER_FLAGS,
  NAMESPACE,
  type ControllerLab,
  type ControllerProcess,
} from './controller-lab.ts';
import { eventually } from './eventually.ts';

const TAKE_OVER_MS = 60_000;

/** Pod name of the holder of the Lease. */
export async function leaderOf(lab: ControllerLab): Promise<string> {
  const lease = await lab.client.get({ type: leaseType, namespace: NAMESPACE, name: 'metallb-controller' });
  return (lease['spec'] as { holderIdentity: string }).holderIdentity.split('_')[0] ?? '';
}

/** Addresses of Services in `default` by name, for those that have one. */
export async function recordedBy(lab: ControllerLab): Promise<Map<string, string>> {
  const services = await lab.client.list(kinds.Service, { namespace: 'default' });
  return new Map(
    services.flatMap((service) => ipsOf(service).map((ip) => [service.metadata.name, ip] as const)),
  );
}

export interface KillRun {
  readonly kills: number;
  /** Services that had another address after a kill than before; addresses that two have; Services without one. */
  readonly moved: number;
  readonly duplicates: number;
  readonly waiting: number;
}

/** Needs a pool with room. Each kill comes while Services are being created and served. */
export async function killLeaders(
  lab: ControllerLab,
  { services, kills, replicas }: { services: number; kills: number; replicas: number },
): Promise<KillRun> {
  const running = new Map<string, ControllerProcess>();
  const add = async (name: string): Promise<void> => {
    running.set(name, await lab.startController(...LEADER_FLAGS, `--pod-name=${name}`));
  };
  await Promise.all(Array.from({ length: replicas }, (_, index) => add(`r${index}`)));
  const todo = Array.from({ length: services }, (_, index) => `s${index}`);
  let seen = new Map<string, string>();
  let moved = 0;
  const look = async (): Promise<void> => {
    const now = await recordedBy(lab);
    moved += [...seen].filter(([name, ip]) => now.get(name) !== ip).length;
    seen = now;
  };
  for (let kill = 0; kill < kills; kill += 1) {
    const creating = Promise.all(
      todo.splice(0, Math.ceil(services / kills)).map((name) => lab.service(name)),
    );
    const victim = await eventually(async () => {
      const name = await leaderOf(lab);
      expect(running.has(name), `leader ${name}`).toBe(true);
      expect((await recordedBy(lab)).size).toBeGreaterThan(seen.size);
      return name;
    }, TAKE_OVER_MS);
    await running.get(victim)?.stop('SIGKILL');
    running.delete(victim);
    await look();
    await creating;
    await add(`r${kill + replicas}`);
  }
  await eventually(async () => expect((await recordedBy(lab)).size).toBe(services), TAKE_OVER_MS);
  await look();
  return { kills, moved, duplicates: seen.size - new Set(seen.values()).size, waiting: services - seen.size };
}
