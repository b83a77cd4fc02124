/** Images without a container tool: the files of an OCI image layout (OCI image specification). */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Archive, writeArchive } from '#lab/image/archive.ts';
import { type Blob, BLOBS, freshLayer } from '#lab/image/layers.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'metallb-archive-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function pathOf({ folder: place, hex }: Blob): string {
  return join(place, BLOBS, hex);
}

describe('a layer', () => {
  it('is the same bytes for the same content, owned by root', async () => {
    const source = join(folder, 'tool');
    writeFileSync(source, 'x', { mode: 0o755 });
    const first = await freshLayer(join(folder, 'a'), [{ from: source, to: '/usr/bin/tool' }]);
    const second = await freshLayer(join(folder, 'b'), [{ from: source, to: '/usr/bin/tool' }]);
    expect(second.hex).toBe(first.hex);
    expect(first).toMatchObject({ hex: sha256(pathOf(first)), size: statSync(pathOf(first)).size });
    const listing = execFileSync('tar', ['--numeric-owner', '-tvf', pathOf(first)], { encoding: 'utf8' });
    expect(listing).toMatch(/-rwxr-xr-x 0\/0 +1 .* \.\/usr\/bin\/tool/);
  });
});

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

describe('an archive', () => {
  const unpack = ({ stream }: Archive): string => {
    const [program = '', ...args] = stream;
    const out = mkdtempSync(join(folder, 'out-'));
    execFileSync('tar', ['-C', out, '-xf', '-'], { input: execFileSync(program, args) });
    return out;
  };
  const layer = (name: string) => {
    writeFileSync(join(folder, name), name);
    return freshLayer(join(folder, `${name}-layer`), [{ from: join(folder, name), to: `/${name}` }]);
  };

  it('leads from the index by digest to configuration and layers', async () => {
    const [base, top] = [await layer('base'), await layer('top')];
    const out = unpack(
      writeArchive(join(folder, 'archive'), [
        { name: 'localhost/one:lab', layers: [base, top], env: { A: '1' }, user: '1:2', command: ['x', 'y'] },
        { name: 'localhost/two:lab', layers: [base], env: {} },
      ]),
    );
    const read = ({ digest, size }: Descriptor): unknown => {
      const path = join(out, 'blobs', digest.replace(':', '/'));
      expect(digest).toBe(`sha256:${sha256(path)}`);
      expect(size).toBe(statSync(path).size);
      return JSON.parse(readFileSync(path, 'utf8'));
    };
    const index = JSON.parse(readFileSync(join(out, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
    expect(index.manifests.map(({ annotations }) => annotations?.['io.containerd.image.name'])).toEqual([
      'localhost/one:lab',
      'localhost/two:lab',
    ]);
    const [one] = index.manifests;
    if (one === undefined) throw new Error('no manifest');
    const manifest = read(one) as { config: Descriptor; layers: Descriptor[] };
    const digests = [base, top].map(({ hex }) => `sha256:${hex}`);
    expect(manifest.layers.map(({ digest }) => digest)).toEqual(digests);
    expect(read(manifest.config)).toMatchObject({
      os: 'linux',
      config: { Env: ['A=1'], Cmd: ['x', 'y'], User: '1:2' },
      rootfs: { type: 'layers', diff_ids: digests },
    });
    expect(readdirSync(join(out, BLOBS)).filter((name) => name === base.hex)).toHaveLength(1);
  });

  it('leaves out the layers that its reader has', async () => {
    const [base, top] = [await layer('base'), await layer('top')];
    const image = { name: 'localhost/one:lab', layers: [base, top], env: {} };
    const blobs = readdirSync(join(unpack(writeArchive(join(folder, 'archive'), [image], [base])), BLOBS));
    expect(blobs).toContain(top.hex);
    expect(blobs).not.toContain(base.hex);
  });
});
