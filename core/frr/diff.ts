/**
 * The few commands that lead from one configuration to another. Policy comes before what refers to it, a prefix
 * changes its class in place (never withdrawn first), and what nobody refers to any more goes last.
 */
import { isNeighborBase, neighborOf, removalOf } from '#core/frr/syntax.ts';
import type { Block, ConfigTree } from '#core/frr/tree.ts';

export interface Change {
  /** The block in which the command is typed, from the outermost in; entering it creates it. */
  readonly path: readonly string[];
  /** Empty: only enter the block. */
  readonly command: string;
  /** Address or interface of the neighbour the command is about. */
  readonly neighbor: string | undefined;
}

const none: Block = { path: [], lines: new Map() };

/** The changes, in the order in which FRR must get them. Equal trees give none. */
export function diff(applied: ConfigTree, desired: ConfigTree): Change[] {
  const gone = [...applied].filter(([key]) => !desired.has(key)).map(([, block]) => block);
  const isRouter = ({ path }: Block): boolean => path[0]?.startsWith('router ') === true;
  const goneRouters = gone.filter((block) => isRouter(block) && block.path.length === 1);
  const goneOthers = gone.filter((block) => !isRouter(block) && !inGoneBlock(block, gone));
  const kept = [...desired].map(([key, block]): [Block, Block] => [applied.get(key) ?? none, block]);
  const policies = kept.filter(([, block]) => !isRouter(block) && block.path.length > 0);
  const routers = kept.filter(([, block]) => isRouter(block));
  return [
    ...goneRouters.map(removeBlock),
    ...changeTop(applied.get('') ?? none, desired.get('') ?? none),
    ...policies.flatMap(([from, to]) => changeBlock(from, to)),
    ...routerChanges(routers, gone, goneRouters),
    ...goneOthers.map(removeBlock),
  ];
}

function inGoneBlock(block: Block, gone: readonly Block[]): boolean {
  return gone.some(
    ({ path }) => path.length < block.path.length && path.every((header, i) => header === block.path[i]),
  );
}

function change(path: readonly string[], command: string): Change {
  return { path, command, neighbor: path[0]?.startsWith('router ') ? neighborOf(command) : undefined };
}

function removeBlock({ path }: Block): Change {
  return change(path.slice(0, -1), `no ${path.at(-1)}`);
}

function changeTop(from: Block, to: Block): Change[] {
  return [...removedLines(from, to), ...addedLines(from, to)];
}

/** Lines of a block that go, as commands. Lines that get another value are not among them. */
function removedLines(from: Block, to: Block): Change[] {
  const changes: Change[] = [];
  for (const [slot, line] of from.lines)
    if (!to.lines.has(slot)) changes.push(change(to.path, removalOf(from.path, line)));
  return changes;
}

function addedLines(from: Block, to: Block): Change[] {
  const changes: Change[] = [];
  for (const [slot, line] of to.lines) if (from.lines.get(slot) !== line) changes.push(change(to.path, line));
  return changes;
}

/** A block outside the routers: entered when it is new or its header changed, then its lines. */
function changeBlock(from: Block, to: Block): Change[] {
  const changes = [...removedLines(from, to), ...addedLines(from, to)];
  const isEntered = from.path.at(-1) === to.path.at(-1) || changes.length > 0;
  return isEntered ? changes : [change(to.path, '')];
}

function routerChanges(
  routers: readonly (readonly [Block, Block])[],
  gone: readonly Block[],
  goneRouters: readonly Block[],
): Change[] {
  const own = routers.filter(([, to]) => to.path.length === 1);
  const families = routers.filter(([, to]) => to.path.length > 1);
  const removed = new Map(own.map(([from, to]) => [to.path[0], removedNeighbors(from, to)]));
  const emptied = gone
    .filter((block) => block.path.length > 1 && block.path[0]?.startsWith('router '))
    .filter((block) => !goneRouters.some((router) => router.path[0] === block.path[0]))
    .map((block): [Block, Block] => [block, { path: block.path, lines: new Map() }]);
  const parts = [...families, ...emptied].map(([from, to]): FamilyChange => {
    const rest = without(from, removed.get(to.path[0]) ?? []);
    return { removed: removedLines(rest, to), added: addedLines(rest, to) };
  });
  return [
    ...own.flatMap(([from, to]) => changeRouter(from, to)),
    ...parts.flatMap(changeFamily),
    ...parts.flatMap(changeNetworks),
    ...own.flatMap(([from, to]) => newNeighbors(from, to).map((word) => start(to, word))),
  ];
}

/**
 * Neighbours that are new. They are shut down while their lines are typed: a session that begins before that would
 * come up without its password, its BFD or its timers, and be reset by each of them.
 */
function newNeighbors(from: Block, to: Block): string[] {
  return [...to.lines]
    .filter(([slot, line]) => isNeighborBase(line) && !from.lines.has(slot))
    .map(([, line]) => neighborOf(line) ?? '')
    .filter((word) => !to.lines.has(shutdown(word)));
}

function shutdown(word: string): string {
  return `neighbor ${word} shutdown`;
}

function start(router: Block, word: string): Change {
  return change(router.path, `no ${shutdown(word)}`);
}

function removedNeighbors(from: Block, to: Block): string[] {
  return [...from.lines]
    .filter(([slot, line]) => isNeighborBase(line) && !to.lines.has(slot))
    .map(([, line]) => neighborOf(line) ?? '');
}

function without(block: Block, neighbors: readonly string[]): Block {
  if (neighbors.length === 0) return block;
  const lines = [...block.lines].filter(([, line]) => !neighbors.includes(neighborOf(line) ?? ''));
  return { path: block.path, lines: new Map(lines) };
}

function changeRouter(from: Block, to: Block): Change[] {
  const removed = removedNeighbors(from, to);
  const bases = [...from.lines.values()].filter(
    (line) => isNeighborBase(line) && removed.includes(neighborOf(line) ?? ''),
  );
  const rest = without(from, removed);
  const dropNeighbors = bases.map((line) => change(to.path, removeNeighbor(line)));
  const held = new Set(newNeighbors(from, to));
  const added = addedLines(rest, to).flatMap((each) =>
    isNeighborBase(each.command) && each.neighbor !== undefined && held.has(each.neighbor)
      ? [each, change(to.path, shutdown(each.neighbor))]
      : [each],
  );
  const changes = [...dropNeighbors, ...removedLines(rest, to).reverse(), ...added];
  return from === none && changes.length === 0 ? [change(to.path, '')] : changes;
}

function removeNeighbor(base: string): string {
  const word = neighborOf(base) ?? '';
  return / interface /.test(base) ? `no neighbor ${word} interface` : `no neighbor ${word}`;
}

interface FamilyChange {
  readonly removed: readonly Change[];
  readonly added: readonly Change[];
}

function isNetwork({ command }: Change): boolean {
  return command.startsWith('network ') || command.startsWith('no network ');
}

/** Everything of an address family but its networks; a neighbour is activated when its policy is in place. */
function changeFamily({ removed, added }: FamilyChange): Change[] {
  const isOther = (each: Change): boolean => !isNetwork(each);
  const isActivation = ({ command }: Change): boolean => command.endsWith(' activate');
  const others = added.filter(isOther);
  return [
    ...removed.filter(isOther),
    ...others.filter((each) => !isActivation(each)),
    ...others.filter(isActivation),
  ];
}

function changeNetworks({ removed, added }: FamilyChange): Change[] {
  return [...added.filter(isNetwork), ...removed.filter(isNetwork)];
}
