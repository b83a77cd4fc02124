/** `npm run lab`: start, look into and end labs from a terminal. Exit codes of programs run in a lab are passed on. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Arguments, parseArguments, USAGE, usageError } from '#lab/cli/arguments.ts';
import { LabError } from '#lab/errors.ts';
import { reloadImages } from '#lab/full/nodes.ts';
import { DEFAULT_NAME, Lab } from '#lab/lab.ts';
import { type Place, places } from '#lab/net/plan.ts';
import { NO_PROXY } from '#lab/process/daemon.ts';
import { StreamReporter } from '#lab/report.ts';
import { removeLab } from '#lab/state/remove.ts';
import { isLiving, labNames, readState } from '#lab/state/state.ts';
import { assertRoot } from '#lab/system/preflight.ts';

/** Runs a program with the terminal as its own; resolves to its exit code. */
function passThrough(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', (error) => reject(new LabError(`${program} cannot be started: ${error.message}`)));
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** Ctrl-C or SIGTERM while a lab comes up: what is there of it is taken down again. */
function abortOnSignal(): AbortSignal {
  const controller = new AbortController();
  for (const [signal, exitCode] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const])
    process.once(signal, () =>
      controller.abort(new LabError(`interrupted by ${signal}; the lab is removed`, { exitCode })),
    );
  return controller.signal;
}

async function up({ name, level, nodes }: Arguments): Promise<number> {
  const report = new StreamReporter('lab');
  const lab = await Lab.up({ name, level, nodes, persistent: true, report, signal: abortOnSignal() });
  const suffix = name === DEFAULT_NAME ? '' : ` --name ${name}`;
  process.stdout.write(
    `lab ${lab.name} is up. Try:\n` +
      `  npm run lab -- kubectl${suffix} get nodes\n` +
      `  npm run lab -- router${suffix} show bgp summary\n` +
      `  npm run lab -- down${suffix}\n`,
  );
  return 0;
}

async function down({ name }: Arguments): Promise<number> {
  assertRoot();
  const known = labNames().includes(name);
  await removeLab(name);
  process.stdout.write(known ? `lab ${name} is down\n` : `no lab ${name} is up\n`);
  return 0;
}

function status(): number {
  const names = labNames();
  if (names.length === 0) process.stdout.write('no lab is up\n');
  for (const name of names) {
    const state = readState(name);
    if (state === undefined) continue;
    const condition = isLiving(state) ? state.phase : 'dead (the next "up" or "down" removes its remains)';
    process.stdout.write(`lab ${name}: ${condition}, ${state.level} level, ${state.nodes} nodes\n`);
    for (const daemon of Lab.attach(name).daemons.list())
      process.stdout.write(
        `  ${daemon.name.padEnd(28)} ${daemon.alive ? `pid ${daemon.pid}` : 'not running'}\n`,
      );
  }
  return 0;
}

function logs({ name, rest }: Arguments): number {
  const lab = Lab.attach(name);
  const [program] = rest;
  const known = lab.daemons.list().map((daemon) => daemon.name);
  if (program === undefined) process.stdout.write(`${known.join('\n')}\n`);
  else if (known.includes(program)) process.stdout.write(readFileSync(lab.daemons.logPath(program), 'utf8'));
  else throw usageError(`lab ${name} has no program "${program}"; it has ${known.join(', ')}`);
  return 0;
}

function placeOf(lab: Lab, text: string | undefined): Place {
  const place = places(lab.nodeCount).find((known) => known === text);
  if (place === undefined)
    throw usageError(`"${text ?? ''}" is no place of this lab; it has ${places(lab.nodeCount).join(', ')}`);
  return place;
}

async function runIn(lab: Lab, place: Place, argv: readonly string[]): Promise<number> {
  if (argv.length === 0) throw usageError(`no program is given to run in ${place}`);
  return passThrough(lab.enter(place, argv), NO_PROXY);
}

async function router({ name, rest }: Arguments): Promise<number> {
  const vtysh = Lab.attach(name).router.vtyshCommand;
  if (rest.length === 0 || rest[0] === 'vtysh') return passThrough([...vtysh, ...rest.slice(1)]);
  return passThrough([...vtysh, '-c', rest.join(' ')]);
}

async function load({ name }: Arguments): Promise<number> {
  const lab = Lab.attach(name);
  if (lab.level !== 'full') throw usageError(`lab ${name} is of the light level: it runs no images`);
  await reloadImages(lab, new StreamReporter('lab'));
  return 0;
}

async function dispatch(args: Arguments): Promise<number> {
  switch (args.command) {
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'up':
      return up(args);
    case 'down':
      return down(args);
    case 'status':
      return status();
    case 'logs':
      return logs(args);
    case 'router':
      return router(args);
    case 'kubectl': {
      const { argv, env } = Lab.attach(args.name).kubectlCommand(args.rest);
      return passThrough(argv, env);
    }
    case 'exec': {
      const lab = Lab.attach(args.name);
      return runIn(lab, placeOf(lab, args.rest[0]), args.rest.slice(1));
    }
    case 'load':
      return load(args);
    case 'client':
      return runIn(Lab.attach(args.name), 'client', args.rest);
  }
}

try {
  process.exitCode = await dispatch(parseArguments(process.argv.slice(2), DEFAULT_NAME));
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`lab: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
