/** promtool, which judges rules and metrics as Prometheus does. Built once per machine from the module beside this file. */
import { join } from 'node:path';
import type { Reporter } from '#lab/report.ts';
import { cached } from '#lab/system/cache.ts';
import { buildGo, CHEAP, moduleHash } from '#lab/toolchain/build.ts';

const MODULE = import.meta.dirname;
const PACKAGE = 'github.com/prometheus/prometheus/cmd/promtool';
/** Without the clients of all clouds, which only a server needs. */
const FLAGS = [...CHEAP, '-tags=remove_all_sd', '-ldflags=-s -w'] as const;

/**
 * The program's path; built if it is not there.
 * @throws LabError when Go is missing or the build fails.
 */
export async function ensurePromtool(report: Reporter, signal?: AbortSignal): Promise<string> {
  const key = `promtool-${moduleHash(MODULE, [...FLAGS, PACKAGE])}`;
  const folder = await cached(key, report, async (into) => {
    report.step('building promtool from source: 2 to 4 minutes, once per machine');
    const argv = [...FLAGS, '-o', `${into}/`, PACKAGE];
    const build = { name: 'promtool', module: MODULE, argv, packages: ['-tags=remove_all_sd', PACKAGE] };
    await buildGo({ ...build, remedy: '', report, signal });
    report.step('promtool is built');
  });
  return join(folder, 'promtool');
}
