import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { structuralSchema } from '#tools/crds/structural-schema.ts';
import { generatedFiles } from '#tools/generate.ts';
import { drift, write } from '#tools/generated-file.ts';

const root = join(import.meta.dirname, '../../..');

describe('generated files', () => {
  it('98: are up to date in the repository: run `npm run generate` when this fails', () => {
    expect(drift(generatedFiles(), root)).toEqual([]);
  });

  it('are the same at every run', () => {
    expect(generatedFiles()).toEqual(generatedFiles());
  });
});

describe('drift', () => {
  const folder = mkdtempSync(join(tmpdir(), 'generate-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('names a file that is missing and a file that was changed by hand', () => {
    const files = [
      { path: 'a/one.yaml', content: 'one\n' },
      { path: 'two.yaml', content: 'two\n' },
    ];
    expect(drift(files, folder)).toEqual(['a/one.yaml', 'two.yaml']);
    expect(write(files, folder)).toEqual(['a/one.yaml', 'two.yaml']);
    expect(drift(files, folder)).toEqual([]);
    writeFileSync(join(folder, 'two.yaml'), 'two, edited\n');
    expect(drift(files, folder)).toEqual(['two.yaml']);
  });
});

describe('structuralSchema', () => {
  it('keeps asked-for bounds and drops those that the number type implies', () => {
    expect(structuralSchema(z.object({ a: z.int(), b: z.int().min(3), c: z.int32() })).properties).toEqual({
      a: { type: 'integer' },
      b: { type: 'integer', minimum: 3 },
      c: { type: 'integer' },
    });
  });

  it('refuses what a CRD cannot say: a shape that refers to another', () => {
    const named = z.object({ name: z.string() }).meta({ id: 'Named' });
    expect(() => structuralSchema(z.object({ named }))).toThrow('$ref');
  });

  it('refuses types without a schema', () => {
    expect(() => structuralSchema(z.object({ when: z.date() }))).toThrow();
  });
});
