/** Everything a lab needs on the machine, from nothing: what is there already costs nothing. */
import type { Reporter } from '#lab/report.ts';
import type { Level } from '#lab/state/state.ts';
import { ensureFrrRootfs } from '#lab/system/frr-rootfs.ts';
import { ensurePackages } from '#lab/system/packages.ts';
import { assertKernel, assertRoot } from '#lab/system/preflight.ts';
import { ensureBinaries } from '#lab/toolchain/ensure.ts';

export interface Prepared {
  /** Folder of the Kubernetes programs. */
  readonly bin: string;
  /** The cached FRR root file system; read only. */
  readonly frrRootfs: string;
}

/**
 * Installs, builds and fetches what a level needs. `lab` names the namespace in which the kernel is tried out.
 * @throws LabError, one line that names what is missing and what to do.
 */
export async function prepare(
  level: Level,
  lab: string,
  report: Reporter,
  signal?: AbortSignal,
): Promise<Prepared> {
  assertRoot();
  await ensurePackages(level, report);
  await assertKernel(lab);
  const frrRootfs = await ensureFrrRootfs(report);
  signal?.throwIfAborted();
  return { bin: await ensureBinaries(report, signal), frrRootfs };
}
