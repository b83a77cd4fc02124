/** Intended versus real: what separates the configuration FRR prints from the one we want it to have. */
import { diff, type Change } from '#core/frr/diff.ts';
import { blockKey, slotOf } from '#core/frr/syntax.ts';
import { countLines, treeLines, type Block, type ConfigTree } from '#core/frr/tree.ts';

const OWN_BLOCK = /^(router bgp |route-map |bfd$)/;
const OWN_LINE =
  /^(no )?((ip|ipv6) (prefix-list|nht)|bgp (community-list|large-community-list|as-path|route-map)|debug|log (stdout|timestamp))\b/;

/**
 * The part of a running configuration that is ours to change: everything of BGP, BFD and their policies, and
 * what `desired` names itself. The rest belongs to the node or to other tools and is left alone.
 */
export function ownPart(running: ConfigTree, desired: ConfigTree): ConfigTree {
  const own = new Map<string, Block>();
  for (const [key, { path, lines }] of running) {
    if (OWN_BLOCK.test(path[0] ?? '')) own.set(key, { path, lines });
    else if (path.length === 0 || desired.has(key)) {
      const wanted = desired.get(key)?.lines;
      const kept = [...lines].filter(([slot, line]) => wanted?.has(slot) === true || OWN_LINE.test(line));
      own.set(key, { path, lines: new Map(kept) });
    }
  }
  return own;
}

export interface Expectation {
  readonly desired: ConfigTree;
  /** The same without the lines other people appended: FRR may print those differently. */
  readonly rendered: ConfigTree;
}

/**
 * The changes that would make FRR's configuration the desired one; none when they agree. Of the lines of others
 * (`bgpextras`) only those in `shown` are looked for, and beside them only surplus routes of ours count as surplus.
 */
export function deviations(
  running: ConfigTree,
  { desired, rendered }: Expectation,
  shown: ReadonlySet<string> = new Set(),
): Change[] {
  const changes = diff(ownPart(running, desired), desired);
  if (!hasRaw({ desired, rendered })) return changes;
  return changes.filter((change) => isOwnChange(change, rendered) || shown.has(textOf(change)));
}

/** Lines of others that FRR shows as they were written, as `PATH > LINE`: when one is missing later, it was lost. */
export function shownOfOthers(running: ConfigTree, expectation: Expectation): ReadonlySet<string> {
  if (!hasRaw(expectation)) return new Set();
  const [printed, ours] = [running, expectation.rendered].map((tree) => new Set(treeLines(tree)));
  const lines = treeLines(expectation.desired);
  return new Set(lines.filter((line) => printed?.has(line) === true && ours?.has(line) !== true));
}

function hasRaw({ desired, rendered }: Expectation): boolean {
  return countLines(desired) !== countLines(rendered);
}

/** A change as the line that it sets, with its path, as `treeLines` writes it. */
function textOf({ path, command }: Change): string {
  return [...path, ...(command === '' ? [] : [command])].join(' > ');
}

function isOwnChange({ path, command }: Change, rendered: ConfigTree): boolean {
  if (command.startsWith('no network ')) return true;
  if (command.startsWith('no ') && !isLineOf(rendered, path, command)) return false;
  return isLineOf(rendered, path, command);
}

/** True when a configuration asks for a change: it has the line, or the block, or lacks what the change takes away. */
export function asksFor(desired: ConfigTree, { path, command }: Change): boolean {
  if (isLineOf(desired, path, command)) return true;
  if (!command.startsWith('no ')) return false;
  const removed = command.slice(3);
  const lines = desired.get(blockKey(path))?.lines;
  return !desired.has(blockKey([...path, removed])) && lines?.has(slotOf(path, removed)) !== true;
}

function isLineOf(tree: ConfigTree, path: readonly string[], command: string): boolean {
  const block = [...tree.values()].find((each) => each.path.join('\n') === path.join('\n'));
  if (block === undefined) return false;
  return command === '' || block.lines.get(slotOf(path, command)) === command;
}
