/** What the benches of the controller measure on: an API server, our program as the image runs it, and a watch. */
import { difference, readCounters, type ServerCounters, type Writes } from '#bench/api-server-metrics.ts';
import { imageSettings } from '#bench/image-settings.ts';
import { inParallel } from '#bench/in-parallel.ts';
import { cpuSeconds, memoryOf } from '#bench/process-figures.ts';
import { loadCredentials, type Credentials } from '#runtime/kube/credentials.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { silent } from '#runtime/log/logger.ts';
import { ControllerLab, ipsOf, type ControllerProcess } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';

export const WAIT_MS = 900_000;
/** Requests that the bench has under way. */
export const CREATORS = 16;

/** CPU seconds so far. */
export interface Cpu {
  readonly controller: number;
  readonly apiServer: number;
  readonly bench: number;
}

/** As the manifests start it (operator/render/controller.ts), but for where metrics are and what needs a pod. */
const FLAGS = ['--leader-elect', '--webhook-mode=disabled'];

/** An API server, a running controller, and a watch that notes when each Service first has an address. */
export class Stage {
  readonly lab: ControllerLab;
  readonly served = new Map<string, number>();
  readonly #stop = new AbortController();
  process: ControllerProcess;
  readonly #credentials: Credentials;
  #counters: ServerCounters;
  #asked = 0;
  /** Services whose creation was answered and that have no address: the most at once. */
  behind = 0;

  private constructor(
    lab: ControllerLab,
    process: ControllerProcess,
    credentials: Credentials,
    counters: ServerCounters,
  ) {
    this.lab = lab;
    this.process = process;
    this.#credentials = credentials;
    this.#counters = counters;
  }

  /** `entry`: the bundle. It runs with the image's flags and by a service account, as in a pod. */
  static async start(entry: string): Promise<Stage> {
    const lab = await ControllerLab.start();
    lab.entry = entry;
    lab.inPod = true;
    const { flags, env } = imageSettings('controller');
    lab.nodeFlags = flags;
    lab.env = env;
    await lab.pool('bench', ['10.0.0.0/8']);
    const credentials = await loadCredentials({ kubeconfig: lab.plane.kubeconfig });
    const counters = await readCounters(credentials);
    const stage = new Stage(lab, await lab.startController(...FLAGS), credentials, counters);
    await stage.#watch();
    return stage;
  }

  async #watch(): Promise<void> {
    const transport = createTransport(this.#credentials, { logger: silent });
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
  async create(names: readonly string[], spec: object = {}): Promise<void> {
    let created = this.served.size;
    await inParallel(names, CREATORS, async (name) => {
      await this.lab.service(name, spec);
      created += 1;
      this.behind = Math.max(this.behind, created - this.served.size);
    });
  }

  async delete(names: readonly string[]): Promise<void> {
    await inParallel(names, CREATORS, (name) => this.lab.deleteService(name));
  }

  /** When the last of these many Services had its address. */
  async allServed(count: number): Promise<number> {
    await eventually(() => {
      if (this.served.size < count) throw new Error(`${this.served.size} of ${count} have an address`);
    }, WAIT_MS);
    return Math.max(...this.served.values());
  }

  /** Waits until the pool's counters say this. */
  async poolSays(field: 'assignedIPv4' | 'availableIPv4', count: number): Promise<void> {
    await eventually(async () => {
      const status = (await this.lab.poolStatus('bench')) as Partial<Record<string, number>>;
      if (status[field] !== count)
        throw new Error(`the pool's ${field} is ${status[field]}, and not yet ${count}`);
    }, WAIT_MS);
  }

  cpu(): Cpu {
    const { plane } = this.lab;
    return {
      controller: cpuSeconds(this.process.pid),
      apiServer: cpuSeconds(plane.pidOf('kube-apiserver')) + cpuSeconds(plane.pidOf('etcd')),
      bench: cpuSeconds(process.pid),
    };
  }

  /** Megabytes: now, and the most so far. */
  memory(): { now: number; peak: number } {
    return memoryOf(this.process.pid);
  }

  /** Writes that the API server counted since the last call, and how many of each were under way on average. */
  async writes(): Promise<Writes & { readonly inFlight: Writes; readonly busy: Writes }> {
    const [before, since] = [this.#counters, this.#asked];
    this.#counters = await readCounters(this.#credentials);
    this.#asked = performance.now();
    const seconds = (this.#asked - since) / 1000;
    const busy = difference(this.#counters.busy, before.busy);
    const shares = Object.entries(busy).map(([group, sum]) => [group, sum / seconds] as const);
    const inFlight = Object.fromEntries(shares) as unknown as Writes;
    return { ...difference(this.#counters.writes, before.writes), inFlight, busy };
  }

  /** Starts it again; returns when it is ready and acts. */
  async restart(): Promise<void> {
    this.process = await this.lab.startController(...FLAGS);
    await eventually(() => {
      if (!this.process.log.includes('configuration in force')) throw new Error('it does not act yet');
    }, WAIT_MS);
    await this.process.ready();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#credentials[Symbol.asyncDispose]();
    await this.lab[Symbol.asyncDispose]();
  }
}
