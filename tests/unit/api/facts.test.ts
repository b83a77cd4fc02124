import { describe, expect, it } from 'vitest';
import { crds, versions, type Schema } from '#tests/support/generated-crds.ts';
import { addedFields, addedBounds, addedRules, columns, fields, names } from '#tests/unit/api/facts.ts';

function typeOf(schema: Schema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return 'int-or-string';
  if (schema.items !== undefined) return `list(${typeOf(schema.items)})`;
  if (schema.additionalProperties !== undefined) return `map(${typeOf(schema.additionalProperties)})`;
  return schema.type ?? '?';
}

/** Keys of a schema that a fact line states, under the line's words. Any other key makes the test fail. */
const FLAGS: Readonly<Record<string, (value: unknown) => string>> = {
  format: (value) => `format=${String(value)}`,
  default: (value) => `default=${String(value)}`,
  minimum: (value) => `min=${String(value)}`,
  maximum: (value) => `max=${String(value)}`,
  minLength: (value) => `minLength=${String(value)}`,
  maxLength: (value) => `maxLength=${String(value)}`,
  minItems: (value) => `minItems=${String(value)}`,
  enum: (value) => `enum=${(value as string[]).join(',')}`,
  pattern: (value) => `pattern=${String(value)}`,
  maxItems: (value) => `maxItems=${String(value)}`,
  'x-kubernetes-list-type': (value) => `list-type=${String(value)}`,
  'x-kubernetes-list-map-keys': (value) => `list-map-keys=${(value as string[]).join(',')}`,
  'x-kubernetes-map-type': (value) => `map-type=${String(value)}`,
  'x-kubernetes-validations': (value) => `cel=${(value as unknown[]).length}`,
};
const SHAPE = new Set([
  'type',
  'description',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'anyOf',
  'x-kubernetes-int-or-string',
]);

function line(path: string, schema: Schema, required: boolean): string {
  const flags = Object.entries(schema)
    .filter(([key]) => !SHAPE.has(key))
    .map(([key, value]) => FLAGS[key]?.(value) ?? `UNKNOWN-${key}`);
  return normalise([path, typeOf(schema), ...(required ? ['required'] : []), ...flags].join(' '));
}

/** Flags in any order, so that facts can be written as they read best. */
function normalise(fact: string): string {
  const [path = '', type = '', ...flags] = fact.trim().split(' ');
  return [path, type, ...flags.sort()].join(' ');
}

/** The fact with our bounds, and with the number of rules raised by those that we add. */
function withAdded(
  bare: string,
  added: Readonly<Record<string, number>>,
  bounds: Readonly<Record<string, string>>,
) {
  const path = bare.trim().split(' ')[0] ?? '';
  const fact = `${bare} ${bounds[path] ?? ''}`.trim();
  const more = added[path];
  if (more === undefined) return fact;
  const [, before = '0'] = / cel=(\d+)/.exec(fact) ?? [];
  return `${fact.replace(/ cel=\d+/, '')} cel=${Number(before) + more}`;
}

function factsOf(schema: Schema, path: string): string[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return [line(at, field, schema.required?.includes(name) ?? false), ...factsOf(field, at)];
  });
  const { items, additionalProperties: values } = schema;
  const ofItems =
    items?.type === 'object' || Object.keys(items ?? {}).some((key) => FLAGS[key] !== undefined)
      ? [line(`${path}[]`, items ?? {}, false), ...factsOf(items ?? {}, `${path}[]`)]
      : [];
  const ofValues = values !== undefined && values.type !== 'string' ? [line(`${path}{}`, values, false)] : [];
  return [...below, ...ofItems, ...ofValues];
}

const own = (facts: readonly string[]) =>
  facts.filter((fact) => !/^(apiVersion|kind|metadata) /.test(fact)).sort();

describe('facts of the API (api.md §2 to §4) against the generated CRDs', () => {
  it('ten kinds, eleven versions, our IPReservation and BGPSessionState, no other', () => {
    expect(crds.map(({ spec }) => spec.names.kind).sort()).toEqual(Object.keys(names).sort());
    expect(versions.map(({ key }) => key).sort()).toEqual(Object.keys(fields).sort());
    expect(Object.keys(columns).sort()).toEqual(Object.keys(fields).sort());
  });

  it.each(versions)('$key: every field with type, default, bounds, and no other', ({ key, version }) => {
    const added = addedRules[key] ?? {};
    const known = [...(fields[key] ?? []), ...(addedFields[key] ?? [])];
    const facts = known.map((fact) => normalise(withAdded(fact, added, addedBounds[key] ?? {}))).sort();
    const paths = facts.map((fact) => fact.split(' ')[0]);
    expect(Object.keys(added).filter((path) => !paths.includes(path))).toEqual([]);
    expect(own(factsOf(version.schema.openAPIV3Schema, ''))).toEqual(facts);
  });

  it.each(versions)('$key: columns, status sub-resource', ({ key, version }) => {
    const shown = (version.additionalPrinterColumns ?? []).map(({ name, type, jsonPath, priority = 0 }) =>
      [name, type, jsonPath, ...(priority === 0 ? [] : [`priority=${priority}`])].join(' '),
    );
    expect(shown).toEqual(columns[key]);
    expect(version.subresources).toEqual({ status: {} });
  });

  it.each(crds)('$metadata.name: names and versions', ({ metadata, spec }) => {
    const { kind, plural, singular, listKind } = spec.names;
    expect([plural, singular, listKind]).toEqual(names[kind]);
    expect([spec.group, spec.scope, metadata.name]).toEqual([
      'metallb.io',
      'Namespaced',
      `${plural}.metallb.io`,
    ]);
    expect(spec.versions.filter(({ storage }) => storage).map(({ name }) => name)).toEqual([
      kind === 'BGPPeer' ? 'v1beta2' : 'v1beta1',
    ]);
    expect(spec.versions.filter(({ deprecated }) => deprecated).map(({ name }) => name)).toEqual(
      kind === 'BGPPeer' ? ['v1beta1'] : [],
    );
  });

  it('short names are unique and none is a name of ours or of Kubernetes', () => {
    const short = crds.flatMap(({ spec }) => spec.names.shortNames ?? []);
    const taken = ['cs', 'svc', 'ep', 'no', 'ns', 'po', 'cm', 'sa', 'bgp', 'pc', 'ip', 'ing', 'netpol'];
    expect(new Set(short).size).toBe(short.length);
    const others = [...taken, ...Object.values(names).flat()];
    expect(short.filter((name) => others.includes(name))).toEqual([]);
  });

  it('every field has a description, so that kubectl explain reads well at every level', () => {
    const silent = versions.flatMap(({ key, version }) =>
      undescribed(version.schema.openAPIV3Schema, '').map((path) => `${key} ${path}`),
    );
    expect(silent).toEqual([]);
  });
});

function undescribed(schema: Schema, path: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}.${name}`;
    const here = at === '.metadata' || (field.description ?? '') !== '' ? [] : [at];
    return [...here, ...undescribed(field, at), ...undescribed(field.items ?? {}, `${at}[]`)];
  });
}

describe('positive control', () => {
  it('a field without description is noticed, at every depth, also below lists and when it is empty', () => {
    const schema: Schema = {
      properties: {
        metadata: {},
        told: { description: 'x', properties: { silent: {} } },
        empty: { description: '' },
        list: { description: 'x', items: { properties: { silent: {}, told: { description: 'x' } } } },
      },
    };
    expect(undescribed(schema, '')).toEqual(['.told.silent', '.empty', '.list[].silent']);
  });

  it('a field that is missing, extra or different is noticed', () => {
    const schema: Schema = {
      properties: { spec: { type: 'object', required: ['a'], properties: { a: { type: 'string' } } } },
    };
    expect(factsOf(schema, '')).toEqual(['spec object', 'spec.a string required']);
    const odd: Schema = { properties: { a: { type: 'string', nullable: true } } };
    expect(factsOf(odd, '')).toEqual(['a string UNKNOWN-nullable']);
  });
});
