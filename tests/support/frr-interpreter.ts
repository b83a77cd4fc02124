/**
 * A model of how FRR takes configuration commands, for property tests. It also keeps watch over the order:
 * what a line refers to must exist when the line is typed, and must not be removed under it.
 */
import type { Change } from '#core/frr/diff.ts';
import { blockKey, slotOf } from '#core/frr/syntax.ts';
import type { Block, ConfigTree } from '#core/frr/tree.ts';

interface Mutable {
  path: readonly string[];
  readonly lines: Map<string, string>;
}

/** What FRR holds after the changes. Throws when the order of the changes is wrong. */
export function interpret(start: ConfigTree, changes: readonly Change[]): ConfigTree {
  const tree = new Map<string, Mutable>();
  for (const [key, block] of start) tree.set(key, { path: block.path, lines: new Map(block.lines) });
  if (!tree.has('')) tree.set('', { path: [], lines: new Map() });
  for (const change of changes) type(tree, change);
  assertReferences(tree);
  for (const [key, { path, lines }] of tree)
    if (lines.size === 0 && /^(address-family|bfd$)/.test(path.at(-1) ?? '')) tree.delete(key);
  return tree;
}

function type(tree: Map<string, Mutable>, { path, command }: Change): void {
  for (let depth = 1; depth <= path.length; depth += 1) enter(tree, path.slice(0, depth));
  if (command === '') return;
  if (command.startsWith('no ') && removeBlock(tree, [...path, command.slice(3)])) return;
  const neighbor = /^no neighbor (\S+)(?: interface)?$/.exec(command)?.[1];
  if (neighbor !== undefined) return removeNeighbor(tree, path, neighbor);
  typeLine(tree, path, command);
}

function enter(tree: Map<string, Mutable>, path: readonly string[]): void {
  const known = tree.get(blockKey(path));
  if (known === undefined) tree.set(blockKey(path), { path, lines: new Map() });
  else known.path = path;
}

function removeBlock(tree: Map<string, Mutable>, path: readonly string[]): boolean {
  const key = blockKey(path);
  if (!tree.has(key)) return false;
  for (const other of tree.keys()) if (other === key || other.startsWith(`${key}\n`)) tree.delete(other);
  return true;
}

function removeNeighbor(tree: Map<string, Mutable>, path: readonly string[], neighbor: string): void {
  for (const block of tree.values()) {
    if (block.path[0] !== path[0]) continue;
    for (const [slot, line] of block.lines)
      if (line.startsWith(`neighbor ${neighbor} `)) block.lines.delete(slot);
  }
}

function typeLine(tree: Map<string, Mutable>, path: readonly string[], command: string): void {
  const block = tree.get(blockKey(path));
  if (block === undefined) throw new Error(`no block ${path.join(' > ')}`);
  const isNo = command.startsWith('no ');
  const slot = slotOf(path, command);
  const known = block.lines.get(slot);
  if (isNo && known !== undefined && !known.startsWith('no ')) block.lines.delete(slot);
  else if (!isNo && known?.startsWith('no ') === true) block.lines.delete(slot);
  else {
    const neighbor = /^neighbor (\S+) /.exec(command)?.[1];
    if (neighbor !== undefined && !/remote-as/.test(command)) assertNeighbor(tree, path, neighbor);
    assertMap(tree, command);
    block.lines.set(slot, command);
  }
}

function assertNeighbor(tree: ReadonlyMap<string, Block>, path: readonly string[], neighbor: string): void {
  const router = tree.get(blockKey(path.slice(0, 1)));
  if (router?.lines.has(`neighbor ${neighbor} remote-as`) !== true)
    throw new Error(`neighbor ${neighbor} does not exist yet`);
}

function assertMap(tree: ReadonlyMap<string, Block>, line: string): void {
  const map = /^(?:network|neighbor) .*route-map (\S+)/.exec(line)?.[1];
  if (map !== undefined && ![...tree.keys()].some((key) => key.startsWith(`route-map ${map} `)))
    throw new Error(`route-map ${map} does not exist: ${line}`);
}

function assertReferences(tree: ReadonlyMap<string, Block>): void {
  for (const block of tree.values()) for (const line of block.lines.values()) assertMap(tree, line);
}
