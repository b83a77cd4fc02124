/** Orders that make the outcome independent of the order of the input (api.md §6.1, §12 item 28). */

export interface Named {
  readonly metadata: { readonly name: string; readonly creationTimestamp?: string | undefined };
}

/** Compares by code units, not by locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By object name: the order in which problems are told. */
export function byName(a: Named, b: Named): number {
  return compareText(a.metadata.name, b.metadata.name);
}

/**
 * Who was there first, then by name: of two objects that exclude each other the senior one stays in force, so that
 * what works is not taken away by what comes later.
 */
export function bySeniority(a: Named, b: Named): number {
  return compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') || byName(a, b);
}

/** A creation time later than all others. */
export const LATEST = '9999-12-31T23:59:59Z';
