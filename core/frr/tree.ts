/**
 * A router configuration as values: blocks (`router bgp 64512`, its address families, `route-map X permit 5` …)
 * with their lines. What we render, what users append and what FRR prints back are read by the same parser,
 * so a comparison of trees is a comparison of meaning.
 */
import { blockKey, isTopLine, opensBlock, slotOf } from '#core/frr/syntax.ts';

export interface Block {
  /** Headers from the outermost in; empty for the top level. */
  readonly path: readonly string[];
  /** What a line sets → the line. A later line for the same thing replaces the earlier one, as in FRR. */
  readonly lines: ReadonlyMap<string, string>;
}

/** Blocks by key (`blockKey` of their path), in order of appearance; the top level has key ''. */
export type ConfigTree = ReadonlyMap<string, Block>;

interface Draft {
  path: readonly string[];
  readonly lines: Map<string, string>;
}

/** Lines that belong to the machine or to FRR itself: never compared, never removed. */
const FOREIGN =
  /^(frr (version|defaults)|hostname|(no )?ipv?6? forwarding|(no )?service|log (file|syslog|facility)|(enable )?password|domainname|agentx|Building configuration|Current configuration|end$)/;

/** Reads a configuration text. Never fails: what it does not know is a line of the block it stands in. */
export function parseConfig(text: string): ConfigTree {
  const top: Draft = { path: [], lines: new Map() };
  const tree = new Map<string, Draft>([['', top]]);
  let open = top;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    // Nearly all lines of a large file are routes, and they can be nothing else here.
    if (open.path.length > 1 && line.startsWith('network ')) addLine(open, line);
    else if (line !== '' && !line.startsWith('!') && !line.startsWith('#')) open = readLine(tree, open, line);
  }
  for (const [key, { path, lines }] of tree) if (lines.size === 0 && isMere(path)) tree.delete(key);
  return tree;
}

/** Takes one line in at the block that is open; returns the block that is open after it. */
function readLine(tree: Map<string, Draft>, open: Draft, line: string): Draft {
  if (/^exit(-[a-z-]+)?$/.test(line)) return blockAt(tree, open.path.slice(0, -1));
  const path = pathFor(open.path, line);
  if (opensBlock(path, line)) return blockAt(tree, [...path, line]);
  const block = path === open.path ? open : blockAt(tree, path);
  if (path.length > 0 || !FOREIGN.test(line)) addLine(block, line);
  return block;
}

/** True for a block that is nothing without lines of its own: FRR does not print it. */
function isMere(path: readonly string[]): boolean {
  return /^(address-family|bfd$|vrf|interface)/.test(path.at(-1) ?? '');
}

/** The block in which FRR would read the line: the current one, or the nearest around it that knows it. */
function pathFor(current: readonly string[], line: string): readonly string[] {
  if (isTopLine(current, line)) return [];
  let path = current;
  while (path.length > 0) {
    if (opensBlock(path, line)) return path;
    if (!opensBlock(path.slice(0, -1), line)) break;
    path = path.slice(0, -1);
  }
  return path;
}

/** The block with this path, made when it is new; its header becomes the one that was read last. */
function blockAt(tree: Map<string, Draft>, path: readonly string[]): Draft {
  const key = blockKey(path);
  const known = tree.get(key);
  if (known !== undefined) {
    known.path = path;
    return known;
  }
  const block = { path, lines: new Map<string, string>() };
  tree.set(key, block);
  return block;
}

function addLine({ path, lines }: Draft, line: string): void {
  const slot = slotOf(path, line);
  lines.delete(slot);
  lines.set(slot, line);
}

/** True when the two configurations mean the same, whatever their order. */
export function sameTree(a: ConfigTree, b: ConfigTree): boolean {
  return treeLines(a).join('\n') === treeLines(b).join('\n');
}

/** How many lines `treeLines` gives. */
export function countLines(tree: ConfigTree): number {
  let count = 0;
  for (const { path, lines } of tree.values()) count += lines.size + (path.length > 0 ? 1 : 0);
  return count;
}

/** Every line with its path, sorted: for comparison and messages. */
export function treeLines(tree: ConfigTree): string[] {
  const lines: string[] = [];
  for (const { path, lines: own } of tree.values()) {
    if (path.length > 0) lines.push(path.join(' > '));
    for (const line of own.values()) lines.push([...path, line].join(' > '));
  }
  return lines.sort();
}
