/** The responder as the main thread sees it: a worker thread behind L2Port. */
import type { MessagePort } from 'node:worker_threads';
import { AppError } from '#core/errors.ts';
import type { DuplicatePolicy } from '#core/l2/claim.ts';
import { defaultTiming, type GratuitousTiming } from '#core/l2/gratuitous.ts';
import { compileExclusions } from '#core/l2/interfaces.ts';
import { formatAddress, parseAddress } from '#core/model/ip.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { FromWorker, ToWorker, WorkerSettings } from '#speaker/l2/messages.ts';
import type { L2Conflict, L2Counts, L2Entry, L2Interface, L2Port } from '#speaker/ports.ts';
import { WorkerThread } from '#speaker/worker-thread.ts';

export interface L2Options {
  readonly log: Logger;
  /** Regular expressions of interface names to ignore (`announcedInterfacesToExclude`). */
  readonly exclude?: readonly string[];
  readonly timing?: GratuitousTiming;
  /** What to do about an address that another machine uses; default withhold. */
  readonly duplicates?: DuplicatePolicy;
  /** Ask for real-time priority; default true. Where it is not granted that is logged and nothing else. */
  readonly realTime?: boolean;
  /** One end of a channel whose other end the mesh is given; needed for `yieldTo`. */
  readonly mesh?: MessagePort;
}

/**
 * Starts the worker and waits until it runs and knows the host's interfaces. Throws AppError when it cannot
 * (no CAP_NET_RAW shows later, per interface, in the log: the worker keeps trying).
 */
export async function startL2(options: L2Options): Promise<L2Port> {
  const excluded = compileExclusions(options.exclude ?? []);
  if (typeof excluded !== 'function') throw new AppError('SOCKET', excluded.error, { retry: 'never' });
  const port = new WorkerL2(options);
  await port.thread.started;
  return port;
}

class WorkerL2 implements L2Port {
  readonly thread: WorkerThread<FromWorker, ToWorker>;
  readonly #log: Logger;
  readonly #plan = new Map<string, L2Entry>();
  readonly #counts = new Map<string, L2Counts>();
  readonly #drops = new Map<string, number>();
  readonly #withheld = new Set<string>();
  readonly #onInterfaces: ((interfaces: readonly L2Interface[]) => void)[] = [];
  readonly #onConflict: ((conflict: L2Conflict) => void)[] = [];
  #interfaces: readonly L2Interface[] = [];
  #interfacesText = '';
  #cards = '';

  constructor(options: L2Options) {
    this.#log = options.log;
    const settings: WorkerSettings = {
      exclude: options.exclude ?? [],
      timing: options.timing ?? defaultTiming,
      duplicates: options.duplicates ?? 'withhold',
      realTime: options.realTime ?? true,
      mesh: options.mesh,
    };
    this.thread = new WorkerThread({
      program: new URL('./worker.ts', import.meta.url),
      name: 'l2',
      what: 'the responder',
      settings,
      transfer: settings.mesh,
      take: (message: FromWorker) => this.#take(message),
    });
  }

  get interfaces(): readonly L2Interface[] {
    return this.#interfaces;
  }

  get counts(): ReadonlyMap<string, L2Counts> {
    return this.#counts;
  }

  get withheld(): ReadonlySet<string> {
    return this.#withheld;
  }

  get drops(): ReadonlyMap<string, number> {
    return this.#drops;
  }

  onInterfaces(listener: (interfaces: readonly L2Interface[]) => void): void {
    this.#onInterfaces.push(listener);
  }

  onConflict(listener: (conflict: L2Conflict) => void): void {
    this.#onConflict.push(listener);
  }

  onFailure(listener: (error: Error) => void): void {
    this.thread.onFailure(listener);
  }

  setPlan(entries: readonly L2Entry[]): void {
    const wanted = new Map(entries.map((entry) => [canonical(entry.ip), entry]));
    const remove = [...this.#plan.keys()].filter((ip) => !wanted.has(ip));
    const set: L2Entry[] = [];
    for (const [ip, { interfaces, probe = false, ping = false, yieldTo }] of wanted) {
      const before = this.#plan.get(ip);
      if (
        before === undefined ||
        before.ping !== ping ||
        !sameNames(before.interfaces, interfaces) ||
        !sameNames(before.yieldTo, yieldTo)
      )
        set.push({ ip, interfaces, probe, ping, yieldTo });
    }
    if (set.length === 0 && remove.length === 0) return;
    for (const ip of remove) {
      this.#plan.delete(ip);
      this.#withheld.delete(ip);
    }
    for (const entry of set) this.#plan.set(entry.ip, entry);
    this.thread.tell({ kind: 'plan', set, remove });
  }

  announce(ips?: readonly string[]): void {
    this.thread.tell({ kind: 'announce', ips });
  }

  setClusterCards(macs: readonly string[]): void {
    if (String(macs) === this.#cards) return;
    this.#cards = String(macs);
    this.thread.tell({ kind: 'cards', macs });
  }

  #take(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        this.#log.info('layer 2 responder started', { realTime: message.realTime ?? 'granted' });
        return;
      case 'interfaces':
        this.#takeInterfaces(message.interfaces);
        return;
      case 'stats':
        for (const [ip, counts] of message.addresses) this.#counts.set(ip, counts);
        for (const [reason, count] of message.drops) this.#drops.set(reason, count);
        return;
      case 'conflict':
        this.#takeConflict(message.conflict);
        return;
      case 'log':
        this.#log[message.record.level](message.record.message, message.record.fields);
    }
  }

  #takeConflict(conflict: L2Conflict): void {
    if (!this.#plan.has(conflict.ip)) return;
    if (conflict.state === 'withheld') this.#withheld.add(conflict.ip);
    else this.#withheld.delete(conflict.ip);
    if (conflict.state === 'over')
      this.#log.info('nobody else uses the address any more, announcing it', { ...conflict });
    else this.#log.warn('a machine outside the cluster uses an address of ours', { ...conflict });
    for (const listener of this.#onConflict) listener(conflict);
  }

  #takeInterfaces(interfaces: readonly L2Interface[]): void {
    this.thread.begun();
    const text = JSON.stringify(interfaces);
    if (text === this.#interfacesText) return;
    this.#interfacesText = text;
    this.#interfaces = interfaces;
    for (const listener of this.#onInterfaces) listener(interfaces);
  }

  async close(): Promise<void> {
    await this.thread.close({ kind: 'close' });
  }
}

function canonical(ip: string): string {
  const address = parseAddress(ip);
  return address === undefined ? ip : formatAddress(address);
}

function sameNames(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && [...a].sort().join() === [...b].sort().join();
}
