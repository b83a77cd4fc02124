/** Unified diffs as `patch` takes them, strictly. */

/** Applies a unified diff to lines. Throws when a line of a hunk is not where its header says. */
export function patch(from: readonly string[], diff: string): string[] {
  const result: string[] = [];
  let at = 0;
  for (const line of diff.split('\n').slice(2, -1)) {
    const start = /^@@ -(\d+),(\d+) \+\d+,\d+ @@$/.exec(line);
    if (start !== null) {
      const begin = start[2] === '0' ? Number(start[1]) : Number(start[1]) - 1;
      result.push(...from.slice(at, begin));
      at = begin;
      continue;
    }
    const [mark, text] = [line[0], line.slice(1)];
    if (mark === '+') result.push(text);
    else {
      if (from[at] !== text) throw new Error(`line ${at + 1} is ${from[at]}, not ${text}`);
      at += 1;
      if (mark === ' ') result.push(text);
    }
  }
  return [...result, ...from.slice(at)];
}
