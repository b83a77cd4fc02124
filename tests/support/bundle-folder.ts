/** Bundles in folders of their own, as they are or broken on purpose, and the programs that judge them. */
import { copyFileSync, cpSync, linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ensurePackaging, type PackagingProgram } from '#lab/packaging/ensure.ts';
import { tryRun, type RunResult } from '#lab/process/run.ts';
import { quiet } from '#lab/report.ts';

const csvFile = 'manifests/metallb-operator.clusterserviceversion.yaml';

/** As much of a CSV as tests break. */
export interface Csv {
  metadata: { name: string; annotations: Record<string, string> };
  spec: {
    version: string;
    icon?: unknown[];
    minKubeVersion?: string;
    installModes: { type: string; supported: boolean }[];
    install: {
      spec: { deployments: { spec: { template: { spec: { containers: { resources?: object }[] } } } }[] };
    };
    customresourcedefinitions: {
      owned: {
        kind: string;
        description?: string;
        resources?: unknown[];
        specDescriptors: unknown[];
        statusDescriptors: unknown[];
      }[];
    };
  };
}

export class BundleFolder implements Disposable {
  readonly path: string;

  /** A copy of a bundle. */
  constructor(from = 'bundle') {
    this.path = join(mkdtempSync(join(tmpdir(), 'metallb-bundle-')), 'bundle');
    cpSync(from, this.path, { recursive: true });
  }

  write(file: string, content: string): void {
    writeFileSync(join(this.path, file), content);
  }

  edit(file: string, change: (text: string) => string): void {
    this.write(file, change(readFileSync(join(this.path, file), 'utf8')));
  }

  editCsv(change: (csv: Csv) => void): void {
    this.edit(csvFile, (text) => {
      const csv = parse(text) as Csv;
      change(csv);
      return stringify(csv, { aliasDuplicateObjects: false, lineWidth: 0 });
    });
  }

  [Symbol.dispose](): void {
    rmSync(join(this.path, '..'), { recursive: true, force: true });
  }
}

/** Runs one of the packaging programs. */
export async function packaging(name: PackagingProgram, args: readonly string[]): Promise<RunResult> {
  return tryRun([join(await ensurePackaging(quiet), name), ...args], { timeoutMs: 60_000 });
}

export interface ScorecardResult {
  readonly name: string;
  readonly state: 'error' | 'fail' | 'pass';
  readonly errors?: readonly string[];
  readonly suggestions?: readonly string[];
}

/**
 * Runs one of the scorecard's tests. The program reads the bundle from /bundle, as in its own pod: its root is a
 * folder here that holds nothing but the program and the bundle.
 */
export async function scorecard(bundle: BundleFolder, test: string): Promise<ScorecardResult> {
  const root = join(bundle.path, '..');
  const program = join(await ensurePackaging(quiet), 'scorecard-test');
  const copy = join(root, 'scorecard-test');
  rmSync(copy, { force: true });
  try {
    linkSync(program, copy);
  } catch {
    copyFileSync(program, copy);
  }
  const { stdout, stderr } = await tryRun(['chroot', root, '/scorecard-test', test], { timeoutMs: 60_000 });
  const start = stdout.indexOf('{');
  if (start === -1) throw new Error(`scorecard-test ${test} said no result: ${stderr}`);
  const { results } = JSON.parse(stdout.slice(start)) as { results: readonly ScorecardResult[] };
  const [result] = results;
  if (result === undefined) throw new Error(`scorecard-test ${test} gave no result`);
  return result;
}
