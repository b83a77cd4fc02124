/** Whether the generator of the property tests gets everywhere: every problem that compile can tell, every field. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourceDefinitions } from '#core/api/definitions.ts';
import { structureOf, type Structure } from '#core/api/structure.ts';
import { around, cluster, kinds } from '#tests/support/config-arbitraries.ts';
import { compiled } from '#tests/support/config-factories.ts';

const RUNS = 4000;

/** Codes in core/config that compile never tells, and who does. */
const NOT_BY_COMPILE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['PEER-22', 'BFD-9', 'POOL-12', 'COM-3', 'ADL-9', 'ADB-19'].map((code) => [
      code,
      'namespaceFindings: compile is given the objects of one namespace',
    ]),
  ),
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16].map((number) => [
      `MLB-${number}`,
      'validateMetalLB: no configuration',
    ]),
  ),
};

/** All codes that the sources of core/config name. */
function codesInSource(): string[] {
  const files = globSync(join(import.meta.dirname, '../../../core/config/*.ts'));
  const found = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/'((?:[A-Z]{1,4}-\d+)|SCHEMA)'/g)].map(([, code]) => code ?? ''),
  );
  return [...new Set(found)].sort();
}

/** Paths below a value, list positions left out. */
function pathsOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, path));
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, below]) => pathsOf(below, `${path}.${name}`))];
}

function fieldsOf(structure: Structure, path: string): string[] {
  return Object.entries(structure.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}.${name}`;
    return [at, ...fieldsOf(field.items ?? field, at)];
  });
}

const missing = (wanted: readonly string[], found: ReadonlySet<string>) =>
  wanted.filter((each) => !found.has(each));

describe(`reach of the generator, in ${RUNS} sets`, () => {
  const sets = fc.sample(cluster, { seed: 4, numRuns: RUNS });
  const outcomes = sets.map((objects) => compiled(objects, around));
  const told = new Set(
    outcomes.flatMap(({ problems, warnings }) => [...problems, ...warnings].map(({ code }) => code)),
  );

  it('every code that can come out of compile comes out', () => {
    const codes = codesInSource();
    expect(codes.length).toBeGreaterThan(70);
    const possible = codes.filter((code) => NOT_BY_COMPILE[code] === undefined);
    expect(missing(possible, told)).toEqual([]);
    expect(missing([...told], new Set(codes))).toEqual([]);
    expect([...told].filter((code) => NOT_BY_COMPILE[code] !== undefined)).toEqual([]);
  });

  it('every field of every kind is there at times', () => {
    const found = new Set(sets.flat().flatMap(({ kind, spec }) => pathsOf(spec, kind)));
    const wanted = kinds.flatMap((kind) => {
      const version = resourceDefinitions
        .find((definition) => definition.kind === kind)
        ?.versions.find(({ storage }) => storage);
      if (version === undefined) throw new Error(`no stored version of ${kind}`);
      return fieldsOf(structureOf(version.schema).properties?.['spec'] ?? {}, kind);
    });
    expect(wanted.length).toBeGreaterThan(90);
    expect(missing(wanted, found)).toEqual([]);
  });

  it('enough is in force for the rules between objects to be asked', () => {
    const count = (list: (one: (typeof outcomes)[number]) => number): number =>
      outcomes.reduce((sum, one) => sum + list(one), 0) / sets.length;
    const inForce = [
      count(({ config }) => config.pools.length),
      count(({ config }) => config.peers.length),
      count(({ config }) => config.bgpAdvertisements.length),
      count(({ config }) => config.l2Advertisements.length),
      count(({ config }) => config.bfdProfiles.length),
    ];
    for (const each of inForce) expect(each).toBeGreaterThan(0.2);
  });

  it('positive control: a code or a field that nothing reaches is noticed', () => {
    expect(missing(['PEER-99', 'PEER-1'], told)).toEqual(['PEER-99']);
    expect(fieldsOf({ properties: { a: { items: { properties: { b: {} } } } } }, 'X')).toEqual(['X.a', 'X.a.b']);
    expect(pathsOf({ a: [{ b: 1 }, null] }, 'X')).toEqual(['X', 'X.a', 'X.a.b', 'X.a']);
  });
});
