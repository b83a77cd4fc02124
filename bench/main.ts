/**
 * `npm run bench -- NAME`: measures one part on real programs and prints its figures.
 *
 *   npm run bench                       lists the parts
 *   npm run bench -- NAME               measures; figures also go to bench/results/NAME.json
 *   npm run bench -- NAME --json FILE   figures go to FILE
 *   npm run bench -- NAME --check FILE  measures nothing: prints what misses its goal in FILE, exit code 1 if any
 *
 * `bgp` also takes `--only A,B` (burst, changes, attributes, mass, restarts), `--sizes 0,1000,5000` and `--changes 100`:
 * what was not measured then keeps its figures in the file. Each figure says when it was measured. So does `members`
 * with `--sizes 3,20,50,200,1000`.
 *
 * The chaos parts also take `--rounds N` (200 unless told; 0: only the figures of what is in FILE), `--kinds A,B`,
 * `--lab NAME` and `--samples FILE`: rounds are added to that file, and the figures are those of all in it. Kinds of
 * which it has none keep theirs.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  formatFigure,
  missedGoals,
  readFigures,
  saveFigures,
  withNewer,
  type Figure,
} from '#bench/figures.ts';
import { bgp, BGP_PARTS, BGP_SIZES, type BgpBench } from '#bench/bgp.ts';
import { calm, chaos, type ChaosOptions } from '#bench/chaos.ts';
import { compile } from '#bench/compile.ts';
import { controllerFaults } from '#bench/controller-faults.ts';
import { controller } from '#bench/controller.ts';
import { fuzz } from '#bench/fuzz.ts';
import { installs } from '#bench/installs.ts';
import { l2Fuzz } from '#bench/l2-fuzz.ts';
import { l2 } from '#bench/l2.ts';
import { members, MEMBERS_SIZES } from '#bench/members.ts';
import { smoke } from '#bench/smoke.ts';
import { webhooks } from '#bench/webhooks.ts';
import { messageOf } from '#core/errors.ts';
import { LabError } from '#lab/errors.ts';
import { CHAOS_KINDS } from '#tests/support/l2-chaos.ts';
import { StreamReporter, type Reporter } from '#lab/report.ts';

interface Options extends Omit<ChaosOptions, 'nodes'>, Omit<BgpBench, 'sizes'> {
  /** Undefined: those that the part has. */
  readonly sizes: readonly number[] | undefined;
}

interface Part {
  readonly about: string;
  readonly measure: (report: Reporter, options: Options) => Promise<readonly Figure[]>;
}

const chaosOf = (nodes: number): Part => ({
  about: `Layer 2 while things go wrong, ${nodes} nodes`,
  measure: (report, options) => chaos(report, { ...options, nodes }),
});

const parts: Readonly<Record<string, Part>> = {
  smoke: { about: 'announcement, Layer 2 take-over and Service → address, on a light lab', measure: smoke },
  bgp: {
    about: 'from an endpoint to the UPDATE at the routers, with 0 to 5,000 prefixes',
    measure: (report, options) => bgp(report, { ...options, sizes: options.sizes ?? BGP_SIZES }),
  },
  compile: { about: 'compiling a large configuration', measure: (report) => compile(report) },
  fuzz: { about: 'a million random configurations through compile and metallb validate', measure: fuzz },
  controller: {
    about: 'allocation: latency, CPU, writes, memory at 1,000 and 5,000 Services',
    measure: (report) => controller(report, { sizes: [1000, 5000], idleSeconds: 60, all: true }),
  },
  'controller-20000': {
    about: 'the same at 1,000 and 20,000 Services',
    measure: (report) => controller(report, { sizes: [1000, 20_000], idleSeconds: 60, all: true }),
  },
  'controller-idle': {
    about: 'ten idle minutes with 1,000 Services',
    measure: (report) => controller(report, { sizes: [1000], idleSeconds: 600, all: false }),
  },
  'controller-faults': {
    about: '1,000 Services while the leader is killed ten times',
    measure: controllerFaults,
  },
  l2: { about: 'ARP and NDP answers and elections', measure: l2 },
  'l2-fuzz': { about: 'ten million mutated frames through the readers of the wire', measure: l2Fuzz },
  members: {
    about: 'the liveness mesh, simulated',
    measure: (report, { sizes = MEMBERS_SIZES, save }) => Promise.resolve(members(report, { sizes, save })),
  },
  'chaos-3': chaosOf(3),
  'chaos-5': chaosOf(5),
  'chaos-20': chaosOf(20),
  calm: {
    about: 'Layer 2 for ten minutes with all cores busy: nothing may move',
    measure: (report) => calm(report, 5),
  },
  installs: {
    about: 'from the first command of an installation to an address that answers, by every road',
    measure: installs,
  },
  webhooks: { about: 'what a write waits for the admission webhook', measure: (report) => webhooks(report) },
};

/** Parts whose file keeps the figures of what was not measured this time. */
const MEASURED_IN_PARTS = ['bgp', 'members', 'chaos-3', 'chaos-5', 'chaos-20'];

function list(): number {
  for (const [name, { about }] of Object.entries(parts))
    process.stdout.write(`${name.padEnd(18)} ${about}\n`);
  return 0;
}

function check(name: string, file: string): number {
  const figures = readFigures(file);
  const missed = missedGoals(figures);
  for (const figure of missed) process.stdout.write(`${formatFigure(figure)}\n`);
  const goals = figures.filter(({ goal }) => goal !== undefined).length;
  if (goals === 0) throw new LabError(`${file} has no figure with a goal: nothing of ${name} can be checked`);
  process.stdout.write(`${name}: ${goals - missed.length} of ${goals} goals met\n`);
  return missed.length === 0 ? 0 : 1;
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'string' },
      check: { type: 'string' },
      rounds: { type: 'string', default: '200' },
      kinds: { type: 'string', default: CHAOS_KINDS.join(',') },
      samples: { type: 'string' },
      only: { type: 'string', default: BGP_PARTS.join(',') },
      sizes: { type: 'string' },
      changes: { type: 'string', default: '100' },
      lab: { type: 'string' },
    },
    allowPositionals: true,
  });
  const [name] = positionals;
  if (name === undefined) return list();
  const part = parts[name];
  if (part === undefined)
    throw new LabError(`no part is called ${name}; there is ${Object.keys(parts).join(', ')}`, {
      exitCode: 64,
    });
  if (values.check !== undefined) return check(name, values.check);
  const file = values.json ?? join(import.meta.dirname, 'results', `${name}.json`);
  const known = MEASURED_IN_PARTS.includes(name) ? readFigures(file) : [];
  const save = (figures: readonly Figure[]): void => saveFigures(file, withNewer(known, figures));
  const figures = await part.measure(new StreamReporter('bench'), {
    rounds: Number(values.rounds),
    kinds: CHAOS_KINDS.filter((kind) => values.kinds.split(',').includes(kind)),
    samples: values.samples,
    parts: BGP_PARTS.filter((each) => values.only.split(',').includes(each)),
    sizes: values.sizes?.split(',').map(Number),
    changes: Number(values.changes),
    lab: values.lab,
    save,
  });
  for (const figure of figures) process.stdout.write(`${formatFigure(figure)}\n`);
  save(figures);
  return 0;
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`bench: ${messageOf(error)}\n`);
  process.exit(error instanceof LabError ? error.exitCode : 70);
}
