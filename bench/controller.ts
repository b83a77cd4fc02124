/**
 * What the controller costs on a real API server: an address when nothing else happens, bursts, idleness, a restart
 * over many Services, deletions with others waiting and of everything. The program runs as the bundle and with the flags of the image.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Writes } from '#bench/api-server-metrics.ts';
import { distribution, type Figure } from '#bench/figures.ts';
import { Growth } from '#bench/growth.ts';
import { CREATORS, Stage, WAIT_MS } from '#bench/controller-stage.ts';
import type { Reporter } from '#lab/report.ts';
import { eventually } from '#tests/support/eventually.ts';
import { build } from '#tools/build.ts';

const IDLE = 200;
const ALONE = 500;
const GROWTH_GOAL = '<= 1.1';
/** Of more than these no half is deleted while as many wait: API servers take an hour for it. */
const MOST_WAITING = 5000;
/** Of the controller: writes of different Services side by side. */
const SERVICE_WRITERS = 16;
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
    const growth = new Growth();
    for (const size of options.sizes) {
      await using stage = await Stage.start(join(folder, 'controller/main.mjs'));
      if (figures.length === 0 && options.all) figures.push(...(await latency(stage, report)));
      const more = size > MOST_WAITING ? [restart, storm] : [restart, deletions, storm];
      for (const measure of options.all ? [burst, idleness, ...more] : [burst, idleness]) {
        figures.push(...(await measure({ stage, size, report, growth, idleSeconds: options.idleSeconds })));
      }
    }
    return [...figures, ...growth.figures('Services')];
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

interface Case {
  readonly stage: Stage;
  readonly size: number;
  readonly report: Reporter;
  readonly growth: Growth;
  readonly idleSeconds: number;
}

async function burst({ stage, size, report, growth }: Case): Promise<Figure[]> {
  report.step(`a burst of ${size} Services`);
  await stage.writes();
  stage.behind = 0;
  const before = stage.cpu();
  const started = performance.now();
  await stage.create(Array.from({ length: size }, (_, index) => `s${index}`));
  const created = performance.now();
  const last = await stage.allServed(size);
  const seconds = (last - started) / 1000;
  const writes = await stage.writes();
  const after = stage.cpu();
  await stage.poolSays('assignedIPv4', size);
  const pools = writes.pools + (await stage.writes()).pools;
  const cpu = after.controller - before.controller;
  growth.add('controller: burst: CPU of the controller', size, cpu, GROWTH_GOAL);
  // The API server's: it takes longer for each Service the more there are, with or without a controller.
  growth.add('controller: burst: CPU of API server and etcd', size, after.apiServer - before.apiServer);
  growth.add('controller: burst: first request → last address', size, seconds);
  const memory = stage.memory();
  const of = `${size} Services`;
  const share = (used: number): number => (100 * used) / (seconds * cpus().length);
  return [
    figure('burst: first request → last address', seconds, ['s', of]),
    figure('burst: last request answered → last address', Math.max(0, last - created) / 1000, ['s', of]),
    figure('burst: Services created and not served, most at once', stage.behind, ['', of]),
    figure('burst: writes', total(writes) / seconds, ['/s', of]),
    figure(`burst: creations under way, of ${CREATORS}`, writes.inFlight.bench, ['', of]),
    figure(`burst: status writes under way, of ${SERVICE_WRITERS}`, writes.inFlight.services, ['', of]),
    figure('burst: status write in the API server', (1000 * writes.busy.services) / size, ['ms', of]),
    figure('burst: CPU of the controller', cpu, ['s', of]),
    figure(
      `burst: CPU of the controller per ${CPU_GOAL.services} Services`,
      (cpu / size) * CPU_GOAL.services,
      ['s', of, `<= ${CPU_GOAL.seconds}`],
    ),
    figure('burst: share of the machine, API server and etcd', share(after.apiServer - before.apiServer), [
      '%',
      of,
    ]),
    figure('burst: share of the machine, controller', share(cpu), ['%', of]),
    figure('burst: share of the machine, bench', share(after.bench - before.bench), ['%', of]),
    figure('burst: status writes per Service, of Services', writes.services / size, ['', of, '<= 1']),
    figure('burst: status writes per Service, of pools', pools / size, ['', of, '<= 0.1']),
    figure('burst: Events per Service', writes.events / size, ['', of]),
    figure('burst: other writes', writes.others, ['', of]),
    figure('burst: resident memory', memory.now, ['MB', of, size === 5000 ? '<= 110' : undefined]),
    figure('burst: resident memory, most', memory.peak, ['MB', of]),
  ];
}

async function idleness({ stage, size, report, idleSeconds }: Case): Promise<Figure[]> {
  report.step(`${idleSeconds} s in which nothing happens`);
  // Events are written one after another, behind the addresses.
  await eventually(async () => {
    if ((await stage.writes()).events > 0) throw new Error('Events are still being written');
  }, WAIT_MS);
  const before = stage.cpu().controller;
  await setTimeout(idleSeconds * 1000);
  const of = `${size} Services, ${idleSeconds} s`;
  const writes = await stage.writes();
  return [
    figure('idle: writes', ours(writes), ['', of, '<= 0']),
    figure('idle: renewals of Leases, by the controller and the API server', writes.leases, ['', of]),
    figure('idle: CPU', stage.cpu().controller - before, ['s', of]),
    figure('idle: resident memory', stage.memory().now, ['MB', of, size === 5000 ? '<= 110' : undefined]),
  ];
}

/** While the controller is away, Services that are not ours show what the API server takes when it is alone. */
async function restart({ stage, size, report, growth }: Case): Promise<Figure[]> {
  report.step(`${ALONE} creations without a controller`);
  await stage.process.stop();
  const alone = Array.from({ length: ALONE }, (_, index) => `alone${index}`);
  await stage.writes();
  const before = performance.now();
  await stage.create(alone, { loadBalancerClass: 'bench.metallb.io/nobody' });
  const rate = (1000 * total(await stage.writes())) / (performance.now() - before);
  await stage.delete(alone);
  report.step(`a restart over ${size} Services`);
  await stage.writes();
  const started = performance.now();
  await stage.restart();
  const ready = performance.now() - started;
  const { controller: cpu } = stage.cpu();
  growth.add('controller: restart: CPU of the controller', size, cpu, GROWTH_GOAL);
  const of = `${size} Services`;
  return [
    figure('API server without a controller: creations', rate, ['/s', of]),
    figure('restart: start → ready', ready / 1000, ['s', of]),
    figure('restart: CPU of the controller', cpu, ['s', of]),
    figure('restart: writes', ours(await stage.writes()), ['', of, '<= 0']),
    figure('restart: resident memory', stage.memory().now, ['MB', of]),
  ];
}

/** Half of the Services go while as many wait for their addresses. */
async function deletions({ stage, size, report, growth }: Case): Promise<Figure[]> {
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
  growth.add('controller: deletions: CPU of the controller', size, cpu, GROWTH_GOAL);
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

/** All Services go at once. */
async function storm({ stage, size, report, growth }: Case): Promise<Figure[]> {
  const names = [...stage.served.keys()];
  if (names.length !== size) throw new Error(`${names.length} Services have addresses, not ${size}`);
  report.step(`deletion of all ${size} Services`);
  await stage.writes();
  const before = stage.cpu();
  const started = performance.now();
  await stage.delete(names);
  const deleted = performance.now();
  await stage.poolSays('assignedIPv4', 0);
  const free = performance.now();
  const after = stage.cpu();
  const cpu = after.controller - before.controller;
  growth.add('controller: all deleted: CPU of the controller', size, cpu, GROWTH_GOAL);
  const writes = await stage.writes();
  const of = `${size} deletions`;
  return [
    figure('all deleted: first request → all addresses free', (free - started) / 1000, ['s', of]),
    figure('all deleted: last answer → all addresses free', (free - deleted) / 1000, ['s', of]),
    figure('all deleted: CPU of the controller', cpu, ['s', of]),
    figure('all deleted: CPU of API server and etcd', after.apiServer - before.apiServer, ['s', of]),
    figure('all deleted: status writes of Services', writes.services, ['', of, '<= 0']),
    figure('all deleted: status writes per Service, of pools', writes.pools / size, ['', of, '<= 0.1']),
    figure('all deleted: resident memory', stage.memory().now, ['MB', of]),
  ];
}

const ours = ({ services, pools, events, others }: Writes): number => services + pools + events + others;
const total = (writes: Writes): number => ours(writes) + writes.leases + writes.bench;

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
