/** The mesh of speakers as the main thread sees it: a worker thread behind MembersPort. */
import type { MessagePort } from 'node:worker_threads';
import { AppError, messageOf } from '#core/errors.ts';
import { Reports, reportOf } from '#core/members/reports.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { FromMesh, MeshSettings, MeshView, ToMesh } from '#speaker/members/messages.ts';
import type { MembersPeer, MembersPhase, MembersPort } from '#speaker/ports.ts';
import { WorkerThread } from '#speaker/worker-thread.ts';

/** UDP; the port MetalLB's speakers use among themselves. */
export const DEFAULT_MEMBERS_PORT = 7946;

export interface MembersOptions {
  readonly log: Logger;
  /** Name of this node. */
  readonly me: string;
  /** Address to bind; its family is the one used towards all peers. */
  readonly bindAddress: string;
  readonly port?: number;
  /** Text under `secretkey` in the Secret; empty: packets are not protected. */
  readonly secret: string;
  /** Ask for real-time priority; default true. */
  readonly realTime?: boolean;
  /** One end of a channel whose other end the responder was given. */
  readonly responder?: MessagePort;
}

/** Starts the mesh. Throws AppError when the address and port cannot be bound. */
export async function startMembers(options: MembersOptions): Promise<MembersPort> {
  if (options.secret === '')
    options.log.warn(
      'no secret key for the heartbeats of the speakers: anyone on the network can forge them',
      { remedy: 'mount the Secret and set METALLB_ML_SECRET_KEY_PATH' },
    );
  const mesh = new WorkerMesh(options);
  await mesh.thread.started.catch((cause: unknown) => {
    throw new AppError('SOCKET', `mesh of speakers: ${messageOf(cause)}`, { retry: 'never', cause });
  });
  return mesh;
}

class WorkerMesh implements MembersPort {
  readonly thread: WorkerThread<FromMesh, ToMesh>;
  readonly #log: Logger;
  readonly #onChange: ((alive: ReadonlySet<string>) => void)[] = [];
  readonly #onReports: (() => void)[] = [];
  readonly #reports = new Reports();
  readonly #me: string;
  #cards: readonly string[] = [];
  #held: readonly string[] = [];
  #alive: ReadonlySet<string> = new Set();
  #gone: ReadonlySet<string> = new Set();
  #links: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #view: MeshView = { alive: [], gone: [], phase: 'joining', reason: 'starting', links: [] };
  #haveLeft: () => void = () => undefined;

  constructor(options: MembersOptions) {
    this.#log = options.log;
    this.#me = options.me;
    const settings: MeshSettings = {
      me: options.me,
      bindAddress: options.bindAddress,
      port: options.port ?? DEFAULT_MEMBERS_PORT,
      secret: options.secret,
      realTime: options.realTime ?? true,
      responder: options.responder,
    };
    this.thread = new WorkerThread({
      program: new URL('./worker.ts', import.meta.url),
      name: 'members',
      what: 'the mesh',
      settings,
      transfer: settings.responder,
      take: (message: FromMesh) => this.#take(message),
    });
  }

  get alive(): ReadonlySet<string> {
    return this.#alive;
  }

  get gone(): ReadonlySet<string> {
    return this.#gone;
  }

  get phase(): MembersPhase {
    return this.#view.phase;
  }

  get reason(): string {
    return this.#view.reason;
  }

  onChange(listener: (alive: ReadonlySet<string>) => void): void {
    this.#onChange.push(listener);
  }

  onFailure(listener: (error: Error) => void): void {
    this.thread.onFailure(listener);
  }

  setPeers(peers: readonly MembersPeer[]): void {
    this.thread.tell({ kind: 'peers', peers });
  }

  setUsableInterfaces(names: readonly string[]): void {
    this.thread.tell({ kind: 'links', names });
  }

  usableInterfaces(node: string): ReadonlySet<string> | undefined {
    return this.#links.get(node);
  }

  setCards(macs: readonly string[]): void {
    if (String(macs) === String(this.#cards)) return;
    this.#cards = macs;
    this.#report();
  }

  setHeld(ips: readonly string[]): void {
    if (String(ips) === String(this.#held)) return;
    this.#held = ips;
    this.#report();
  }

  #report(): void {
    const report = reportOf(this.#cards, this.#held);
    this.#reports.set(this.#me, report, performance.now());
    this.thread.tell({ kind: 'report', report });
  }

  heldBy(ip: string): readonly string[] {
    return this.#reports.heldBy(ip);
  }

  wasHeld(ip: string): boolean {
    return this.#reports.wasHeld(ip, performance.now());
  }

  get clusterCards(): readonly string[] {
    return this.#reports.cards();
  }

  onReports(listener: () => void): void {
    this.#onReports.push(listener);
  }

  async leave(): Promise<void> {
    if (this.thread.ended) return;
    const left = new Promise<void>((resolve) => {
      this.#haveLeft = resolve;
    });
    this.thread.tell({ kind: 'leave' });
    await Promise.race([left, this.thread.exited]);
  }

  async close(): Promise<void> {
    await this.thread.close({ kind: 'close' });
  }

  #take(message: FromMesh): void {
    switch (message.kind) {
      case 'ready':
        this.#log.info('mesh of speakers started', { realTime: message.realTime ?? 'granted' });
        this.thread.begun();
        return;
      case 'view':
        this.#show(message.view);
        return;
      case 'report':
        this.#reports.set(message.node, message.report, performance.now());
        for (const listener of this.#onReports) listener();
        return;
      case 'left':
        this.#haveLeft();
        return;
      case 'rejected':
        this.#log.warn('heartbeats of speakers were not authentic: do all use the same secret key?', {
          count: message.count,
          from: message.from,
        });
    }
  }

  #show(view: MeshView): void {
    if (view.phase !== this.#view.phase)
      this.#log.info('membership changed', { phase: view.phase, reason: view.reason });
    const gone = this.#view.alive.filter((name) => !view.alive.includes(name));
    const come = view.alive.filter((name) => !this.#alive.has(name));
    if (gone.length + come.length > 0) this.#log.info('node event - forcing sync', { gone, come });
    this.#view = view;
    this.#alive = new Set(view.alive);
    this.#gone = new Set(view.gone);
    this.#links = new Map(view.links.map(([node, names]) => [node, new Set(names)]));
    for (const listener of this.#onChange) listener(this.#alive);
  }
}
