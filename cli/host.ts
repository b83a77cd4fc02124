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

/** The kubeconfig of a command: by its flag, else by the environment; empty: as kubectl finds one. */
export function kubeconfigOf(flag: string | undefined, env: Host['env']): string {
  return flag ?? env['KUBECONFIG'] ?? '';
}

/** What is wrong with `--output` of a command that prints text or JSON. */
export function outputProblems(output: string): string[] {
  return output === 'text' || output === 'json' ? [] : [`--output: "${output}" is not one of text, json`];
}

/** True for failures of the surroundings: the API server, a file that cannot be read. */
export function isOfSurroundings(error: unknown): error is Error {
  return error instanceof AppError || (error instanceof Error && 'code' in error);
}
