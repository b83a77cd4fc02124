/** Programs of the lab that keep running: started in a network namespace, recorded, found again, ended. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '#lab/errors.ts';
import { identify, isAlive, type ProcessId, signal } from '#lab/process/identity.ts';
import { lastLines } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';

export interface DaemonSpec {
  /** Unique in the lab: `etcd`, `speaker-node1`; also the name of the log file. */
  readonly name: string;
  /** Full name of the network namespace; undefined: the machine's own. */
  readonly netns: string | undefined;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

interface DaemonRecord extends ProcessId {
  readonly name: string;
  readonly log: string;
  readonly argv: readonly string[];
}

/** Addresses of a lab exist in its namespaces only: no proxy may be asked for them. */
export const NO_PROXY: Readonly<Record<string, string>> = { NO_PROXY: '*', no_proxy: '*' };

/** A started program. The handle can be had again in another process through `DaemonFolder.find`. */
export class Daemon {
  readonly name: string;
  readonly log: string;
  readonly #record: DaemonRecord;
  readonly #folder: DaemonFolder;

  constructor(record: DaemonRecord, folder: DaemonFolder) {
    this.name = record.name;
    this.log = record.log;
    this.#record = record;
    this.#folder = folder;
  }

  get pid(): number {
    return this.#record.pid;
  }

  get alive(): boolean {
    return isAlive(this.#record);
  }

  signal(name: NodeJS.Signals): boolean {
    return signal(this.#record, name);
  }

  /** The end of its output (standard output and error in one), as text. */
  logTail(lines = 10): string {
    return lastLines(this.logText(), lines);
  }

  logText(): string {
    try {
      return readFileSync(this.log, 'utf8');
    } catch {
      return '';
    }
  }

  /** Ends it (SIGKILL unless told), waits until it is gone and forgets it. */
  async stop(name: NodeJS.Signals = 'SIGKILL', deadlineMs = 20_000): Promise<void> {
    if (this.signal(name))
      await waitFor(`${this.name} (pid ${this.pid}) to end after ${name}`, () => !this.alive, {
        deadlineMs,
        intervalMs: 10,
      });
    this.#folder.forget(this.name);
  }
}

/** The folder of records (`processes/NAME.json`) and logs (`logs/NAME.log`) of one lab. */
export class DaemonFolder {
  readonly #records: string;
  readonly #logs: string;

  constructor(labFolder: string) {
    this.#records = join(labFolder, 'processes');
    this.#logs = join(labFolder, 'logs');
  }

  logPath(name: string): string {
    return join(this.#logs, `${name}.log`);
  }

  /**
   * Starts a program in a session of its own, with its output appended to its log.
   * @throws LabError when one of that name runs already or the program cannot be started.
   */
  start(spec: DaemonSpec): Daemon {
    if (this.find(spec.name)?.alive) throw new LabError(`${spec.name} runs already: stop it first`);
    const enter = spec.netns === undefined ? [] : ['nsenter', `--net=/run/netns/${spec.netns}`];
    const [program = '', ...args] = [...enter, ...spec.argv];
    mkdirSync(this.#records, { recursive: true });
    mkdirSync(this.#logs, { recursive: true });
    const log = this.logPath(spec.name);
    const output = openSync(log, 'a');
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...NO_PROXY, ...spec.env },
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    });
    closeSync(output);
    child.on('error', () => undefined);
    child.unref();
    const id = child.pid === undefined ? undefined : identify(child.pid);
    if (id === undefined) throw new LabError(`${spec.name}: ${program} cannot be started`);
    const record: DaemonRecord = { ...id, name: spec.name, log, argv: spec.argv };
    const path = join(this.#records, `${spec.name}.json`);
    writeFileSync(`${path}.new`, JSON.stringify(record));
    renameSync(`${path}.new`, path);
    return new Daemon(record, this);
  }

  find(name: string): Daemon | undefined {
    try {
      const text = readFileSync(join(this.#records, `${name}.json`), 'utf8');
      return new Daemon(JSON.parse(text) as DaemonRecord, this);
    } catch {
      return undefined;
    }
  }

  list(): readonly Daemon[] {
    if (!existsSync(this.#records)) return [];
    return readdirSync(this.#records)
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map((file) => this.find(file.slice(0, -'.json'.length)))
      .filter((daemon) => daemon !== undefined);
  }

  forget(name: string): void {
    rmSync(join(this.#records, `${name}.json`), { force: true });
  }
}
