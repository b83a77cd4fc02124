/** Many members of the mesh on a virtual network with a virtual clock: the real state machine, no sockets. */
import { elect } from '#core/election/elect.ts';
import type { Heartbeat, Report } from '#core/members/heartbeat.ts';
import { Mesh, type MeshEvent } from '#core/members/mesh.ts';

/** Packets that wait for one neighbour. */
const KEPT_BY_KERNEL = 30;

interface Delivery {
  readonly at: number;
  readonly run: () => void;
}

interface Running {
  readonly mesh: Mesh;
  /** Grows with each start, so that what was planned for an earlier process is dropped. */
  readonly life: number;
  stoppedUntil: number;
}

export interface SimulationOptions {
  readonly seed: number;
  /** Probability with which a packet is lost. */
  readonly loss?: number;
  /** Milliseconds of random delay of ticks: a busy node. */
  readonly jitter?: number;
}

/** A small generator of numbers below 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class MeshSimulation {
  now = 0;
  packets = 0;
  readonly names: readonly string[];
  /** Sees every heartbeat that is sent. */
  tap: ((to: string, beat: Heartbeat) => void) | undefined;
  readonly #options: SimulationOptions;
  readonly #random: () => number;
  readonly #running = new Map<string, Running>();
  readonly #queue = new Queue();
  /** Paths that are cut, each with the packets that wait there for the neighbour to be resolved, as a kernel keeps them. */
  readonly #cut = new Map<string, { readonly to: string; readonly beat: Heartbeat }[]>();
  #lives = 0;

  constructor(nodes: number, options: SimulationOptions) {
    this.#options = options;
    this.#random = randomFrom(options.seed);
    this.names = Array.from({ length: nodes }, (_, index) => `node-${index}`);
  }

  /** Starts the speaker of a node (again). */
  start(name: string, peers: readonly string[] = this.names): void {
    this.startWithoutPeers(name);
    this.list(name, peers);
  }

  /** Starts it, and does not tell it its peers yet. */
  startWithoutPeers(name: string): void {
    const token = Array.from({ length: 16 }, () => Math.floor(this.#random() * 16).toString(16)).join('');
    const life = (this.#lives += 1);
    this.#running.set(name, { mesh: new Mesh(name, token, this.now), life, stoppedUntil: 0 });
    this.#scheduleTick(name, life);
  }

  /** Tells the speaker of a node which nodes should run one. */
  list(name: string, peers: readonly string[]): void {
    this.#step(name, { kind: 'peers', now: this.now, names: peers });
  }

  startAll(): void {
    for (const name of this.names) this.start(name);
  }

  /** kill -9, or the power is gone. */
  kill(name: string): void {
    this.#running.delete(name);
  }

  /** The node reports something new. */
  tell(name: string, report: Report): void {
    this.#step(name, { kind: 'report', now: this.now, report });
  }

  leave(name: string): void {
    this.#step(name, { kind: 'leave', now: this.now });
    this.kill(name);
  }

  /** SIGSTOP for so many milliseconds. What arrives meanwhile waits. */
  freeze(name: string, ms: number): void {
    const running = this.#running.get(name);
    if (running !== undefined) running.stoppedUntil = this.now + ms;
  }

  /** Packets from one node to the other are lost from now on, in this direction. */
  cut(from: string, to: string): void {
    this.#cut.set(`${from}>${to}`, []);
  }

  /** Cuts every path between the two groups, both ways. */
  partition(group: readonly string[], rest: readonly string[]): void {
    for (const a of group)
      for (const b of rest) {
        this.cut(a, b);
        this.cut(b, a);
      }
  }

  /** Mends all paths; what waited there arrives now, late. */
  heal(): void {
    const waiting = [...this.#cut.values()].flat();
    this.#cut.clear();
    for (const { to, beat } of waiting) this.#arrive(to, beat);
  }

  mesh(name: string): Mesh {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} does not run`);
    return running.mesh;
  }

  get runningNames(): string[] {
    return [...this.#running.keys()];
  }

  /** Gives a heartbeat to a node, as from the network. */
  inject(to: string, beat: Heartbeat): void {
    this.#step(to, { kind: 'receive', now: this.now, beat });
  }

  /** Lets the clock run; `each` is called after every event, and true ends the run early. */
  run(ms: number, each?: () => boolean): boolean {
    const end = this.now + ms;
    for (let next = this.#queue.peek(); next !== undefined && next.at <= end; next = this.#queue.peek()) {
      this.now = next.at;
      this.#queue.pop()?.run();
      if (each?.() === true) return true;
    }
    this.now = end;
    return false;
  }

  /** Nodes that think they announce the address. A frozen one still answers with its last decision. */
  owners(address = '192.0.2.1'): string[] {
    return this.runningNames.filter((name) => {
      const candidates = [...this.mesh(name).alive()].map((node) => ({ node, score: 0 }));
      return elect(candidates, address)[0]?.node === name;
    });
  }

  #scheduleTick(name: string, life: number): void {
    const running = this.#running.get(name);
    if (running?.life !== life) return;
    const wait = running.mesh.tickEvery + this.#random() * (this.#options.jitter ?? 1);
    this.#queue.push({
      at: Math.max(this.now + wait, running.stoppedUntil),
      run: () => this.#tick(name, life),
    });
  }

  #tick(name: string, life: number): void {
    const running = this.#running.get(name);
    if (running?.life !== life) return;
    if (running.stoppedUntil <= this.now) this.#step(name, { kind: 'tick', now: this.now });
    this.#scheduleTick(name, life);
  }

  #step(name: string, event: MeshEvent): void {
    const running = this.#running.get(name);
    for (const { to, beat } of running?.mesh.step(event) ?? []) this.#send(name, to, beat);
  }

  #send(from: string, to: string, beat: Heartbeat): void {
    this.packets += 1;
    this.tap?.(to, beat);
    const waiting = this.#cut.get(`${from}>${to}`);
    if (waiting !== undefined) {
      if (waiting.length < KEPT_BY_KERNEL) waiting.push({ to, beat });
    } else if (this.#random() >= (this.#options.loss ?? 0)) this.#arrive(to, beat);
  }

  #arrive(to: string, beat: Heartbeat): void {
    const at = this.now + 0.1 + this.#random();
    this.#queue.push({ at, run: () => this.#deliver(to, beat) });
  }

  #deliver(to: string, beat: Heartbeat): void {
    const running = this.#running.get(to);
    if (running === undefined) return;
    if (running.stoppedUntil > this.now)
      this.#queue.push({ at: running.stoppedUntil + 0.01, run: () => this.#deliver(to, beat) });
    else this.#step(to, { kind: 'receive', now: this.now, beat });
  }
}

/** A binary heap by time. */
class Queue {
  readonly #heap: Delivery[] = [];

  peek(): Delivery | undefined {
    return this.#heap[0];
  }

  push(delivery: Delivery): void {
    const heap = this.#heap;
    let at = heap.push(delivery) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent]?.at ?? 0) <= delivery.at) break;
      heap[at] = heap[parent] ?? delivery;
      at = parent;
    }
    heap[at] = delivery;
  }

  pop(): Delivery | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(delivery: Delivery): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if ((heap[child + 1]?.at ?? Number.POSITIVE_INFINITY) < (heap[child]?.at ?? 0)) child += 1;
      const smaller = heap[child];
      if (smaller === undefined || smaller.at >= delivery.at) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = delivery;
  }
}
