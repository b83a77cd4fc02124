/** The command line of `npm run demo`. */
import { parseArgs } from 'node:util';
import { messageOf } from '#core/errors.ts';
import { EXIT_USAGE, LabError } from '#lab/errors.ts';
import { DEFAULT_NAME } from '#lab/lab.ts';
import type { Level } from '#lab/state/state.ts';

export const DEMO_USAGE = `npm run demo [-- OPTIONS]
  --light       our programs as plain processes in the nodes' namespaces
  --full        kubelets, containers, the operator
                (neither: the highest level that this machine can carry)
  --down        take everything away at the end
  --name NAME   name of the lab (default ${DEFAULT_NAME})
  --json FILE   write the story as data
`;

export interface DemoArguments {
  /** Undefined: the highest level that the machine can carry. */
  readonly level: Level | undefined;
  readonly down: boolean;
  readonly name: string;
  readonly json: string | undefined;
  readonly help: boolean;
}

/** @throws LabError with exit code 64 and the usage for anything it does not know. */
export function parseDemoArguments(argv: readonly string[]): DemoArguments {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        light: { type: 'boolean', default: false },
        full: { type: 'boolean', default: false },
        down: { type: 'boolean', default: false },
        name: { type: 'string', default: DEFAULT_NAME },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.light && values.full) throw new Error('--light and --full exclude each other');
    const level = values.light ? 'light' : values.full ? 'full' : undefined;
    return { level, down: values.down, name: values.name, json: values.json, help: values.help };
  } catch (error) {
    throw new LabError(`${messageOf(error)}\n${DEMO_USAGE}`, { exitCode: EXIT_USAGE, cause: error });
  }
}
