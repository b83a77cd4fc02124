/** Which level the demo takes, and why. */
import { assertFull, canRunFull } from '#lab/full/probe.ts';
import type { Level } from '#lab/state/state.ts';

export interface Choice {
  readonly level: Level;
  /** In words for the user. */
  readonly why: string;
}

/**
 * The level that was asked for, or the highest that this machine can carry.
 * @throws LabError when the full level is asked for and the machine cannot carry it.
 */
export function chooseLevel(asked: Level | undefined): Choice {
  if (asked === 'full') assertFull();
  if (asked !== undefined) return { level: asked, why: 'as asked for' };
  const { able, reasons } = canRunFull();
  if (able) return { level: 'full', why: 'the highest, which this machine can carry' };
  return { level: 'light', why: `the full level cannot run here: ${reasons.join('; ')}` };
}
