/** When a condition last changed: the rule that all conditions follow. */

/** RFC 3339 in whole seconds, as the API server writes times. */
export function wholeSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** The stored time while the status stays the same, also when the reason for it changes; else `now`. */
export function transitionTime(
  before: { readonly status?: unknown; readonly lastTransitionTime?: string | undefined } | undefined,
  status: string,
  now: string,
): string {
  return (before?.status === status ? before.lastTransitionTime : undefined) ?? now;
}
