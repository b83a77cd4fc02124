/** The last item whose start is at or below `value`, in a list sorted by start; O(log n). */
export function lastAtOrBelow<T>(
  sorted: readonly T[],
  value: bigint,
  start: (item: T) => bigint,
): T | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = sorted[middle];
    if (item !== undefined && start(item) <= value) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}
