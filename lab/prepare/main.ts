/** The set-up that `npm test` runs first, so that no test pays for it: the full level, and what packages are tested with. */
import { LabError } from '#lab/errors.ts';
import { DEFAULT_NAME } from '#lab/lab.ts';
import { ensureFrrK8s } from '#lab/frrk8s/ensure.ts';
import { ensurePackaging } from '#lab/packaging/ensure.ts';
import { prepare } from '#lab/prepare/prepare.ts';
import { StreamReporter } from '#lab/report.ts';
import { ensureBirdRootfs } from '#lab/system/bird-rootfs.ts';

try {
  const report = new StreamReporter('set-up');
  const { bin, frrRootfs } = await prepare('full', DEFAULT_NAME, report);
  report.step(`Kubernetes programs: ${bin}`);
  report.step(`packaging programs: ${await ensurePackaging(report)}`);
  report.step(`frr-k8s: ${await ensureFrrK8s(report)}`);
  report.step(`FRR root file system: ${frrRootfs}`);
  report.step(`BIRD root file system: ${await ensureBirdRootfs(report)}`);
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`set-up: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
