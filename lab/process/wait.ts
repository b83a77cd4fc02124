/** Waiting for a condition, with a deadline and words for what is waited for. Never a plain sleep. */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '#core/errors.ts';
import { LabError } from '#lab/errors.ts';

export interface WaitOptions {
  readonly deadlineMs?: number;
  readonly intervalMs?: number;
  /** Called when the deadline passed: the log lines that matter. */
  readonly explain?: () => string | Promise<string>;
}

type Present<T> = Exclude<T, undefined | null | false>;

/**
 * Calls `check` until it returns something other than undefined, null or false, and returns that. A check that
 * throws counts as "not yet"; its last error is in the message of the failure.
 * @throws LabError `waited N s for WHAT` with the last error and what `explain` says.
 */
export async function waitFor<T>(
  what: string,
  check: () => Promise<T> | T,
  options: WaitOptions = {},
): Promise<Present<T>> {
  const { deadlineMs = 30_000, intervalMs = 50, explain = () => '' } = options;
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const { value, error } = await attempt(what, check);
    if (value !== undefined) return value;
    if (performance.now() > deadline) {
      const details = [error, await explain()].filter((text) => text !== '').join('\n');
      throw new LabError(
        `waited ${deadlineMs / 1000} s for ${what} in vain${details === '' ? '' : `:\n${details}`}`,
      );
    }
    await delay(intervalMs);
  }
}

async function attempt<T>(
  what: string,
  check: () => Promise<T> | T,
): Promise<{ value: Present<T> | undefined; error: string }> {
  try {
    const value = await check();
    const present = value !== undefined && value !== null && value !== false;
    return { value: present ? (value as Present<T>) : undefined, error: '' };
  } catch (error) {
    if (error instanceof Fatal) throw new LabError(`${what}: ${error.message}`, { cause: error });
    return { value: undefined, error: messageOf(error) };
  }
}

/** Thrown by a check to end the waiting at once: the condition can no longer come true. */
export class Fatal extends Error {}
