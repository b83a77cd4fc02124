/** A router that runs BIRD instead of FRR, in a namespace of a test's segment. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FrrRoot, unmountBelow } from '#lab/frr/root.ts';
import { DaemonFolder, type Daemon } from '#lab/process/daemon.ts';
import { run } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { ensureBirdRootfs } from '#lab/system/bird-rootfs.ts';

export class Bird {
  readonly #folder: string;
  readonly #root: FrrRoot;
  readonly #daemon: Daemon;

  private constructor(folder: string, root: FrrRoot, daemon: Daemon) {
    this.#folder = folder;
    this.#root = root;
    this.#daemon = daemon;
  }

  /** Starts it with a configuration in which there is no BGP yet. `folder` is the test's; `netns` a full name. */
  static async start(folder: string, netns: string): Promise<Bird> {
    const own = join(folder, 'bird');
    mkdirSync(own, { recursive: true });
    const root = new FrrRoot(own);
    await root.mount(await ensureBirdRootfs(quiet));
    const path = join(root.exchange, 'bird.conf');
    writeFileSync(path, configuration(''));
    const argv = ['chroot', root.path, '/usr/sbin/bird', '-f', '-c', path, '-s', socketIn(root)];
    const daemon = new DaemonFolder(own).start({ name: 'bird', netns, argv });
    const bird = new Bird(own, root, daemon);
    await waitFor('BIRD to answer', () => existsSync(socketIn(root)), { explain: () => daemon.logTail() });
    return bird;
  }

  /** Replaces the configuration: `protocols` stand beside those for devices and log. @throws with BIRD's words. */
  async configure(protocols: string): Promise<void> {
    writeFileSync(join(this.#root.exchange, 'bird.conf'), configuration(protocols));
    const answer = await this.birdc('configure');
    if (!/^Reconfigur/m.test(answer)) throw new Error(`BIRD refuses its configuration: ${answer}`);
  }

  /** What birdc prints for a command. */
  birdc(...words: readonly string[]): Promise<string> {
    return run(['chroot', this.#root.path, '/usr/sbin/birdc', '-s', socketIn(this.#root), ...words]);
  }

  /** All that it knows of a prefix; without an attribute when it does not have it. */
  route(prefix: string): Promise<string> {
    return this.birdc('show', 'route', 'all', prefix);
  }

  /** Prefixes of the tables of both families, sorted. */
  async prefixes(): Promise<string[]> {
    const text = await this.birdc('show', 'route');
    return [...text.matchAll(/^(\S+\/\d+)\s/gm)].map(([, prefix = '']) => prefix).sort();
  }

  /** State and counters of a protocol. */
  protocol(name: string): Promise<string> {
    return this.birdc('show', 'protocols', 'all', name);
  }

  get log(): string {
    return this.#daemon.logText();
  }

  async stop(): Promise<void> {
    await this.#daemon.stop();
    await unmountBelow(this.#folder);
  }
}

function socketIn(root: FrrRoot): string {
  return join(root.exchange, 'bird.ctl');
}

function configuration(protocols: string): string {
  return `log stderr all;\nrouter id 10.77.0.3;\nprotocol device {}\n${protocols}\n`;
}
