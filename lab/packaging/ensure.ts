/**
 * The programs that check and install our packages: Helm, the validators and the scorecard of the operator
 * framework, OLM itself. Built once per machine from modules that go.mod beside this file pins.
 */
import type { Reporter } from '#lab/report.ts';
import { cached } from '#lab/system/cache.ts';
import { buildGo, CHEAP, moduleHash } from '#lab/toolchain/build.ts';

const MODULE = import.meta.dirname;
const HELM_VERSION = 'v4.2.4';
const framework = 'github.com/operator-framework';

/** Each becomes a program called as its last part; `.` is bundletool (main.go). */
const PACKAGES = [
  '.',
  `${framework}/operator-sdk/images/scorecard-test`,
  `${framework}/operator-lifecycle-manager/cmd/olm`,
  `${framework}/operator-lifecycle-manager/cmd/catalog`,
  'helm.sh/helm/v4/cmd/helm',
] as const;

const FLAGS = [
  ...CHEAP,
  `-ldflags=-s -w -X helm.sh/helm/v4/internal/version.version=${HELM_VERSION}`,
] as const;

export type PackagingProgram = 'bundletool' | 'catalog' | 'helm' | 'olm' | 'scorecard-test';

/**
 * The folder with all programs (`PackagingProgram`), built if it is not there.
 * @throws LabError when Go is missing or the build fails.
 */
export async function ensurePackaging(report: Reporter, signal?: AbortSignal): Promise<string> {
  return cached(`packaging-${moduleHash(MODULE, [...FLAGS, ...PACKAGES])}`, report, async (folder) => {
    report.step('building Helm, OLM and its validators from source: 2 to 4 minutes, once per machine');
    await buildGo({
      name: 'packaging',
      module: MODULE,
      argv: [...FLAGS, '-o', `${folder}/`, ...PACKAGES],
      packages: PACKAGES,
      remedy: '',
      report,
      signal,
    });
    report.step('Helm, OLM and its validators are built');
  });
}
