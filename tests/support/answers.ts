/** Who answered for an address and when: pauses, and times with two answerers. Times are milliseconds. */

export interface Answer {
  readonly at: number;
  /** Who answered. */
  readonly by: string;
}

/** Longest time without an answer between `from` and `to`, both of which count as answered. */
export function longestPause(answers: readonly Answer[], from: number, to: number): number {
  const times = answers.map(({ at }) => at).filter((at) => at > from && at < to);
  let longest = 0;
  let before = from;
  for (const at of [...times, to]) {
    longest = Math.max(longest, at - before);
    before = at;
  }
  return longest;
}

/**
 * Longest time with two answerers between `from` and `to`. One question is answered twice when two different ones
 * answer within `slot`, which is less than the time between two questions; such questions belong together when they
 * are no more than three questions apart.
 */
export function longestDouble(
  answers: readonly Answer[],
  range: { from: number; to: number },
  slot: number,
): number {
  const inRange = answers.filter(({ at }) => at >= range.from && at <= range.to);
  let longest = 0;
  let start: number | undefined;
  let last = Number.NEGATIVE_INFINITY;
  for (const [index, { at, by }] of inRange.entries()) {
    const next = inRange[index + 1];
    if (next === undefined || next.by === by || next.at - at > slot) continue;
    if (start === undefined || at - last > 4 * slot) start = at;
    last = next.at;
    longest = Math.max(longest, last - start);
  }
  return longest;
}
