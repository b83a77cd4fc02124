/** Who comes first among Services: the older one, everywhere, so that queue, waiting list and adoption agree. */
import type { ServiceView } from '#core/model/views.ts';

/** Text whose order of code units is the order of age, then of keys. `since`: RFC 3339. */
export function ageRank(since: string, key: string): string {
  return `${since} ${key}`;
}

/** Older Services first, then by key. */
export function compareAge(a: ServiceView, b: ServiceView): number {
  const left = ageRank(a.creationTimestamp, a.key);
  const right = ageRank(b.creationTimestamp, b.key);
  return left < right ? -1 : left > right ? 1 : 0;
}
