/**
 * FRR looks at a changed map once more when `bgp route-map delay-timer` has passed, and then sends every neighbour
 * that uses it all of its routes again, equal or not (measured on 10.3). For an entry that no route has met and none
 * meets any more, that is thousands of UPDATEs that say nothing.
 */
import type { Change } from '#core/frr/diff.ts';
import { blockKey } from '#core/frr/syntax.ts';
import type { ConfigTree } from '#core/frr/tree.ts';

const TIMER = 'bgp route-map delay-timer';
const OFF = `${TIMER} 0`;

/**
 * The changes, typed while the timer is off when all that they change of maps concerns new or former classes alone:
 * FRR takes them in without looking at what it has sent. Changes of any other map are left to the timer, which
 * stands in between as before. What was changed by others and still waits for the timer is looked at at once.
 */
export function withoutResend(
  changes: readonly Change[],
  applied: ConfigTree,
  desired: ConfigTree,
): readonly Change[] {
  const timer = desired.get('')?.lines.get(TIMER);
  if (timer === undefined || timer === OFF || applied.get('')?.lines.get(TIMER) !== timer) return changes;
  const policy = changes.filter(isPolicy);
  if (policy.length === 0) return changes;
  const [before, after] = [mapsInUse(applied), mapsInUse(desired)];
  const isUnmet = (change: Change): boolean => {
    const entry = entryOf(change);
    if (entry === undefined) return false;
    if (!before.has(entry.map) || !after.has(entry.map)) return true;
    const [was, is] = [applied.get(entry.key), desired.get(entry.key)];
    if (was !== undefined && is !== undefined) return false;
    const isOfClass = (is ?? was)?.lines.get('match tag') === `match tag ${entry.number}`;
    return isOfClass && !(was === undefined ? before : after).has(`CLASS-${entry.number}`);
  };
  if (!policy.every(isUnmet)) return changes;
  const type = (command: string): Change => ({ path: [], command, neighbor: undefined });
  return [type(OFF), ...changes, type(timer)];
}

/** Lines that decide what neighbours are sent or what is taken from them: maps, and the lists that maps ask. */
function isPolicy({ path, command }: Change): boolean {
  if (path.length > 0) return path[0]?.startsWith('route-map ') === true;
  return /^(no )?(route-map |(ip|ipv6) (prefix-list|access-list)|bgp (community|large-community|extcommunity)-list|bgp as-path)/.test(
    command,
  );
}

interface MapEntry {
  /** Of its block in a tree. */
  readonly key: string;
  readonly map: string;
  readonly number: string;
}

/** The entry of a map that the change belongs to; undefined for another kind of policy. */
function entryOf({ path, command }: Change): MapEntry | undefined {
  const header = path[0] ?? command.replace(/^no /, '');
  const match = /^route-map (\S+) (?:permit|deny) (\d+)$/.exec(header);
  if (match === null) return undefined;
  const [, map = '', number = ''] = match;
  return { key: blockKey([header]), map, number };
}

/** Words of all lines, the names of the maps that are referred to among them. */
function mapsInUse(tree: ConfigTree): ReadonlySet<string> {
  const used = new Set<string>();
  const note = (line: string): void => {
    // Nearly all lines of a large file; their map is the last word.
    if (line.startsWith('network ')) used.add(line.slice(line.lastIndexOf(' ') + 1));
    else for (const word of line.split(' ')) used.add(word);
  };
  for (const { lines } of tree.values()) for (const line of lines.values()) note(line);
  return used;
}
