import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { judge } from '#cli/validate/command.ts';
import { readManifests } from '#cli/validate/documents.ts';

const samples = globSync(join(import.meta.dirname, '../../../config/samples/*.yaml'));

it('there are samples', () => {
  expect(samples.length).toBeGreaterThan(20);
});

it.each(samples.map((path) => [path.split('/').at(-1) ?? '', path]))(
  'config/samples/%s is valid by itself',
  (_name, path) => {
    const lines = judge(readManifests([path]), [], { namespace: 'metallb-system', complete: false });
    expect(lines.filter(({ severity }) => severity === 'error')).toEqual([]);
  },
);
