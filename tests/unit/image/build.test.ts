/** The bundles: what is in them (architecture §3), and that a source finds its place from inside one. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, packagesIn } from '#tools/build.ts';

const repository = join(import.meta.dirname, '../../..');
let folder: string;

/** A tree of sources beside the real node_modules. */
function sources(files: Readonly<Record<string, string>>): string {
  const source = mkdtempSync(join(folder, 'source-'));
  symlinkSync(join(repository, 'node_modules'), join(source, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(source, dirname(path)), { recursive: true });
    writeFileSync(join(source, path), text);
  }
  return source;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'metallb-build-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('places of sources in a bundle', () => {
  it('finds a worker, a file beside the sources and itself as the program', async () => {
    const source = sources({
      'speaker/main.ts': `
        import { say } from './deep/say.ts';
        if (process.argv[1] === import.meta.filename) say((text: string) => console.log(text));`,
      'speaker/deep/say.ts': `
        import { readFileSync } from 'node:fs';
        import { join } from 'node:path';
        import { Worker } from 'node:worker_threads';
        export function say(print: (text: string) => void): void {
          print(readFileSync(new URL('../../templates/a.txt', import.meta.url), 'utf8'));
          print(readFileSync(join(import.meta.dirname, '../../templates/a.txt'), 'utf8'));
          new Worker(new URL('./worker.ts', import.meta.url)).on('message', (text: string) => print(text));
        }`,
      'speaker/deep/worker.ts': `
        import { parentPort } from 'node:worker_threads';
        parentPort?.postMessage('worker');`,
    });
    const out = join(folder, 'out with space');
    const { bundles } = await build(out, { source, programs: ['speaker'] });
    expect(bundles.map(({ entry }) => entry)).toEqual(['speaker/main.ts', 'speaker/deep/worker.ts']);
    mkdirSync(join(out, 'templates'));
    writeFileSync(join(out, 'templates/a.txt'), 'template');
    const main = join(out, 'speaker/main.mjs');
    expect(execFileSync(process.execPath, [main], { encoding: 'utf8' })).toBe('template\ntemplate\nworker\n');
  });

  it('finds koffi beside the bundles', async () => {
    const source = sources({
      'speaker/main.ts': `
        import koffi from 'koffi';
        console.log(koffi.load('libc.so.6').func('int getpid()')() === process.pid);`,
    });
    const out = join(folder, 'native');
    await build(out, { source, programs: ['speaker'] });
    const run = execFileSync(process.execPath, [join(out, 'speaker/main.mjs')], {
      encoding: 'utf8',
      cwd: '/',
    });
    expect(run).toBe('true\n');
    const { size } = readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => ({ size: sum.size + statSync(join(entry.parentPath, entry.name)).size }), {
        size: 0,
      });
    expect(size).toBeLessThan(3e6);
  });

  it('fails without a program unless told to leave it out', async () => {
    const source = sources({ 'cli/main.ts': 'console.log(1);' });
    const out = join(folder, 'missing');
    await expect(build(out, { source })).rejects.toThrow(
      'no such program: controller/main.ts, speaker/main.ts, operator/main.ts',
    );
    const { bundles, missing } = await build(out, { source, allowMissing: true });
    expect(bundles.map(({ program }) => program)).toEqual(['cli']);
    expect(missing).toEqual(['controller', 'speaker', 'operator']);
  });
});

describe('packages in a bundle', () => {
  it('are read from the metafile, scoped ones and nested ones too', async () => {
    const source = sources({
      'cli/main.ts': `import { Agent } from 'undici'; import 'winston'; console.log(Agent);`,
    });
    const { bundles } = await build('', { source, programs: ['cli'], write: false });
    const found = bundles.flatMap(({ metafile }) => packagesIn(metafile));
    expect(found).toEqual(expect.arrayContaining(['undici', 'winston', '@colors/colors']));
  });
});

interface LockFile {
  readonly packages: Readonly<Record<string, unknown>>;
}

/** Copies of a package in a lock file: the top one and any nested in another package. */
function copies(lock: LockFile, name: string): readonly string[] {
  return Object.keys(lock.packages).filter((path) => path.endsWith(`node_modules/${name}`));
}

describe('package-lock.json (architecture §9)', () => {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as LockFile;

  it('has exactly one client-node and no request', () => {
    expect(copies(lock, '@kubernetes/client-node')).toEqual(['node_modules/@kubernetes/client-node']);
    expect(copies(lock, 'request')).toEqual([]);
  });

  it('would show a second copy', () => {
    const nested = 'node_modules/@dot-i/k8s-operator/node_modules/@kubernetes/client-node';
    const two = { packages: { ...lock.packages, [nested]: {} } };
    expect(copies(two, '@kubernetes/client-node')).toHaveLength(2);
  });
});
