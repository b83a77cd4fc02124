/** How often speakers beat and how long silence may last. All times in milliseconds. */

/** 100 ms for up to 50 nodes, then slower, so that no node sends or receives more than about 1,000 packets a second. */
export function beatInterval(nodes: number): number {
  return Math.min(1_000, Math.max(100, 2 * nodes));
}

/** A peer heard within so many of its beats is a witness: what it says about others is up to date. */
export const FRESH_BEATS = 2.5;
/** A peer not heard for so many of its beats is suspected. */
export const SILENT_BEATS = 4.5;
/** A gap of so many beats in our own ticking means that we stood still, and that the others may have noticed. */
export const STALL_BEATS = 4;
/** Beats for which a starting speaker listens before it takes part, and others listen to one that comes back. */
export const SETTLE_BEATS = 2;
/** Beats for which a starting speaker waits for what the others report, should it not arrive with their first ones. */
export const REPORT_BEATS = 10;
/** Time after which a starting speaker takes part although it hears no majority of its peers. */
export const START_PATIENCE = 10_000;
/** The same where there are at most two nodes: the other one may simply be off. */
export const PAIR_PATIENCE = 1_000;
/** A stranger (a speaker that is not in the list of peers) is forgotten after so long a silence. */
export const STRANGER_MEMORY = 60_000;
/** Ticks for each beat. */
export const TICKS_PER_BEAT = 4;
