/** What stops the lab: one line that names what is wrong and what to do, and the exit code of the command line. */

/** sysexits: wrong usage. */
export const EXIT_USAGE = 64;
/** sysexits: something the lab needs is missing or did not work. */
export const EXIT_UNAVAILABLE = 69;

export class LabError extends Error {
  readonly exitCode: number;

  /** `message` is shown to the user as it is: name the thing and the remedy. */
  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LabError';
    this.exitCode = options.exitCode ?? EXIT_UNAVAILABLE;
  }
}
