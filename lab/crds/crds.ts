/** CRDs of other projects as they publish them, from Go modules that go.mod beside this file pins. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '#lab/errors.ts';
import { lastLines, tryRun } from '#lab/process/run.ts';
import type { Reporter } from '#lab/report.ts';
import { cacheFolder } from '#lab/system/cache.ts';
import { ensureGo } from '#lab/toolchain/go.ts';

const MODULE = import.meta.dirname;

/** Where a project keeps its CRDs. */
const projects = {
  prometheus: {
    module: 'github.com/prometheus-operator/prometheus-operator',
    folders: ['example/prometheus-operator-crd'],
  },
  openshift: {
    module: 'github.com/openshift/api',
    folders: ['config/v1', 'route/v1', 'security/v1'].map((name) => `${name}/zz_generated.crd-manifests`),
  },
} as const;

/**
 * Those paths of the CRD files of a project that match; fetched if they are not there.
 * @throws LabError when the module cannot be fetched, or has no such file.
 */
export async function crdFiles(
  project: keyof typeof projects,
  names: RegExp,
  report: Reporter,
): Promise<readonly string[]> {
  const { module, folders } = projects[project];
  const go = await ensureGo(report);
  const env = { GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local', GOMODCACHE: join(cacheFolder(), 'go-mod') };
  const answer = await tryRun([go, 'mod', 'download', '-json', module], {
    cwd: MODULE,
    env,
    timeoutMs: 300_000,
  });
  if (answer.code !== 0)
    throw new LabError(
      `module ${module} cannot be fetched: ${lastLines(`${answer.stdout}${answer.stderr}`, 2)}`,
    );
  const { Dir: root } = JSON.parse(answer.stdout) as { readonly Dir: string };
  const all = folders.flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(root, folder, name)),
  );
  const found = all.filter((path) => names.test(path));
  if (found.length === 0) throw new LabError(`module ${module} has no CRD that matches ${names.source}`);
  return found;
}
