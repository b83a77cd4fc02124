/** Docker archives without Docker: the files that `ctr images import` reads (OCI image specification, config). */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeArchive } from '#lab/image/archive.ts';
import { freshLayer } from '#lab/image/layers.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'metallb-archive-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

describe('a layer', () => {
  it('is the same bytes for the same content, owned by root', async () => {
    const source = join(folder, 'tool');
    writeFileSync(source, 'x', { mode: 0o755 });
    const first = await freshLayer(folder, 'a.tar', [{ from: source, to: '/usr/bin/tool' }]);
    const second = await freshLayer(folder, 'b.tar', [{ from: source, to: '/usr/bin/tool' }]);
    expect(second.digest).toBe(first.digest);
    expect(first.digest).toBe(`sha256:${sha256(first.path)}`);
    const listing = execFileSync('tar', ['--numeric-owner', '-tvf', first.path], { encoding: 'utf8' });
    expect(listing).toMatch(/-rwxr-xr-x 0\/0 +1 .* \.\/usr\/bin\/tool/);
  });
});

describe('an archive', () => {
  it('names every image with its configuration and layers, and holds a shared layer once', async () => {
    writeFileSync(join(folder, 'file'), 'x');
    const base = await freshLayer(folder, 'base.tar', [{ from: join(folder, 'file'), to: '/file' }]);
    const top = await freshLayer(folder, 'top.tar', [{ from: join(folder, 'file'), to: '/top' }]);
    const { stream } = writeArchive(join(folder, 'archive'), [
      { name: 'localhost/one:lab', layers: [base, top], env: { A: '1' }, user: '1:2', command: ['x', 'y'] },
      { name: 'localhost/two:lab', layers: [base], env: {} },
    ]);
    const [program = '', ...args] = stream;
    const out = join(folder, 'out');
    mkdirSync(out);
    execFileSync('tar', ['-C', out, '-xf', '-'], { input: execFileSync(program, args) });
    const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as readonly {
      Config: string;
      RepoTags: readonly string[];
      Layers: readonly string[];
    }[];
    expect(manifest.map(({ RepoTags, Layers }) => [RepoTags, Layers])).toEqual([
      [['localhost/one:lab'], ['base.tar', 'top.tar']],
      [['localhost/two:lab'], ['base.tar']],
    ]);
    const config = manifest[0]?.Config ?? '';
    expect(config).toBe(`${sha256(join(out, config))}.json`);
    expect(JSON.parse(readFileSync(join(out, config), 'utf8'))).toMatchObject({
      os: 'linux',
      config: { Env: ['A=1'], Cmd: ['x', 'y'], User: '1:2' },
      rootfs: { type: 'layers', diff_ids: [base.digest, top.digest] },
    });
    expect(sha256(join(out, 'base.tar'))).toBe(base.digest.slice('sha256:'.length));
  });
});
