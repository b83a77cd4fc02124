/**
 * The commit before this one, unpacked: its bundle as its own generator writes it, and its image as its own build
 * makes it. What an upgrade starts from.
 */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LabError } from '#lab/errors.ts';
import type { Archive } from '#lab/image/archive.ts';
import { run } from '#lab/process/run.ts';
import type { Release } from '#tools/bundle/release.ts';

const repository = resolve(import.meta.dirname, '..', '..');

export interface PreviousCommit {
  /** Abbreviated hash and subject. */
  readonly commit: string;
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

/**
 * Unpacks and builds it below a folder.
 * @throws LabError when this is no clone, or one without history.
 */
export async function previousCommit(folder: string, release: Release): Promise<PreviousCommit> {
  const source = join(folder, 'previous');
  mkdirSync(source, { recursive: true });
  const archive = join(folder, 'previous.tar');
  const git = (args: readonly string[]) => run(['git', '-C', repository, ...args]);
  const commit = await git(['log', '-1', '--format=%h %s', 'HEAD~1']).catch((error: unknown) => {
    throw new LabError(
      'the upgrade starts from the commit before this one, and there is none here: git fetch --deepen=1',
      { cause: error },
    );
  });
  await git(['archive', '--output', archive, 'HEAD~1']);
  await run(['tar', '-xf', archive, '-C', source]);
  symlinkSync(join(repository, 'node_modules'), join(source, 'node_modules'));
  writeFileSync(join(source, 'previous.ts'), PROGRAM);
  const out = join(folder, 'previous.json');
  const argv = [
    process.execPath,
    'previous.ts',
    JSON.stringify(release),
    join(folder, 'previous-images'),
    out,
  ];
  await run(argv, { cwd: source, timeoutMs: 300_000 });
  const made = JSON.parse(readFileSync(out, 'utf8')) as Omit<PreviousCommit, 'commit'>;
  return { commit: commit.trim(), ...made };
}
