/**
 * Controllers around core/ipam that come and go, with an API server between them: stores lag behind, writes are under
 * way, fail, or are done without an answer, and a write rests on the version that it replaces.
 */
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { ageRank, compareAge } from '#core/ipam/age.ts';
import type { Decision } from '#core/ipam/decide.ts';
import { Ipam } from '#core/ipam/ipam.ts';
import type { Pool } from '#core/model/config.ts';
import { formatAddress } from '#core/model/ip.ts';
import type { ServiceView } from '#core/model/views.ts';
import { recorded } from './ipam.ts';

/** What is stored; every change counts `resourceVersion` up. */
export class StoredCluster {
  readonly services = new Map<string, ServiceView>();
  pools: readonly Pool[] = [];
  #version = 1;

  put(view: ServiceView): void {
    this.services.set(view.key, { ...view, resourceVersion: String((this.#version += 1)) });
  }

  /** True when the write was taken: the Service is still the version that it rests on. */
  write(basis: ServiceView, decision: Decision): boolean {
    const now = this.services.get(basis.key);
    if (now?.resourceVersion !== basis.resourceVersion || now.uid !== basis.uid) return false;
    const { [ALLOCATED_FROM_POOL]: _, ...others } = now.annotations;
    const ours = decision.pool === undefined ? {} : { [ALLOCATED_FROM_POOL]: decision.pool };
    this.put({
      ...now,
      ...recorded(decision.addresses.map(formatAddress)),
      annotations: { ...others, ...ours },
    });
    return true;
  }
}

interface Write {
  readonly basis: ServiceView;
  readonly decision: Decision;
}

export type Fate = 'done' | 'failed' | 'done without an answer';

/** One controller, from its take-over on. */
export class Leader {
  readonly ipam = new Ipam('');
  readonly #cluster: StoredCluster;
  readonly #store = new Map<string, ServiceView>();
  readonly #changed = new Set<string>();
  readonly #toLookAt = new Set<string>();
  readonly #underWay = new Map<string, Write>();
  #pools: readonly Pool[] | undefined;

  /** Reads everything, as a controller does once it has the Lease. */
  constructor(cluster: StoredCluster) {
    this.#cluster = cluster;
    this.observe();
  }

  get idle(): boolean {
    return this.#changed.size === 0 && this.#toLookAt.size === 0 && this.#underWay.size === 0;
  }

  /** Its watches deliver all that happened. */
  observe(): void {
    for (const key of this.#store.keys()) {
      if (this.#cluster.services.has(key)) continue;
      this.#store.delete(key);
      this.#follow(this.ipam.forget(key).wake);
    }
    for (const view of [...this.#cluster.services.values()].sort(compareAge)) {
      const { key } = view;
      if (this.#store.get(key)?.resourceVersion === view.resourceVersion) continue;
      this.#store.set(key, view);
      this.#changed.add(key);
    }
    if (this.#pools === this.#cluster.pools) return;
    if (this.#pools === undefined) this.#changed.clear();
    this.#pools = this.#cluster.pools;
    const views = [...this.#store.values()].sort(compareAge);
    for (const { key } of views) this.#toLookAt.add(key);
    this.#follow(this.ipam.configure(this.#pools, views).wake);
  }

  /** Decides on one Service that is due and not being written; a write may be under way then. */
  decide(choice: number): void {
    const due = this.#due().filter((key) => !this.#underWay.has(key));
    const key = due[choice % Math.max(due.length, 1)];
    const view = key === undefined ? undefined : this.#store.get(key);
    if (key === undefined) return;
    this.#changed.delete(key);
    this.#toLookAt.delete(key);
    if (view === undefined) return;
    const { decision, wake } = this.ipam.decide(view);
    this.#follow(wake);
    if (decision.kind === 'assign' || decision.kind === 'clear')
      this.#underWay.set(key, { basis: view, decision });
  }

  /** What becomes of one write that is under way; a refused one is decided anew on what is stored now. */
  settle(choice: number, fate: Fate): void {
    const writes = [...this.#underWay.values()];
    const write = writes[choice % Math.max(writes.length, 1)];
    if (write === undefined) return;
    const { key } = write.basis;
    this.#underWay.delete(key);
    const taken = fate !== 'failed' && this.#cluster.write(write.basis, write.decision);
    const now = this.#cluster.services.get(key);
    if (now === undefined) return;
    if (taken && fate === 'done') this.#follow(this.ipam.recorded(key).wake);
    else this.#changed.add(key);
    this.#store.set(key, now);
  }

  /** The writes that are under way reach the API server after all, without anybody to hear the answer. */
  flush(): void {
    while (this.#underWay.size > 0) this.settle(0, 'done without an answer');
  }

  /** Works until nothing is left to do. */
  finish(): void {
    for (let turns = 0; turns < 10_000; turns += 1) {
      this.observe();
      if (this.idle) return;
      this.decide(0);
      this.settle(0, 'done');
    }
    throw new Error('does not settle');
  }

  /** While all are looked at, those who waited take their turn by age; else they go with what users change. */
  #follow(keys: readonly string[]): void {
    const queue = this.#toLookAt.size > 0 ? this.#toLookAt : this.#changed;
    for (const key of keys) if (this.#store.has(key)) queue.add(key);
  }

  /** Those that are due, in the order in which the controller's queue hands them out. */
  #due(): string[] {
    const byAge = (keys: Iterable<string>): string[] =>
      [...keys].sort((a, b) => (this.#rank(a) < this.#rank(b) ? -1 : 1));
    return [...new Set([...byAge(this.#changed), ...byAge(this.#toLookAt)])];
  }

  #rank(key: string): string {
    const view = this.#store.get(key);
    return view === undefined ? '' : ageRank(view.creationTimestamp, key);
  }
}
