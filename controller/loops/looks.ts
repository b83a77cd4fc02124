/** Which Services are to be looked at, in which order, and how far the first look at all of them is. */
import { ageRank, compareAge } from '#core/ipam/age.ts';
import type { ServiceView } from '#core/model/views.ts';
import type { WorkQueue } from '#runtime/queue/types.ts';

/** What users do to a Service, and what follows from it, goes before looking at all of them. */
const PRIORITY = { change: 50, all: 10, reminder: 0 } as const;

export class Looks {
  readonly #queue: Pick<WorkQueue, 'add'>;
  readonly #createdAt: (key: string) => string | undefined;
  /** Keys that a look at all has not come to yet. */
  readonly #toLookAt = new Set<string>();
  /** Of the looks at all: ready is who has finished it, and stays so in the next ones. */
  #firstPass: 'to come' | 'under way' | 'done' = 'to come';

  /** `createdAt`: when the Service of this key was created, RFC 3339; undefined when it is gone. */
  constructor(queue: Pick<WorkQueue, 'add'>, createdAt: (key: string) => string | undefined) {
    this.#queue = queue;
    this.#createdAt = createdAt;
  }

  /** Why the first pass is not over; undefined when it is. */
  notDone(): string | undefined {
    if (this.#firstPass === 'done') return undefined;
    if (this.#firstPass === 'to come') return 'no configuration in force yet';
    return `first pass: ${this.#toLookAt.size} Services left`;
  }

  /** At one Service. */
  at(key: string, why: 'change' | 'reminder'): void {
    this.#add(key, PRIORITY[why]);
  }

  /** At all of these, the oldest first. */
  atAll(services: readonly ServiceView[]): void {
    if (this.#firstPass === 'to come') this.#firstPass = services.length === 0 ? 'done' : 'under way';
    for (const { key } of services.toSorted(compareAge)) {
      this.#toLookAt.add(key);
      this.#add(key, PRIORITY.all);
    }
  }

  /** At those for whom something has become free, or that have lost what they had. */
  wake(keys: Iterable<string>): void {
    // Who has lost an address is not waiting for another yet: while all are looked at, those who wait take their turn by age.
    const priority = this.#toLookAt.size > 0 ? PRIORITY.all : PRIORITY.change;
    for (const key of keys) this.#add(key, priority);
  }

  /** It was looked at. */
  done(key: string): void {
    this.#toLookAt.delete(key);
    if (this.#toLookAt.size === 0 && this.#firstPass === 'under way') this.#firstPass = 'done';
  }

  #add(key: string, priority: number): void {
    const since = this.#createdAt(key);
    this.#queue.add(key, { priority, ...(since === undefined ? {} : { rank: ageRank(since, key) }) });
  }
}
