/**
 * Bundles the programs: `controller/main.ts` becomes `dist/controller/main.mjs` with source map, and what it imports only
 * when it is needed files beside it (half of the memory of a program is its code); they need no node_modules (but koffi,
 * which is native). Worker entry points (`worker.ts` files) become bundles of their own
 * beside their sources' place, and the output folders are those of the sources, so that what a source finds relative
 * to itself (a worker, the templates) is found from the bundle too. `dist/` is what the image has in /app.
 *
 *   node tools/build.ts [--allow-missing] [OUT]
 *
 * Fails when a program's main.ts is missing; with `--allow-missing` says so and goes on.
 */
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { argv, stderr } from 'node:process';
import { parseArgs } from 'node:util';
import { build as bundle, type Metafile, type Plugin } from 'esbuild';
import { messageOf } from '#core/errors.ts';
import { copyRuntimeFiles } from '#tools/runtime-files.ts';

const repository = resolve(import.meta.dirname, '..');

/** Folders that have a `main.ts` which goes into the image. */
export const PROGRAMS = ['controller', 'speaker', 'operator', 'cli'] as const;
export type ProgramName = (typeof PROGRAMS)[number];

export interface BuildOptions {
  /** Skip programs whose main.ts does not exist. They are listed in the result. */
  readonly allowMissing?: boolean;
  /** Bundle only these; all of them by default. */
  readonly programs?: readonly ProgramName[];
  /** Keep the bundles in memory only: for tests that look at the metafiles. */
  readonly write?: boolean;
  /** Folder of the sources; this repository by default. */
  readonly source?: string;
}

export interface Bundle {
  readonly program: ProgramName;
  /** The source, relative to the repository: `speaker/l2/worker.ts`. */
  readonly entry: string;
  readonly metafile: Metafile;
  /** Size of the bundle's files without their source maps. */
  readonly bytes: number;
}

export interface BuildResult {
  readonly bundles: readonly Bundle[];
  readonly missing: readonly ProgramName[];
}

/** `speaker/l2/worker.ts` → `speaker/l2/worker.mjs`. */
function outputOf(entry: string): string {
  return entry.replace(/\.ts$/, '.mjs');
}

/**
 * Sources say where they are through `import.meta`; in a bundle all of them are the bundle's file. This gives each
 * source its own place back, below the output folder, and names workers by what they are bundled to.
 */
function placesOf(root: string, entry: string): Plugin {
  return {
    name: 'places-of-sources',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path.includes('/node_modules/')) return undefined;
        const text = readFileSync(path, 'utf8');
        if (!text.includes('import.meta')) return undefined;
        const source = relative(root, path);
        const place = JSON.stringify(relative(dirname(entry), source === entry ? outputOf(entry) : source));
        const url = `new URL(${place}, import.meta.url)`;
        const contents = text
          .replaceAll(/(['"`])(\.{1,2}\/[\w./-]*worker)\.ts\1/g, '$1$2.mjs$1')
          .replaceAll('import.meta.url', `${url}.href`)
          .replaceAll('import.meta.filename', `decodeURIComponent(${url}.pathname)`)
          .replaceAll(
            'import.meta.dirname',
            `decodeURIComponent(new URL('.', ${url}).pathname).slice(0, -1)`,
          );
        return { contents, loader: 'ts' };
      });
    },
  };
}

/** CommonJS packages inside an ES module call `require` for Node's own modules. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

interface Job {
  readonly program: ProgramName;
  readonly entry: string;
  readonly root: string;
  /** Undefined: in memory only. */
  readonly outDir: string | undefined;
}

async function bundleOne({ program, entry, root, outDir }: Job): Promise<Bundle> {
  const result = await bundle({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: join(outDir ?? root, dirname(entry)),
    outExtension: { '.js': '.mjs' },
    // What is imported only when it is needed is loaded only then.
    splitting: true,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: false,
    external: ['koffi'],
    banner: { js: REQUIRE },
    plugins: [placesOf(root, entry)],
    metafile: true,
    logLevel: 'silent',
    write: outDir !== undefined,
  });
  const code = Object.entries(result.metafile.outputs).filter(([path]) => path.endsWith('.mjs'));
  const bytes = code.reduce((sum, [, output]) => sum + output.bytes, 0);
  return { program, entry, metafile: result.metafile, bytes };
}

/** `speaker/main.ts` and the workers of that program, relative to the repository. */
export function entriesOf(program: ProgramName, root = repository): readonly string[] {
  return [`${program}/main.ts`, ...globSync(`${program}/**/worker.ts`, { cwd: root }).sort()];
}

/**
 * Bundles into `outDir` (emptied first), with what the bundles need beside them.
 * @throws Error naming the programs without main.ts, or with esbuild's own words.
 */
export async function build(outDir: string, options: BuildOptions = {}): Promise<BuildResult> {
  const root = options.source ?? repository;
  const wanted = options.programs ?? PROGRAMS;
  const missing = wanted.filter((program) => !existsSync(join(root, program, 'main.ts')));
  if (missing.length > 0 && options.allowMissing !== true)
    throw new Error(`no such program: ${missing.map((program) => `${program}/main.ts`).join(', ')}`);
  const target = options.write === false ? undefined : outDir;
  if (target !== undefined) rmSync(target, { recursive: true, force: true });
  const jobs = wanted
    .filter((program) => !missing.includes(program))
    .flatMap((program) =>
      entriesOf(program, root).map((entry) => ({ program, entry, root, outDir: target })),
    );
  const bundles = await Promise.all(jobs.map((job) => bundleOne(job)));
  if (target !== undefined) copyRuntimeFiles(root, target);
  return { bundles, missing };
}

/** Names of the packages in a bundle, sorted; `koffi` is never among them. */
export function packagesIn(metafile: Metafile): readonly string[] {
  return packagesOf(Object.keys(metafile.inputs));
}

/** Of those, the ones that are loaded at the start: not what only a dynamic import brings. */
export function packagesAtStart(metafile: Metafile): readonly string[] {
  const files = Object.keys(metafile.outputs).filter((path) =>
    metafile.outputs[path]?.entryPoint?.endsWith('main.ts'),
  );
  for (const file of files) {
    const { imports = [] } = metafile.outputs[file] ?? {};
    const more = imports.filter(({ kind, external }) => kind === 'import-statement' && external !== true);
    files.push(...more.map(({ path }) => path).filter((path) => !files.includes(path)));
  }
  return packagesOf(files.flatMap((file) => Object.keys(metafile.outputs[file]?.inputs ?? {})));
}

function packagesOf(inputs: readonly string[]): readonly string[] {
  const names = inputs.flatMap((path) => {
    const last = path.split('node_modules/').at(-1);
    if (last === undefined || last === path) return [];
    const [first = '', second = ''] = last.split('/');
    return [first.startsWith('@') ? `${first}/${second}` : first];
  });
  return [...new Set(names)].sort();
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { 'allow-missing': { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const outDir = resolve(positionals[0] ?? join(repository, 'dist'));
  const { bundles, missing } = await build(outDir, { allowMissing: values['allow-missing'] });
  for (const { entry, bytes } of bundles)
    stderr.write(`${outputOf(entry)}: ${(bytes / 1e6).toFixed(2)} MB\n`);
  for (const program of missing) stderr.write(`${program}/main.ts does not exist: left out\n`);
}

if (argv[1] === import.meta.filename)
  await main().catch((error: unknown) => {
    stderr.write(`build: ${messageOf(error)}\n`);
    process.exitCode = 1;
  });
