/** Votes among the members of the mesh. */
import type { Peer } from '#core/members/peer.ts';

/** More than half of the base, or the half with its first name, or one of two. */
export function isMajority(names: readonly string[], base: ReadonlySet<string>): boolean {
  if (2 * names.length !== base.size) return 2 * names.length > base.size;
  return base.size === 2 || names.includes([...base].sort()[0] ?? '');
}

/** Most of these members do not hear the one with this identifier. */
export function objects(members: readonly Peer[], id: number): boolean {
  return 2 * members.filter(({ suspects }) => suspects.has(id)).length > members.length;
}
