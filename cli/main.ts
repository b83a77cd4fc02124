/** `npm run metallb -- COMMAND`: tools for people, from a clone. */
import { SettingsError, messageOf } from '#core/errors.ts';
import { diffCommand, usage as diffUsage } from '#cli/diff/command.ts';
import { doctorCommand, usage as doctorUsage } from '#cli/doctor/command.ts';
import { isOfSurroundings, type Host } from '#cli/host.ts';
import { migrateCommand, usage as migrateUsage } from '#cli/migrate/command.ts';
import { moveCommand, usage as moveUsage } from '#cli/move/command.ts';
import { renderCommand, usage as renderUsage } from '#cli/render/command.ts';
import { simulateCommand, usage as simulateUsage } from '#cli/simulate/command.ts';
import { usage as validateUsage, validateCommand } from '#cli/validate/command.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 64;
const EXIT_BUG = 70;

const host: Host = {
  env: process.env,
  write: (text: string) => process.stdout.write(text),
  warn: (text: string) => process.stderr.write(text),
};

type Command = (argv: readonly string[], surroundings: Host) => Promise<number>;

const commands = new Map<string, { readonly run: Command; readonly usage: string }>([
  ['validate', { run: validateCommand, usage: validateUsage }],
  ['render', { run: renderCommand, usage: renderUsage }],
  ['diff', { run: diffCommand, usage: diffUsage }],
  ['simulate', { run: simulateCommand, usage: simulateUsage }],
  ['doctor', { run: doctorCommand, usage: doctorUsage }],
  ['migrate', { run: migrateCommand, usage: migrateUsage }],
  ['move', { run: moveCommand, usage: moveUsage }],
]);

async function run(): Promise<number> {
  const [name, ...argv] = process.argv.slice(2);
  const asked = process.env['INIT_CWD'];
  if (asked !== undefined) process.chdir(asked);
  const command = commands.get(name ?? '');
  const isHelp = argv.includes('--help');
  if (command !== undefined && !isHelp) return command.run(argv, host);
  process.stdout.write(command?.usage ?? [...commands.values()].map(({ usage }) => usage).join('\n'));
  return isHelp || name === undefined || name === 'help' ? 0 : EXIT_USAGE;
}

try {
  process.exitCode = await run();
} catch (error) {
  const problems = error instanceof SettingsError ? error.problems : [messageOf(error)];
  for (const problem of problems) process.stderr.write(`metallb: ${problem}\n`);
  process.exitCode =
    error instanceof SettingsError ? EXIT_USAGE : isOfSurroundings(error) ? EXIT_FAILED : EXIT_BUG;
}
