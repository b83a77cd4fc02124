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
  const tree = new Map<string, Draft>([['', { path: [], lines: new Map() }]]);
  let path: readonly string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line !== '' && !line.startsWith('!') && !line.startsWith('#')) path = readLine(tree, path, line);
  }
  for (const [key, { path, lines }] of tree) if (lines.size === 0 && isMere(path)) tree.delete(key);
  return tree;
}

/** Takes one line in at the block that is open; returns the block that is open after it. */
function readLine(tree: Map<string, Draft>, open: readonly string[], line: string): readonly string[] {
  if (/^exit(-[a-z-]+)?$/.test(line)) return open.slice(0, -1);
  // Nearly all lines of a large file are routes, and they can be nothing else here.
  const isRoute = open.length > 1 && line.startsWith('network ');
  const path = isRoute ? open : pathFor(open, line);
  if (!isRoute && opensBlock(path, line)) {
    openBlock(tree, [...path, line]);
    return [...path, line];
  }
  if (path.length > 0 || !FOREIGN.test(line)) addLine(tree, path, line);
  return path;
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

function openBlock(tree: Map<string, Draft>, path: readonly string[]): void {
  const key = blockKey(path);
  const known = tree.get(key);
  if (known === undefined) tree.set(key, { path, lines: new Map() });
  else known.path = path;
}

function addLine(tree: Map<string, Draft>, path: readonly string[], line: string): void {
  const slot = slotOf(path, line);
  const { lines } = tree.get(blockKey(path)) ?? { lines: new Map<string, string>() };
  lines.delete(slot);
  lines.set(slot, line);
}

/** True when the two configurations mean the same, whatever their order. */
export function sameTree(a: ConfigTree, b: ConfigTree): boolean {
  return treeLines(a).join('\n') === treeLines(b).join('\n');
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
