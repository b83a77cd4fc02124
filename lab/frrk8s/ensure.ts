/**
 * frr-k8s, which does BGP for the backend frr-k8s-external: its daemon, its webhook, its status exporter and its CRDs.
 * Built once per machine from the module that go.mod beside this file pins: the version that MetalLB 0.16 installs.
 */
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '#lab/errors.ts';
import type { Reporter } from '#lab/report.ts';
import { cached, cacheFolder } from '#lab/system/cache.ts';
import { buildGo, CHEAP, moduleHash } from '#lab/toolchain/build.ts';

const MODULE = import.meta.dirname;
const SOURCE = 'github.com/metallb/frr-k8s';
const VERSION = 'v0.0.25';
const PACKAGES = ['frr-k8s-controller', 'statuscleaner', 'status'].map((name) => `${SOURCE}/cmd/${name}`);

export type FrrK8sProgram = 'frr-k8s-controller' | 'statuscleaner' | 'status';

/**
 * The folder with all programs (`FrrK8sProgram`) and, below `crds`, the definitions of the kinds.
 * @throws LabError when Go is missing or the build fails.
 */
export async function ensureFrrK8s(report: Reporter, signal?: AbortSignal): Promise<string> {
  return cached(`frr-k8s-${moduleHash(MODULE, [...CHEAP, ...PACKAGES])}`, report, async (folder) => {
    report.step('building frr-k8s from source: 1 to 3 minutes, once per machine');
    await buildGo({
      name: 'frr-k8s',
      module: MODULE,
      argv: [...CHEAP, '-o', `${folder}/`, ...PACKAGES],
      packages: PACKAGES,
      remedy: '',
      report,
      signal,
    });
    copyDefinitions(join(folder, 'crds'));
    report.step('frr-k8s is built');
  });
}

/** The module brings its CRDs along; the build has fetched it. */
function copyDefinitions(target: string): void {
  const source = join(cacheFolder(), 'go-mod', `${SOURCE}@${VERSION}`, 'config/crd/bases');
  cpSync(source, target, { recursive: true });
  if (readdirSync(target).length === 0) throw new LabError(`no CRDs in ${source}`);
}
