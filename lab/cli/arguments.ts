/** Reads the command line of `npm run lab`. */
import { EXIT_USAGE, LabError } from '#lab/errors.ts';

export const USAGE = `usage: npm run lab -- COMMAND [--name NAME]

  up [--light | --full] [--nodes K]   start a lab and leave it running (light, 3 nodes)
  down                                end it; nothing is left
  status                              labs of this machine and their programs
  kubectl ARGUMENTS...                kubectl as the administrator
  exec PLACE COMMAND...               run a program in node1, node2, ..., control, router, client or lan
  logs [PROGRAM]                      the log of a program; without one, which there are
  router [COMMAND...]                 one command of the router's vtysh (show bgp summary), or interactive
  router vtysh ARGUMENTS...           its vtysh with arguments of its own
  client COMMAND...                   run a program in the client behind the router
  load                                full level: build the images anew; pods started from now on run them

NAME is "mlb" unless told. Options of the lab come right after COMMAND; what follows belongs to the program.
`;

const COMMANDS = ['up', 'down', 'status', 'kubectl', 'exec', 'logs', 'router', 'client', 'load'] as const;
export type Command = (typeof COMMANDS)[number];

export interface Arguments {
  readonly command: Command | 'help';
  readonly name: string;
  readonly level: 'light' | 'full';
  readonly nodes: number;
  /** What follows the lab's own options. */
  readonly rest: readonly string[];
}

export function usageError(message: string): LabError {
  return new LabError(`${message}\n\n${USAGE.trimEnd()}`, { exitCode: EXIT_USAGE });
}

function isCommand(text: string | undefined): text is Command {
  return COMMANDS.some((command) => command === text);
}

/** Commands that take nothing after the lab's own options. */
const BARE: readonly Command[] = ['up', 'down', 'status', 'load'];

/** @throws LabError (exit code 64) that says what is wrong and how it is used. */
export function parseArguments(argv: readonly string[], defaultName: string): Arguments {
  const [command, ...rest] = argv;
  const defaults = { name: defaultName, level: 'light', nodes: 3 } as const;
  if (command === 'help' || command === '--help' || command === '-h')
    return { ...defaults, command: 'help', rest };
  if (command === undefined) throw usageError('no command is given');
  if (!isCommand(command)) throw usageError(`"${command}" is no command of the lab`);
  const parsed = { ...defaults, ...takeOptions(command, rest) };
  const [extra] = parsed.rest;
  if (BARE.includes(command) && extra !== undefined) throw usageError(`${command} does not take "${extra}"`);
  return { ...parsed, command };
}

interface Options {
  name?: string;
  level?: 'light' | 'full';
  nodes?: number;
  rest: readonly string[];
}

/** Takes the lab's own options from the front; the first word that is none ends them (`--` is dropped). */
function takeOptions(command: Command, words: readonly string[]): Options {
  const options: Options = { rest: [] };
  const left = [...words];
  for (;;) {
    const [word, value] = left;
    if (word === '--name') options.name = required(word, value);
    else if (command === 'up' && word === '--nodes') options.nodes = count(required(word, value));
    else if (command === 'up' && (word === '--light' || word === '--full')) {
      options.level = word === '--full' ? 'full' : 'light';
      left.shift();
      continue;
    } else break;
    left.splice(0, 2);
  }
  if (left[0] === '--') left.shift();
  return { ...options, rest: left };
}

function required(option: string, value: string | undefined): string {
  if (value === undefined || value.startsWith('-')) throw usageError(`${option} needs a value`);
  return value;
}

function count(text: string): number {
  if (!/^\d+$/.test(text)) throw usageError(`--nodes needs a number, not "${text}"`);
  return Number(text);
}
