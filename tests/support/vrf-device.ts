/** VRFs as network devices, which not every kernel has. */
import { run, tryRun } from '#lab/process/run.ts';

/** Why this kernel cannot make a VRF device, in its own words; undefined when it can. */
export async function vrfRefusal(): Promise<string | undefined> {
  const netns = `mlb-vrf-probe-${process.pid}`;
  await run(['ip', 'netns', 'add', netns]);
  try {
    const made = await tryRun(['ip', '-n', netns, 'link', 'add', 'red', 'type', 'vrf', 'table', '10']);
    return made.code === 0 ? undefined : made.stderr.trim();
  } finally {
    await tryRun(['ip', 'netns', 'delete', netns]);
  }
}
