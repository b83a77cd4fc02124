/** What every command has to do with its surroundings: environment, output, flags, and failures that are not its own. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { AppError, SettingsError, messageOf } from '#core/errors.ts';

export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  /** For people: it must not mix with the output. */
  readonly warn: (text: string) => void;
}

/** The flags and what stands beside them. Throws SettingsError naming a flag that is unknown or lacks its value. */
export function parseFlags<const T extends ParseArgsOptionsConfig>(argv: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options });
  } catch (error) {
    throw new SettingsError([messageOf(error)]);
  }
}

/** True for failures of the surroundings: the API server, a file that cannot be read. */
export function isOfSurroundings(error: unknown): error is Error {
  return error instanceof AppError || (error instanceof Error && 'code' in error);
}
