/**
 * The commit before this one, unpacked: its bundle as its own generator writes it, and its image as its own build
 * makes it. What an upgrade starts from; a copy without history starts from its own bundle, and says so.
 */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Archive } from '#lab/image/archive.ts';
import { run } from '#lab/process/run.ts';
import type { Release } from '#tools/bundle/release.ts';

const repository = resolve(import.meta.dirname, '..', '..');

export interface Origin {
  /** Abbreviated hash and subject of the commit, or why it is this one itself. */
  readonly about: string;
  readonly previous: PreviousCommit | undefined;
}

export interface PreviousCommit {
  /** The documents of its catalog with this release alone. */
  readonly catalog: readonly { readonly schema: string; readonly name: string }[];
  /** Its image, by the name of the release that it stands at. */
  readonly images: Archive;
}

/** Runs in the unpacked commit, with its modules. */
const PROGRAM = `
import { catalog } from './tools/bundle/catalog.ts';
import { buildImages } from './lab/image/build.ts';
import { quiet } from './lab/report.ts';
import { writeFileSync } from 'node:fs';
const [release, folder, out] = process.argv.slice(2);
const { fresh } = await buildImages({ folder, report: quiet });
writeFileSync(out, JSON.stringify({ catalog: catalog([JSON.parse(release)]), images: fresh }));
`;

/** Unpacks and builds it below a folder. Rejects when it cannot be built. */
export async function upgradeOrigin(folder: string, release: Release): Promise<Origin> {
  const git = (args: readonly string[]) => run(['git', '-C', repository, ...args]);
  const about = await git(['log', '-1', '--format=%h %s', 'HEAD~1']).catch(() => '');
  if (about === '')
    return {
      about: "this commit's own bundle, for this copy has no history (git fetch --deepen=1)",
      previous: undefined,
    };
  const source = join(folder, 'previous');
  mkdirSync(source, { recursive: true });
  const archive = join(folder, 'previous.tar');
  await git(['archive', '--output', archive, 'HEAD~1']);
  await run(['tar', '-xf', archive, '-C', source]);
  return { about: about.trim(), previous: await build(source, release) };
}

/** Builds what was unpacked, with the modules of this commit. */
async function build(source: string, release: Release): Promise<PreviousCommit> {
  symlinkSync(join(repository, 'node_modules'), join(source, 'node_modules'));
  writeFileSync(join(source, 'previous.ts'), PROGRAM);
  const out = `${source}.json`;
  const argv = [process.execPath, 'previous.ts', JSON.stringify(release), `${source}-images`, out];
  await run(argv, { cwd: source, timeoutMs: 300_000 });
  return JSON.parse(readFileSync(out, 'utf8')) as PreviousCommit;
}
