/** Takes a lab down from nothing but its folder: works for a living one, a killed one and a half-started one. */
import { existsSync } from 'node:fs';
import { unmountBelow } from '#lab/frr/root.ts';
import { removeAllNodes } from '#lab/full/remove.ts';
import { Topology } from '#lab/net/topology.ts';
import { places, MAX_NODES, netnsName } from '#lab/net/plan.ts';
import { DaemonFolder } from '#lab/process/daemon.ts';
import { identify, isAlive, type ProcessId, signal } from '#lab/process/identity.ts';
import { tryRun } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { labFolder, readState, removeFolder } from '#lab/state/state.ts';

/** Ends everything of the lab and removes every trace of it. Does nothing when there is none. */
export async function removeLab(name: string): Promise<void> {
  const folder = labFolder(name);
  if (!existsSync(folder)) return;
  const state = readState(name);
  const daemons = new DaemonFolder(folder);
  for (const daemon of daemons.list()) daemon.signal('SIGKILL');
  if (state?.level === 'full') await removeAllNodes(folder);
  await killInside(name);
  await Promise.all(daemons.list().map((daemon) => daemon.stop()));
  await unmountBelow(folder);
  await new Topology(name, state?.nodes ?? MAX_NODES).down();
  removeFolder(name);
}

/** Ends what runs in the lab's namespaces and was not recorded (children of daemons, a program somebody ran there). */
async function killInside(name: string): Promise<void> {
  const found: ProcessId[] = [];
  for (const place of places(MAX_NODES)) {
    const netns = netnsName(name, place);
    if (!existsSync(`/run/netns/${netns}`)) continue;
    const { stdout } = await tryRun(['ip', 'netns', 'pids', netns]);
    const ids = stdout.split('\n').filter((line) => line !== '' && Number(line) !== process.pid);
    found.push(...ids.map((pid) => identify(Number(pid))).filter((id) => id !== undefined));
  }
  for (const id of found) signal(id, 'SIGKILL');
  await waitFor(`the processes of lab ${name} to end`, () => found.every((id) => !isAlive(id)), {
    intervalMs: 10,
  });
}
