/**
 * One writable view of the cached FRR root file system per lab: an overlay whose changes live in memory. All FRR
 * instances of the lab run in it, kept apart by `-N NAME` (sockets below /run/frr/NAME).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, tryRun } from '#lab/process/run.ts';

export class FrrRoot {
  /** The overlay's mount point: what a daemon is chrooted to. */
  readonly path: string;
  /** A folder with the same path inside and outside the chroot, for configuration files. */
  readonly exchange: string;
  readonly #folder: string;

  /** @param folder of the lab; the overlay is mounted at `FOLDER/frr/root`. */
  constructor(folder: string) {
    this.#folder = join(folder, 'frr');
    this.path = join(this.#folder, 'root');
    this.exchange = join(this.#folder, 'exchange');
  }

  /** @param lower the path that `ensureFrrRootfs` returned. */
  async mount(lower: string): Promise<void> {
    const changes = join(this.#folder, 'changes');
    for (const path of [changes, this.path, this.exchange]) mkdirSync(path, { recursive: true });
    await run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'metallb-lab', changes]);
    const [upper, work] = [join(changes, 'upper'), join(changes, 'work')];
    mkdirSync(upper);
    mkdirSync(work);
    const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    await run(['mount', '-t', 'overlay', '-o', layers, 'metallb-lab', this.path]);
    mkdirSync(join(this.path, this.exchange), { recursive: true });
    await run(['mount', '-t', 'proc', 'proc', join(this.path, 'proc')]);
    await run(['mount', '--bind', '/dev', join(this.path, 'dev')]);
    await run(['mount', '--bind', '/sys', join(this.path, 'sys')]);
    await run(['mount', '--bind', this.exchange, join(this.path, this.exchange)]);
  }

  /** Binds the namespaces that are the VRFs of one instance into a folder of their own. */
  async mountVrfs(instance: string, vrfs: Readonly<Record<string, string>>): Promise<void> {
    const names = Object.entries(vrfs);
    if (names.length === 0) return;
    const folder = this.#vrfFolder(instance);
    await unmountBelow(folder);
    mkdirSync(folder, { recursive: true });
    mkdirSync(join(this.path, 'run/netns'), { recursive: true });
    for (const [vrf, netns] of names) {
      writeFileSync(join(folder, vrf), '');
      await run(['mount', '--bind', `/run/netns/${netns}`, join(folder, vrf)]);
    }
  }

  /**
   * The argv prefix that shows a program the VRFs of one instance as /run/netns of the chroot, and no other
   * namespace: zebra takes every one it sees for a VRF.
   */
  vrfView(instance: string): readonly string[] {
    const script = 'mount --rbind "$1" "$2" && shift 2 && exec "$@"';
    const paths = [this.#vrfFolder(instance), join(this.path, 'run/netns')];
    return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...paths];
  }

  #vrfFolder(instance: string): string {
    return join(this.#folder, 'vrfs', instance);
  }
}

/** Mount points at or below a folder, innermost first. */
export function mountsBelow(folder: string): readonly string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .sort()
    .reverse();
}

/** Unmounts everything at or below a folder. */
export async function unmountBelow(folder: string): Promise<void> {
  for (const point of mountsBelow(folder)) await tryRun(['umount', '-l', point]);
}
