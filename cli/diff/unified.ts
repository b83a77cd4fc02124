/** Two texts as a unified diff. */

const CONTEXT = 3;
/** Beyond this many changed lines the shortest way is not looked for: everything between is replaced. */
const MAX_CHANGES = 2_000;

interface Edit {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

/** The diff with three lines around each change; empty for equal texts. */
export function unified(
  from: string,
  to: string,
  names: { readonly from: string; readonly to: string },
): string {
  if (from === to) return '';
  const edits = editsOf(linesOf(from), linesOf(to));
  return `--- ${names.from}\n+++ ${names.to}\n${hunks(edits).join('')}`;
}

function linesOf(text: string): string[] {
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

function editsOf(a: readonly string[], b: readonly string[]): Edit[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const same = (line: string): Edit => ({ mark: ' ', line });
  return [
    ...a.slice(0, start).map(same),
    ...shortest(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(same),
  ];
}

/** The greedy search for the shortest edit script (E. Myers, 1986): furthest[k] is the reach on diagonal k. */
function shortest(a: readonly string[], b: readonly string[]): Edit[] {
  const trace: Map<number, number>[] = [];
  const furthest = new Map([[1, 0]]);
  const limit = Math.min(a.length + b.length, MAX_CHANGES);
  for (let changes = 0; changes <= limit; changes += 1) {
    trace.push(new Map(furthest));
    for (let k = -changes; k <= changes; k += 2) {
      let x = stepOf(furthest, k, changes);
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      furthest.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a, b);
    }
  }
  const mark =
    (sign: Edit['mark']) =>
    (line: string): Edit => ({ mark: sign, line });
  return [...a.map(mark('-')), ...b.map(mark('+'))];
}

const reach = (furthest: ReadonlyMap<number, number>, k: number): number => furthest.get(k) ?? -1;

/** True when diagonal k is best reached from the one above it, by an added line. */
function comesFromAbove(furthest: ReadonlyMap<number, number>, k: number, changes: number): boolean {
  return k === -changes || (k !== changes && reach(furthest, k - 1) < reach(furthest, k + 1));
}

function stepOf(furthest: ReadonlyMap<number, number>, k: number, changes: number): number {
  return comesFromAbove(furthest, k, changes) ? reach(furthest, k + 1) : reach(furthest, k - 1) + 1;
}

function walkBack(
  trace: readonly ReadonlyMap<number, number>[],
  a: readonly string[],
  b: readonly string[],
): Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [a.length, b.length];
  for (let changes = trace.length - 1; changes >= 0; changes -= 1) {
    const furthest = trace[changes] ?? new Map<number, number>();
    const isAdded = comesFromAbove(furthest, x - y, changes);
    const k = isAdded ? x - y + 1 : x - y - 1;
    const [fromX, fromY] = changes === 0 ? [0, 0] : [reach(furthest, k), reach(furthest, k) - k];
    for (; x > fromX && y > fromY; x -= 1, y -= 1) edits.push({ mark: ' ', line: a[x - 1] ?? '' });
    if (changes > 0)
      edits.push(isAdded ? { mark: '+', line: b[y - 1] ?? '' } : { mark: '-', line: a[x - 1] ?? '' });
    [x, y] = [fromX, fromY];
  }
  return edits.reverse();
}

/** Changes that are close together share a hunk. */
function hunks(edits: readonly Edit[]): string[] {
  const result: string[] = [];
  const changed = edits.flatMap(({ mark }, index) => (mark === ' ' ? [] : [index]));
  for (let at = 0; at < changed.length;) {
    let last = at;
    while (last + 1 < changed.length && (changed[last + 1] ?? 0) - (changed[last] ?? 0) <= 2 * CONTEXT)
      last += 1;
    const start = Math.max(0, (changed[at] ?? 0) - CONTEXT);
    result.push(hunk(edits, start, Math.min(edits.length, (changed[last] ?? 0) + CONTEXT + 1)));
    at = last + 1;
  }
  return result;
}

function hunk(edits: readonly Edit[], start: number, end: number): string {
  const count = (part: readonly Edit[], without: Edit['mark']): number =>
    part.filter(({ mark }) => mark !== without).length;
  const [before, inside] = [edits.slice(0, start), edits.slice(start, end)];
  const range = (without: Edit['mark']): string => {
    const length = count(inside, without);
    return `${count(before, without) + (length === 0 ? 0 : 1)},${length}`;
  };
  const lines = inside.map(({ mark, line }) => `${mark}${line}\n`).join('');
  return `@@ -${range('+')} +${range('-')} @@\n${lines}`;
}
