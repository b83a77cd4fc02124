/** One FRR (five daemons) in a network namespace, the router's or the one beside a speaker. */
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '#lab/errors.ts';
import type { FrrRoot } from '#lab/frr/root.ts';
import type { Daemon, DaemonFolder } from '#lab/process/daemon.ts';
import { run } from '#lab/process/run.ts';
import { Fatal, waitFor } from '#lab/process/wait.ts';
import { FRR_IDS } from '#lab/system/frr-rootfs.ts';

export const FRR_DAEMONS = ['mgmtd', 'zebra', 'staticd', 'bfdd', 'bgpd'] as const;
export type FrrDaemon = (typeof FRR_DAEMONS)[number];

/** zebra answers the others' first requests, mgmtd keeps the configuration: both must be there first. */
const FIRST: readonly FrrDaemon[] = ['mgmtd', 'zebra'];

export interface FrrOptions {
  /** FRR's `-N`: unique in the lab. */
  readonly name: string;
  /** Full name of the network namespace. */
  readonly netns: string;
  /** VRF name → full name of the network namespace that is this VRF (FRR's namespace backend, `zebra -w`). */
  readonly vrfs?: Readonly<Record<string, string>>;
  /** False: bgpd opens sessions and accepts none, as the FRR beside a speaker does in a pod (`-p 0`). */
  readonly listens?: boolean;
}

export class FrrInstance {
  readonly name: string;
  readonly netns: string;
  readonly vrfs: Readonly<Record<string, string>>;
  readonly #root: FrrRoot;
  readonly #listens: boolean;
  readonly #daemons: DaemonFolder;

  constructor(root: FrrRoot, daemons: DaemonFolder, options: FrrOptions) {
    this.#root = root;
    this.#daemons = daemons;
    this.name = options.name;
    this.netns = options.netns;
    this.vrfs = options.vrfs ?? {};
    this.#listens = options.listens ?? true;
  }

  /** The argv prefix that is `vtysh` of this instance, for a program outside the chroot; append `-c`, `-f FILE`, … */
  get vtyshCommand(): readonly string[] {
    return ['chroot', this.#root.path, '/usr/bin/vtysh', '-N', this.name];
  }

  /** Sockets of the daemons (`bgpd.vty`, …) as seen outside the chroot. */
  get runFolder(): string {
    return join(this.#root.path, 'run/frr', this.name);
  }

  /** For configuration files: the same path inside and outside the chroot, so that `vtysh -f` can read it. */
  get configFolder(): string {
    return join(this.#root.exchange, this.name);
  }

  /**
   * Starts all daemons and loads `config` (frr.conf text) when given.
   * @throws LabError with the daemon's last words when one does not come up.
   */
  async start(config?: string): Promise<void> {
    this.#makeFolders();
    await this.#root.mountVrfs(this.name, this.vrfs);
    for (const group of [FIRST, FRR_DAEMONS.filter((daemon) => !FIRST.includes(daemon))]) {
      for (const daemon of group) this.#launch(daemon);
      await Promise.all(group.map((daemon) => this.#waitForSocket(daemon)));
    }
    if (config !== undefined) await this.load(config);
  }

  /** Ends all daemons (SIGKILL, as a crash would; `SIGTERM` lets bgpd close its sessions). */
  async stop(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await Promise.all(FRR_DAEMONS.map(async (daemon) => this.daemon(daemon)?.stop(name)));
  }

  /** A daemon's process: `.alive`, `.signal('SIGSTOP')`, `.stop()`. */
  daemon(daemon: FrrDaemon): Daemon | undefined {
    return this.#daemons.find(this.#processName(daemon));
  }

  /** Starts one daemon again after it was stopped. It comes up without configuration. */
  async startDaemon(daemon: FrrDaemon): Promise<void> {
    this.#launch(daemon);
    await this.#waitForSocket(daemon);
  }

  /** Loads configuration lines into the running daemons (`vtysh -f`): they add to what is there. */
  async load(config: string): Promise<void> {
    const path = join(this.configFolder, 'lab.conf');
    writeFileSync(path, config);
    const complaint = await waitFor(`the configuration lock of FRR ${this.name}`, async () => {
      const output = await run([...this.vtyshCommand, '-f', path]);
      const line = output.split('\n').find((text) => text.includes('% ')) ?? 'none';
      // A daemon that has just started may still hold the lock: nothing was taken then.
      return line.includes('locked by another session') ? undefined : line;
    });
    if (complaint !== 'none') throw new LabError(`FRR ${this.name} refuses configuration: ${complaint}`);
  }

  /** Runs commands in one vtysh (`configure terminal` among them if need be) and returns what it prints. */
  async vtysh(...commands: readonly string[]): Promise<string> {
    return run([...this.vtyshCommand, ...commands.flatMap((command) => ['-c', command])]);
  }

  /** Runs `show … json` and parses the answer. */
  async json<T = Record<string, unknown>>(command: string): Promise<T> {
    return JSON.parse(await this.vtysh(command)) as T;
  }

  #processName(daemon: FrrDaemon): string {
    return `frr-${this.name}-${daemon}`;
  }

  #makeFolders(): void {
    for (const path of ['run/frr', 'etc/frr', 'var/lib/frr', 'var/tmp/frr']) {
      const folder = join(this.#root.path, path, this.name);
      mkdirSync(folder, { recursive: true });
      chownSync(folder, FRR_IDS.uid, FRR_IDS.gid);
      chmodSync(folder, 0o775);
    }
    mkdirSync(this.configFolder, { recursive: true });
    writeFileSync(join(this.#root.path, 'etc/frr', this.name, 'vtysh.conf'), '');
  }

  #launch(daemon: FrrDaemon): void {
    const withVrfs = Object.keys(this.vrfs).length > 0;
    const extra = [
      ...(daemon === 'zebra' ? ['-s', '90000000'] : []),
      ...(daemon === 'bgpd' && !this.#listens ? ['-p', '0'] : []),
      ...(withVrfs ? ['-w'] : []),
    ];
    const view = withVrfs ? this.#root.vrfView(this.name) : [];
    this.#daemons.start({
      name: this.#processName(daemon),
      netns: this.netns,
      argv: [
        ...view,
        'chroot',
        this.#root.path,
        `/usr/lib/frr/${daemon}`,
        '-N',
        this.name,
        '-A',
        '127.0.0.1',
        '--log',
        'stdout',
        ...extra,
      ],
    });
  }

  async #waitForSocket(daemon: FrrDaemon): Promise<void> {
    await waitFor(
      `${daemon} of FRR ${this.name}`,
      () => {
        const running = this.daemon(daemon);
        if (running?.alive !== true) throw new Fatal(`ended at once:\n${running?.logTail() ?? ''}`);
        return existsSync(join(this.runFolder, `${daemon}.vty`));
      },
      { deadlineMs: 20_000, explain: () => this.daemon(daemon)?.logTail() ?? '' },
    );
  }
}
