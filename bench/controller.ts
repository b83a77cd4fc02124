/**
 * What the controller costs on a real API server: an address when nothing else happens, bursts, idleness, a restart
 * over many Services, deletions with others waiting. The program runs as the bundle and with the flags of the image.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { distribution, type Figure } from '#bench/figures.ts';
import { Stage, WAIT_MS } from '#bench/controller-stage.ts';
import type { Reporter } from '#lab/report.ts';
import { eventually } from '#tests/support/eventually.ts';
import { build } from '#tools/build.ts';

const IDLE = 200;
/** The goal of CPU: 12 s for 4,000 Services. */
const CPU_GOAL = { services: 4000, seconds: 12 };

export interface ControllerBench {
  /** Services of each burst, ascending. */
  readonly sizes: readonly number[];
  /** How long nothing is done after each burst. */
  readonly idleSeconds: number;
  /** Latency, restart and deletions too, not only bursts and idleness. */
  readonly all: boolean;
}

export async function controller(report: Reporter, options: ControllerBench): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'metallb-bench-'));
  try {
    report.step('bundling the controller');
    await build(folder, { programs: ['controller'] });
    const figures: Figure[] = [];
    const costs: [size: number, seconds: number][] = [];
    for (const size of options.sizes) {
      await using stage = await Stage.start(join(folder, 'controller/main.mjs'));
      if (figures.length === 0 && options.all) figures.push(...(await latency(stage, report)));
      const { found, cpu } = await burst(stage, size, report);
      costs.push([size, cpu]);
      figures.push(...found, ...(await idleness(stage, size, options.idleSeconds, report)));
      if (!options.all) continue;
      figures.push(...(await restart(stage, size, report)), ...(await deletions(stage, size, report)));
    }
    return [...figures, ...growth(costs)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function latency(stage: Stage, report: Reporter): Promise<Figure[]> {
  report.step(`${IDLE} Services, one after another`);
  const samples: number[] = [];
  for (let index = 0; index < IDLE; index += 1) {
    const name = `idle-${index}`;
    const started = performance.now();
    await stage.create([name]);
    await eventually(() => {
      if (!stage.served.has(name)) throw new Error(`${name} has no address`);
    }, WAIT_MS);
    samples.push((stage.served.get(name) ?? 0) - started);
  }
  await stage.delete([...stage.served.keys()]);
  await stage.poolSays('assignedIPv4', 0);
  const about = { unit: 'ms', size: `${IDLE} Services`, goal99: '<= 30' };
  return distribution('controller: Service created → address, idle', about, samples);
}

async function burst(
  stage: Stage,
  size: number,
  report: Reporter,
): Promise<{ found: Figure[]; cpu: number }> {
  report.step(`a burst of ${size} Services`);
  await stage.writes();
  const before = stage.cpu();
  const started = performance.now();
  await stage.create(Array.from({ length: size }, (_, index) => `s${index}`));
  const created = performance.now();
  const last = await stage.allServed(size);
  const seconds = (last - started) / 1000;
  await stage.poolSays('assignedIPv4', size);
  const after = stage.cpu();
  const cpu = after.controller - before.controller;
  const server = after.apiServer - before.apiServer;
  const writes = await stage.writes();
  const memory = stage.memory();
  const of = `${size} Services`;
  const share = (used: number): number => (100 * used) / (seconds * cpus().length);
  const perCent = ['%', of] as const;
  const found: Figure[] = [
    figure('burst: first request → last address', seconds, ['s', of]),
    figure('burst: last request answered → last address', Math.max(0, last - created) / 1000, ['s', of]),
    figure('burst: CPU of the controller', cpu, ['s', of]),
    figure(
      `burst: CPU of the controller per ${CPU_GOAL.services} Services`,
      (cpu / size) * CPU_GOAL.services,
      ['s', of, `<= ${CPU_GOAL.seconds}`],
    ),
    figure('burst: share of the machine, API server and etcd', share(server), perCent),
    figure('burst: share of the machine, controller', share(cpu), perCent),
    figure('burst: share of the machine, bench', share(after.bench - before.bench), perCent),
    figure('burst: status writes per Service, of Services', writes.services / size, ['', of, '<= 1']),
    figure('burst: status writes per Service, of pools', writes.pools / size, ['', of, '<= 0.1']),
    figure('burst: Events per Service', writes.events / size, ['', of]),
    figure('burst: other writes', writes.others, ['', of]),
    figure('burst: resident memory', memory.now, ['MB', of, size === 5000 ? '<= 110' : undefined]),
    figure('burst: resident memory, most', memory.peak, ['MB', of]),
  ];
  report.step(
    `bounded by ${server > cpu ? 'the API server' : 'the controller'}: CPU ${server} s and ${cpu} s`,
  );
  return { found, cpu };
}

async function idleness(stage: Stage, size: number, seconds: number, report: Reporter): Promise<Figure[]> {
  report.step(`${seconds} s in which nothing happens`);
  // Events are written one after another, behind the addresses.
  await eventually(async () => {
    if ((await stage.writes()).events > 0) throw new Error('Events are still being written');
  }, WAIT_MS);
  const before = stage.cpu().controller;
  await setTimeout(seconds * 1000);
  const { services, pools, events, others } = await stage.writes();
  const of = `${size} Services, ${seconds} s`;
  return [
    figure('idle: writes', services + pools + events + others, ['', of, '<= 0']),
    figure('idle: CPU', stage.cpu().controller - before, ['s', of]),
    figure('idle: resident memory', stage.memory().now, ['MB', of, size === 5000 ? '<= 110' : undefined]),
  ];
}

async function restart(stage: Stage, size: number, report: Reporter): Promise<Figure[]> {
  report.step(`a restart over ${size} Services`);
  await stage.process.stop();
  await stage.writes();
  const started = performance.now();
  stage.process = await stage.lab.startController();
  const ready = performance.now() - started;
  const { services, pools, events, others } = await stage.writes();
  const of = `${size} Services`;
  return [
    figure('restart: start → ready', ready / 1000, ['s', of]),
    figure('restart: CPU of the controller', stage.cpu().controller, ['s', of]),
    figure('restart: writes', services + pools + events + others, ['', of, '<= 0']),
    figure('restart: resident memory', stage.memory().now, ['MB', of]),
  ];
}

/** Half of the Services go while as many wait for their addresses. */
async function deletions(stage: Stage, size: number, report: Reporter): Promise<Figure[]> {
  const half = size / 2;
  report.step(`${half} deletions with as many waiting`);
  await stage.lab.pool('bench', [`10.0.0.0-10.0.${(size - 1) >> 8}.${(size - 1) & 255}`]);
  await stage.poolSays('availableIPv4', 0);
  await stage.create(Array.from({ length: half }, (_, index) => `w${index}`));
  await stage.writes();
  const before = stage.cpu().controller;
  const started = performance.now();
  await stage.delete(Array.from({ length: half }, (_, index) => `s${index}`));
  const deleted = performance.now();
  await eventually(() => {
    const left = [...stage.served.keys()].filter((name) => name.startsWith('w')).length;
    if (left < half) throw new Error(`${left} of ${half} waiting Services were served`);
  }, WAIT_MS);
  const last = Math.max(...stage.served.values());
  const cpu = stage.cpu().controller - before;
  const writes = await stage.writes();
  const of = `${half} deletions`;
  return [
    figure('deletions: first request → last waiter served', (last - started) / 1000, ['s', of]),
    figure('deletions: last answer → last waiter served', Math.max(0, last - deleted) / 1000, ['s', of]),
    figure('deletions: CPU of the controller', cpu, ['s', of]),
    figure('deletions: status writes per waiter', writes.services / half, ['', of, '<= 1']),
    figure('deletions: resident memory', stage.memory().now, ['MB', of]),
  ];
}

/** Exponent of CPU over size between the smallest and the largest burst: 1 is linear. */
function growth(costs: readonly (readonly [size: number, seconds: number])[]): Figure[] {
  const [first, last] = [costs[0], costs.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const exponent = Math.log(last[1] / first[1]) / Math.log(last[0] / first[0]);
  const size = `${first[0]} → ${last[0]} Services`;
  return [figure('burst: growth exponent of CPU', exponent, ['', size, '<= 1.1'])];
}

type About = readonly [unit: string, size: string, goal?: string | undefined];

function figure(name: string, value: number, [unit, size, goal]: About): Figure {
  const rounded = Math.round(value * 100) / 100;
  return {
    figure: `controller: ${name}`,
    unit,
    size,
    value: rounded,
    ...(goal === undefined ? {} : { goal }),
  };
}
