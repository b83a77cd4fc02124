/**
 * What the controller costs on a real API server: an address when nothing else happens, bursts, a restart over many
 * Services, deletions with others waiting. The program runs as the bundle that the image has.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { distribution, type Figure } from '#bench/figures.ts';
import type { Reporter } from '#lab/report.ts';
import { loadCredentials } from '#runtime/kube/credentials.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { silent } from '#runtime/log/logger.ts';
import { ControllerLab, ipsOf, type ControllerProcess } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';
import { build } from '#tools/build.ts';

const IDLE = 200;
const CREATORS = 16;
const TICKS_PER_SECOND = 100;
const WAIT_MS = 600_000;

/** `sizes`: Services of each burst, ascending. */
export async function controller(
  report: Reporter,
  sizes: readonly number[] = [1000, 5000],
): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'metallb-bench-'));
  try {
    report.step('bundling the controller');
    await build(folder, { programs: ['controller'] });
    const figures: Figure[] = [];
    const costs: [size: number, seconds: number][] = [];
    for (const size of sizes) {
      await using stage = await Stage.start(join(folder, 'controller/main.mjs'));
      if (figures.length === 0) figures.push(...(await idle(stage, report)));
      const { found, cpu } = await burst(stage, size, report);
      costs.push([size, cpu]);
      figures.push(
        ...found,
        ...(await restart(stage, size, report)),
        ...(await deletions(stage, size, report)),
      );
    }
    return [...figures, ...growth(costs)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Writes {
  readonly services: number;
  readonly ipaddresspools: number;
}

/** An API server, a running controller, and a watch that notes when each Service first has an address. */
class Stage {
  readonly lab: ControllerLab;
  readonly served = new Map<string, number>();
  readonly #stop = new AbortController();
  process: ControllerProcess;
  #writes: Writes = { services: 0, ipaddresspools: 0 };

  private constructor(lab: ControllerLab, process: ControllerProcess) {
    this.lab = lab;
    this.process = process;
  }

  static async start(entry: string): Promise<Stage> {
    const lab = await ControllerLab.start();
    lab.entry = entry;
    await lab.pool('bench', ['10.0.0.0/8']);
    const stage = new Stage(lab, await lab.startController());
    await stage.#watch();
    return stage;
  }

  async #watch(): Promise<void> {
    const transport = createTransport(await loadCredentials({ kubeconfig: this.lab.plane.kubeconfig }), {
      logger: silent,
    });
    const project = (raw: Parameters<typeof ipsOf>[0]): { ips: string[] } => ({ ips: ipsOf(raw) });
    const store = watchStore(
      transport,
      { type: kinds.Service, project },
      { logger: silent, signal: this.#stop.signal },
    );
    store.onChange(({ key, now }) => {
      const name = key.slice(key.indexOf('/') + 1);
      if (now === undefined) this.served.delete(name);
      else if (now.ips.length > 0 && !this.served.has(name)) this.served.set(name, performance.now());
    });
    await store.synced;
  }

  /** Creates the Services with several requests under way; returns when each request was answered. */
  async create(names: readonly string[]): Promise<void> {
    await inParallel(names, (name) => this.lab.service(name));
  }

  /** When the last of these many Services had its address. */
  async allServed(count: number): Promise<number> {
    await eventually(() => {
      if (this.served.size < count) throw new Error(`${this.served.size} of ${count} have an address`);
    }, WAIT_MS);
    return Math.max(...this.served.values());
  }

  cpuSeconds(): number {
    const fields =
      readFileSync(`/proc/${this.process.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  residentMb(): number {
    const status = readFileSync(`/proc/${this.process.pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  }

  /** Status writes that the API server counted since the last call. */
  async statusWrites(): Promise<Writes> {
    const lines = (await metricsOf(this.lab)).split('\n');
    const count = (resource: string): number =>
      lines
        .filter((line) => line.startsWith('apiserver_request_total{') && line.includes('verb="PUT"'))
        .filter((line) => line.includes(`resource="${resource}"`) && line.includes('subresource="status"'))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    const before = this.#writes;
    this.#writes = { services: count('services'), ipaddresspools: count('ipaddresspools') };
    return {
      services: this.#writes.services - before.services,
      ipaddresspools: this.#writes.ipaddresspools - before.ipaddresspools,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.lab[Symbol.asyncDispose]();
  }
}

async function idle(stage: Stage, report: Reporter): Promise<Figure[]> {
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
  await inParallel([...stage.served.keys()], (name) => stage.lab.deleteService(name));
  await eventually(() => {
    if (stage.served.size > 0) throw new Error('not all deleted');
  }, WAIT_MS);
  const about = { unit: 'ms', size: `${IDLE} Services`, goal99: '<= 30' };
  return distribution('controller: Service created → address, idle', about, samples);
}

async function burst(
  stage: Stage,
  size: number,
  report: Reporter,
): Promise<{ found: Figure[]; cpu: number }> {
  report.step(`a burst of ${size} Services`);
  await stage.statusWrites();
  const before = stage.cpuSeconds();
  const started = performance.now();
  await stage.create(Array.from({ length: size }, (_, index) => `s${index}`));
  const created = performance.now();
  const last = await stage.allServed(size);
  const cpu = stage.cpuSeconds() - before;
  const writes = await stage.statusWrites();
  const of = `${size} Services`;
  const found: Figure[] = [
    figure('burst: first request → last address', (last - started) / 1000, ['s', of]),
    figure('burst: last request answered → last address', Math.max(0, last - created) / 1000, ['s', of]),
    figure('burst: CPU of the controller', cpu, ['s', of]),
    figure('burst: status writes per Service, of Services', writes.services / size, ['', of, '<= 1']),
    figure('burst: status writes per Service, of pools', writes.ipaddresspools / size, ['', of]),
    figure('burst: resident memory', stage.residentMb(), ['MB', of, size === 5000 ? '<= 110' : undefined]),
  ];
  return { found, cpu };
}

async function restart(stage: Stage, size: number, report: Reporter): Promise<Figure[]> {
  report.step(`a restart over ${size} Services`);
  await eventually(async () => {
    const status = (await stage.lab.poolStatus('bench')) as { assignedIPv4?: number };
    if (status.assignedIPv4 !== size) throw new Error("the pool's counters are not written yet");
  }, WAIT_MS);
  await stage.process.stop();
  await stage.statusWrites();
  const started = performance.now();
  stage.process = await stage.lab.startController();
  const ready = performance.now() - started;
  const writes = await stage.statusWrites();
  const of = `${size} Services`;
  return [
    figure('restart: start → ready', ready / 1000, ['s', of]),
    figure('restart: status writes', writes.services + writes.ipaddresspools, ['', of, '<= 0']),
    figure('restart: resident memory', stage.residentMb(), ['MB', of]),
  ];
}

/** Half of the Services go while as many wait for their addresses. */
async function deletions(stage: Stage, size: number, report: Reporter): Promise<Figure[]> {
  report.step(`${size / 2} deletions with as many waiting`);
  const addresses = [...stage.served.keys()].length;
  await stage.lab.pool('bench', [`10.0.0.0-10.0.${(addresses - 1) >> 8}.${(addresses - 1) & 255}`]);
  await eventually(async () => {
    const status = (await stage.lab.poolStatus('bench')) as { availableIPv4?: number };
    if (status.availableIPv4 !== 0) throw new Error('the pool is not full');
  }, WAIT_MS);
  await stage.create(Array.from({ length: size / 2 }, (_, index) => `w${index}`));
  const before = stage.cpuSeconds();
  const started = performance.now();
  await inParallel(
    Array.from({ length: size / 2 }, (_, index) => `s${index}`),
    (name) => stage.lab.deleteService(name),
  );
  await eventually(() => {
    const left = [...stage.served.keys()].filter((name) => name.startsWith('w')).length;
    if (left < size / 2) throw new Error(`${left} of ${size / 2} waiting Services were served`);
  }, WAIT_MS);
  const last = Math.max(...stage.served.values());
  const of = `${size / 2} deletions`;
  return [
    figure('deletions: first request → last waiter served', (last - started) / 1000, ['s', of]),
    figure('deletions: CPU of the controller', stage.cpuSeconds() - before, ['s', of]),
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

async function inParallel(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
  const left = [...names].reverse();
  const worker = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) await act(name);
  };
  await Promise.all(Array.from({ length: CREATORS }, worker));
}

/** The API server's own metrics, as text. */
async function metricsOf(lab: ControllerLab): Promise<string> {
  await using credentials = await loadCredentials({ kubeconfig: lab.plane.kubeconfig });
  const { headers, server } = await credentials.current();
  return new Promise((resolve, reject) => {
    // The server of the bench has a certificate of its own making.
    const request = get(new URL('/metrics', server), { headers, rejectUnauthorized: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
  });
}
