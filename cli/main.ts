/** `npm run metallb -- COMMAND`: tools for people, from a clone. */
import { AppError, SettingsError } from '#core/errors.ts';
import { moveCommand, usage as moveUsage } from '#cli/move/command.ts';
import { usage, validateCommand } from '#cli/validate/command.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 64;
const EXIT_BUG = 70;

async function run(): Promise<number> {
  const [command, ...argv] = process.argv.slice(2);
  const asked = process.env['INIT_CWD'];
  if (asked !== undefined) process.chdir(asked);
  if (command === 'validate' && !argv.includes('--help'))
    return validateCommand(argv, { env: process.env, write: (text) => process.stdout.write(text) });
  if (command === 'move' && !argv.includes('--help'))
    return moveCommand(argv, { env: process.env, write: (text) => process.stdout.write(text) });
  process.stdout.write(command === 'move' ? moveUsage : `${usage}\n${moveUsage}`);
  return command === undefined || command === 'help' || argv.includes('--help') ? 0 : EXIT_USAGE;
}

try {
  process.exitCode = await run();
} catch (error) {
  const problems = error instanceof SettingsError ? error.problems : [messageOf(error)];
  for (const problem of problems) process.stderr.write(`metallb: ${problem}\n`);
  process.exitCode = error instanceof SettingsError ? EXIT_USAGE : isExpected(error) ? EXIT_FAILED : EXIT_BUG;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Errors of the surroundings: the API server, a file that cannot be read. */
function isExpected(error: unknown): boolean {
  return error instanceof AppError || (error instanceof Error && 'code' in error);
}
