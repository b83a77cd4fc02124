/** The chart: markers become actions, and templates and values agree. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { action, structure, template } from '#tools/helm/template.ts';

const chart = 'helm/metallb';

it('a structure becomes a toYaml action, indented below its field', () => {
  const text = template([
    { spec: { pod: { nodeSelector: structure('a.b'), name: action('.Release.Name') } } },
  ]);
  expect(text).toBe(
    [
      'spec:',
      '  pod:',
      '    nodeSelector:',
      '      {{- toYaml .Values.a.b | nindent 6 }}',
      '    name: "{{ .Release.Name }}"',
      '',
    ].join('\n'),
  );
});

it('a marker where no action can stand is an error, not a broken chart', () => {
  expect(() => template([{ list: [structure('a')] }])).toThrow('marker');
});

function has(values: unknown, path: readonly string[]): boolean {
  const [field, ...rest] = path;
  if (field === undefined) return true;
  if (typeof values !== 'object' || values === null || !(field in values)) return false;
  return has((values as Record<string, unknown>)[field], rest);
}

it('every value that a template reads has a default, and every default is read', () => {
  const values: unknown = parse(readFileSync(`${chart}/values.yaml`, 'utf8'));
  const texts = readdirSync(`${chart}/templates`).map((file) =>
    readFileSync(`${chart}/templates/${file}`, 'utf8'),
  );
  const read = texts.flatMap((text) => text.match(/\.Values\.[\w.]+/g) ?? []);
  const used = new Set(read.filter((path) => path !== '.Values.AsMap'));
  const missing = [...used].filter((path) => !has(values, path.split('.').slice(2)));
  expect(missing).toEqual([]);
  expect(used.size).toBeGreaterThan(20);
  for (const field of Object.keys(values as object)) {
    expect([...used].filter((path) => path.startsWith(`.Values.${field}`))).not.toEqual([]);
  }
});
