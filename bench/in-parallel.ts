/** Work on many things with a number of them under way at any time. */

/** Calls `act` for each item, in their order; returns when all are done, throws what one of them throws. */
export async function inParallel<T>(
  items: readonly T[],
  workers: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await act(item);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
