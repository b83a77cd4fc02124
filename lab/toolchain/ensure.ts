/**
 * The programs of the control plane and the nodes: one binary that is all of etcd, kubectl and kube-*, by the
 * name it is called with (main.go beside this file).
 */
import { accessSync, constants, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '#lab/errors.ts';
import type { Reporter } from '#lab/report.ts';
import { cached } from '#lab/system/cache.ts';
import { buildGo, CHEAP, moduleHash } from '#lab/toolchain/build.ts';

export const KUBERNETES_VERSION = 'v1.36.3';

export const PROGRAMS = [
  ...(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const),
  ...(['kube-proxy', 'kubelet', 'kubectl'] as const),
] as const;
export type Program = (typeof PROGRAMS)[number];

const MODULE = import.meta.dirname;

const FLAGS = [
  ...CHEAP,
  `-ldflags=${[
    '-s -w',
    ...['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) => [
      `-X ${path}.gitVersion=${KUBERNETES_VERSION}`,
      `-X ${path}.gitMajor=1`,
      `-X ${path}.gitMinor=36`,
      `-X ${path}.gitTreeState=clean`,
      `-X ${path}.gitCommit=lab`,
      `-X ${path}.buildDate=2026-01-01T00:00:00Z`,
    ]),
    '-X go.etcd.io/etcd/api/v3/version.GitSHA=lab',
  ].join(' ')}`,
] as const;

/** Name of the cache entry: changes with the modules, the program and the flags. */
export function cacheKey(): string {
  return `kubernetes-${KUBERNETES_VERSION}-${moduleHash(MODULE, FLAGS)}`;
}

/**
 * The folder with all programs: `$METALLB_LAB_BIN`, else the cache, else built (minutes, once per machine).
 * @throws LabError when `$METALLB_LAB_BIN` lacks a program, or Go is missing, or the build fails.
 */
export async function ensureBinaries(report: Reporter, signal?: AbortSignal): Promise<string> {
  const own = process.env['METALLB_LAB_BIN'];
  if (own !== undefined) return checkFolder(own);
  return cached(cacheKey(), report, async (folder) => {
    await build(folder, report, signal);
    for (const program of PROGRAMS) symlinkSync('hyper', join(folder, program));
  });
}

function checkFolder(folder: string): string {
  for (const program of PROGRAMS)
    try {
      accessSync(join(folder, program), constants.X_OK);
    } catch {
      throw new LabError(
        `METALLB_LAB_BIN=${folder} has no program ${program}: put it there, or unset the variable to have it built`,
      );
    }
  return folder;
}

async function build(folder: string, report: Reporter, signal: AbortSignal | undefined): Promise<void> {
  report.step(
    `building Kubernetes ${KUBERNETES_VERSION} and etcd from source: 5 to 10 minutes, once per machine`,
  );
  await buildGo({
    name: 'kubernetes',
    module: MODULE,
    argv: [...FLAGS, '-o', join(folder, 'hyper'), '.'],
    packages: ['.'],
    remedy: 'or name a folder with ready-made programs with METALLB_LAB_BIN',
    report,
    signal,
  });
  report.step('Kubernetes and etcd are built');
}
