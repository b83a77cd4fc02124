/** The probe of container `frr` against real daemons. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tryRun, type RunResult } from '#lab/process/run.ts';
import { FrrLab } from '#tests/support/frr-lab.ts';
import { eventually } from '#tests/support/eventually.ts';

let lab: FrrLab;
beforeAll(async () => {
  lab = await FrrLab.start('bgpprobe');
});
afterAll(async () => lab.down());

const probe = (): Promise<RunResult> => tryRun(['sh', 'image/bin/frr-healthy', lab.ours.runFolder]);

it('is content while all daemons run, also with one that answers nobody; names one that is gone', async () => {
  await eventually(async () => expect(await probe()).toMatchObject({ code: 0, stderr: '' }), 10_000);
  lab.ours.daemon('bgpd')?.signal('SIGSTOP');
  expect(await probe()).toMatchObject({ code: 0 });
  lab.ours.daemon('bgpd')?.signal('SIGCONT');
  await lab.ours.daemon('bgpd')?.stop();
  // The socket and the number of the dead daemon are still there.
  expect(await probe()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('bgpd does not run') as string,
  });
  await lab.ours.startDaemon('bgpd');
  await eventually(async () => expect(await probe()).toMatchObject({ code: 0 }), 10_000);
});
