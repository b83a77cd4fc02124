/** Network namespaces for one test file, and processes inside them that talk with the test. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { run, tryRun } from '#lab/process/run.ts';

/** A segment: one namespace with a bridge, and hosts whose `eth0` is on it. */
export class Segment {
  readonly #prefix: string;
  readonly #made: string[] = [];

  constructor(prefix: string) {
    this.#prefix = `mlb-${prefix}-${process.pid}`;
  }

  /** Full name of the namespace of a host; `lan` is the bridge's. */
  netns(host: string): string {
    return `${this.#prefix}-${host}`;
  }

  async up(): Promise<void> {
    await this.#make('lan');
    await this.bridge('br0');
  }

  /** Adds a segment beside the first one, which is `br0`. */
  async bridge(name: string): Promise<void> {
    await this.ip('lan', 'link', 'add', name, 'type', 'bridge');
    await this.ip('lan', 'link', 'set', name, 'up');
  }

  async #make(host: string): Promise<void> {
    const name = this.netns(host);
    await run(['ip', 'netns', 'add', name]);
    this.#made.push(name);
    // No wait for duplicate detection: addresses are usable at once.
    await run(['ip', 'netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0']);
    await this.ip(host, 'link', 'set', 'lo', 'up');
  }

  /** Adds a host with `eth0` on the segment; its port there has the host's name. */
  async host(name: string, ...addresses: readonly string[]): Promise<void> {
    await this.#make(name);
    await this.plug(name, 'eth0', name);
    for (const address of addresses) await this.ip(name, 'addr', 'add', address, 'dev', 'eth0');
  }

  /** A cable from a new interface of a host to a new port of the segment. */
  async plug(host: string, device: string, port: string, bridge = 'br0'): Promise<void> {
    await this.ip(
      'lan',
      'link',
      'add',
      port,
      'type',
      'veth',
      'peer',
      'name',
      device,
      'netns',
      this.netns(host),
    );
    await this.ip('lan', 'link', 'set', port, 'master', bridge, 'up');
    await this.ip(host, 'link', 'set', device, 'up');
  }

  /** Pulls a host's cable: its interface loses the carrier as well. */
  async cut(port: string): Promise<void> {
    await this.ip('lan', 'link', 'set', port, 'down');
  }

  async heal(port: string): Promise<void> {
    await this.ip('lan', 'link', 'set', port, 'up');
  }

  async ip(host: string, ...args: readonly string[]): Promise<string> {
    return run(['ip', '-n', this.netns(host), ...args]);
  }

  /** MAC address of an interface. */
  async mac(host: string, device = 'eth0'): Promise<string> {
    const [link] = JSON.parse(await this.ip(host, '-j', 'link', 'show', 'dev', device)) as {
      address: string;
    }[];
    return link?.address ?? '';
  }

  async down(): Promise<void> {
    for (const name of this.#made) await tryRun(['ip', 'netns', 'delete', name]);
  }
}

/** A Node process in a namespace, which answers and reports by messages. */
export class NamespacedProcess<In, Out> {
  readonly child: ChildProcess;
  readonly #received: Out[] = [];
  readonly #listeners = new Set<(message: Out) => void>();

  /** Runs the script (URL of a .ts file) with one argument of JSON. */
  constructor(netns: string, script: URL, argument: unknown) {
    const command = [
      'netns',
      'exec',
      netns,
      process.execPath,
      fileURLToPath(script),
      JSON.stringify(argument),
    ];
    this.child = spawn('ip', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (message) => {
      this.#received.push(message as Out);
      for (const listener of this.#listeners) listener(message as Out);
    });
  }

  send(message: In): void {
    if (this.child.connected) this.child.send(message as object);
  }

  /** Everything received so far. */
  get received(): readonly Out[] {
    return this.#received;
  }

  forget(): void {
    this.#received.length = 0;
  }

  /** The first message, past or future, that satisfies the condition. Rejects when none comes or the process ends. */
  async expect<T extends Out>(matches: (message: Out) => message is T, withinMs?: number): Promise<T>;
  async expect(matches: (message: Out) => boolean, withinMs?: number): Promise<Out>;
  async expect(matches: (message: Out) => boolean, withinMs = 5_000): Promise<Out> {
    const past = this.#received.find(matches);
    if (past !== undefined) return past;
    return new Promise((resolve, reject) => {
      const done = (finish: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        this.child.off('exit', ended);
        finish();
      };
      const listener = (message: Out): void => {
        if (matches(message)) done(() => resolve(message));
      };
      const ended = (code: number | null): void => done(() => reject(new Error(`ended with code ${code}`)));
      const timer = setTimeout(() => {
        const seen = JSON.stringify(this.#received.slice(-10));
        done(() => reject(new Error(`nothing within ${withinMs} ms; the last messages: ${seen}`)));
      }, withinMs);
      this.#listeners.add(listener);
      this.child.once('exit', ended);
    });
  }

  /** Ends the process with a signal and waits for its end. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }

  /** Waits for the process to end by itself; its exit code. */
  async ended(withinMs: number): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const [code] = (await once(this.child, 'exit', { signal: AbortSignal.timeout(withinMs) })) as [
      number | null,
    ];
    return code;
  }
}
