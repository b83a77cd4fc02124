/** One member of the mesh on a real network: UDP socket, clock and state machine. Runs in the worker thread. */
import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeHeartbeat, encodeHeartbeat, type Report } from '#core/members/heartbeat.ts';
import { Mesh, type MeshEvent } from '#core/members/mesh.ts';
import type { MeshSettings, MeshView } from '#speaker/members/messages.ts';
import { Knocker } from '#speaker/members/knock.ts';
import { sealWith, type Seal } from '#speaker/members/seal.ts';
import type { MembersPeer } from '#speaker/ports.ts';

const LEAVE_REPEATS = 3;
const LEAVE_PAUSE = 15;
const REJECTED_PAUSE = 60_000;

export interface MeshNodeEvents {
  view(view: MeshView): void;
  report(node: string, report: Report | undefined): void;
  rejected(count: number, from: string): void;
}

export class MeshNode {
  readonly #port: number;
  readonly #family: 'udp4' | 'udp6';
  readonly #bindAddress: string;
  readonly #events: MeshNodeEvents;
  readonly #seal: Seal;
  readonly #socket: Socket;
  readonly #mesh: Mesh;
  readonly #addresses = new Map<string, string>();
  #version = -1;
  #shown = '';
  /** Which report of each peer was passed on. */
  readonly #read = new Map<string, Report>();
  /** One for each member that fell silent. */
  readonly #knockers = new Map<string, Knocker>();
  readonly #gone = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #rejected = 0;
  #rejectedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: MeshSettings, events: MeshNodeEvents) {
    this.#port = settings.port;
    this.#bindAddress = settings.bindAddress;
    this.#family = isIPv6(settings.bindAddress) ? 'udp6' : 'udp4';
    this.#events = events;
    this.#seal = sealWith(settings.secret);
    this.#mesh = new Mesh(settings.me, randomBytes(8).toString('hex'), performance.now());
    this.#socket = createSocket({
      type: this.#family,
      recvBufferSize: 1 << 20,
      // Addresses are literals: nothing to look up.
      lookup: (host, _options, done) => done(null, host, this.#family === 'udp6' ? 6 : 4),
    });
  }

  /** Binds the socket and begins to beat. Rejects with the system's error, e.g. EADDRINUSE. */
  async start(): Promise<void> {
    this.#socket.on('message', (packet, from) => this.#receive(packet, from));
    const listening = once(this.#socket, 'listening');
    this.#socket.bind(this.#port, this.#bindAddress);
    await listening;
    this.#socket.on('error', () => undefined);
    this.#tickLater();
  }

  setPeers(peers: readonly MembersPeer[]): void {
    const wanted = this.#family === 'udp6';
    for (const { name, addresses } of peers) {
      const address = addresses.find((text) => isIPv6(text) === wanted);
      if (address !== undefined) this.#addresses.set(name, address);
    }
    this.#step({ kind: 'peers', now: performance.now(), names: peers.map(({ name }) => name) });
  }

  setLinks(names: readonly string[]): void {
    this.#step({ kind: 'links', now: performance.now(), names });
  }

  setReport(report: Report): void {
    this.#step({ kind: 'report', now: performance.now(), report });
  }

  /** Says goodbye a few times, since a packet may be lost. */
  async leave(): Promise<void> {
    for (let round = 0; round < LEAVE_REPEATS; round += 1) {
      this.#step({ kind: 'leave', now: performance.now() });
      await sleep(LEAVE_PAUSE);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const knocker of this.#knockers.values()) knocker.close();
    this.#socket.close();
  }

  #tickLater(): void {
    this.#timer = setTimeout(() => {
      this.#step({ kind: 'tick', now: performance.now() });
      this.#tickLater();
    }, this.#mesh.tickEvery);
  }

  #receive(packet: Buffer, from: RemoteInfo): void {
    const bytes = this.#seal.open(packet);
    const beat = bytes === undefined ? undefined : decodeHeartbeat(bytes);
    if (beat === undefined) {
      this.#reject(from.address);
      return;
    }
    if (!this.#addresses.has(beat.from)) this.#addresses.set(beat.from, from.address);
    this.#step({ kind: 'receive', now: performance.now(), beat });
  }

  #reject(from: string): void {
    this.#rejected += 1;
    const now = performance.now();
    if (now - this.#rejectedAt < REJECTED_PAUSE) return;
    this.#rejectedAt = now;
    this.#events.rejected(this.#rejected, from);
  }

  #step(event: MeshEvent): void {
    for (const { to, beat } of this.#mesh.step(event)) {
      const address = this.#addresses.get(to);
      // What cannot be sent is lost like any packet; the mesh notices by itself.
      if (address !== undefined)
        this.#socket.send(this.#seal.close(encodeHeartbeat(beat)), this.#port, address, () => undefined);
    }
    if (this.#version !== this.#mesh.version) this.#show();
  }

  #show(): void {
    this.#version = this.#mesh.version;
    this.#passReports();
    this.#knock();
    const alive = [...this.#mesh.alive()].sort();
    const links = alive.flatMap((name) => {
      const known = this.#mesh.links(name);
      return known === undefined ? [] : [[name, [...known].sort()] as const];
    });
    const gone = [...this.#gone].sort();
    const view = { alive, gone, phase: this.#mesh.phase, reason: this.#mesh.reason, links };
    const text = JSON.stringify(view);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#events.view(view);
  }

  #passReports(): void {
    const known = new Set<string>();
    for (const { node, report } of this.#mesh.reports()) {
      known.add(node);
      if (this.#read.get(node) === report) continue;
      this.#read.set(node, report);
      this.#events.report(node, report);
    }
    for (const node of this.#read.keys()) {
      if (known.has(node)) continue;
      this.#read.delete(node);
      this.#events.report(node, undefined);
    }
  }

  /** Finds out which of the dead members died with their hosts. */
  #knock(): void {
    const dead = this.#mesh.dead();
    for (const [name, knocker] of this.#knockers) {
      if (dead.has(name)) continue;
      knocker.close();
      this.#knockers.delete(name);
      this.#gone.delete(name);
    }
    for (const name of dead) {
      const address = this.#addresses.get(name);
      if (address === undefined || this.#knockers.has(name)) continue;
      this.#knockers.set(name, new Knocker(address, this.#port, (there) => this.#learnt(name, there)));
    }
  }

  #learnt(name: string, there: boolean): void {
    if (there) this.#gone.delete(name);
    else this.#gone.add(name);
    this.#show();
  }
}
