/** The tallies of api.md §13, counted in the generated CRDs. */
import { describe, expect, it } from 'vitest';
import { versions, type Schema, type Version } from '#tests/support/generated-crds.ts';
import { celFacts, type CelFact } from '#tests/unit/api/cel-facts.ts';
import { addedFields } from '#tests/unit/api/facts.ts';

/** A field of its own: its name, and below it nothing that Kubernetes defines (selectors of §3.1, pods). */
function declared(schema: Schema, path: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}.${name}`;
    const below = field.items ?? field;
    const selector =
      below['x-kubernetes-map-type'] === 'atomic' && below.properties?.['matchLabels'] !== undefined;
    const embedded = selector || /(^|[a-z])tolerations$|^affinity$|^resources$/i.test(name);
    return [at, ...(embedded ? [] : declared(below, at))];
  });
}

/** The schemas of one version's spec and status, each under its name. */
const parts = ({ schema }: Version) =>
  ['spec', 'status'].map((name) => [name, schema.openAPIV3Schema.properties?.[name] ?? {}] as const);

function rulesOf(schema: Schema, path: string): { path: string; rule: string; message: string }[] {
  const own = (schema['x-kubernetes-validations'] ?? []) as readonly { rule: string; message: string }[];
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    rulesOf(field, `${path}.${name}`),
  );
  const items = schema.items === undefined ? [] : rulesOf(schema.items, `${path}[]`);
  return [...own.map(({ rule, message }) => ({ path, rule, message })), ...below, ...items];
}

function defaultsOf(schema: Schema, path: string): string[] {
  const here = schema.default === undefined ? [] : [`${path}=${JSON.stringify(schema.default)}`];
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    defaultsOf(field, `${path}.${name}`),
  );
  const items = schema.items === undefined ? [] : defaultsOf(schema.items, `${path}[]`);
  return [...here, ...below, ...items];
}

describe('tallies of api.md §13, counted in the generated CRDs', () => {
  const reference = versions.filter(({ key }) => !/^(BGPSessionState|IPReservation) /.test(key));

  it('10 kinds, 11 versions, 128 fields of MetalLB', () => {
    const count = ({ key, version }: (typeof versions)[number]): number => {
      const ours = (addedFields[key] ?? []).map((fact) => fact.split(' ')[0]?.replaceAll('[].', '.'));
      const paths = parts(version).flatMap(([name, schema]) => declared(schema, name));
      return paths.filter((path) => !ours.includes(path)).length;
    };
    const counts = Object.fromEntries(reference.map((one) => [one.key, count(one)]));
    expect(counts).toEqual({
      'BFDProfile v1beta1': 7,
      'BGPAdvertisement v1beta1': 9,
      'BGPPeer v1beta1': 17,
      'BGPPeer v1beta2': 23,
      'Community v1beta1': 3,
      'ConfigurationState v1beta1': 9,
      'IPAddressPool v1beta1': 12,
      'L2Advertisement v1beta1': 8,
      'MetalLB v1beta1': 31,
      'ServiceBGPStatus v1beta1': 4,
      'ServiceL2Status v1beta1': 5,
    });
    expect(Object.values(counts).reduce((sum, each) => sum + each, 0)).toBe(128);
    expect(new Set(reference.map(({ key }) => key.split(' ')[0])).size).toBe(10);
  });

  it('7 defaults', () => {
    const defaults = reference.flatMap(({ version }) =>
      parts(version).flatMap(([name, schema]) => defaultsOf(schema, name)),
    );
    expect(defaults.sort()).toEqual([
      'spec.aggregationLength=32',
      'spec.aggregationLengthV6=128',
      'spec.autoAssign=true',
      'spec.avoidBuggyIPs=false',
      'spec.disableMP=false',
      'spec.dualStackAddressFamily=false',
      'spec.peerPort=179',
    ]);
  });

  it('10 CEL rules of MetalLB and 21 of ours, each with its text', () => {
    const found = versions.flatMap(({ key, version }) =>
      parts(version).flatMap(([name, schema]) =>
        rulesOf(schema, name).map((rule) => ({ version: key, ...rule })),
      ),
    );
    const textOf = ({ version, path, rule }: Pick<CelFact, 'version' | 'path' | 'rule'>): string =>
      `${version} ${path}: ${rule}`;
    expect(found.map(textOf).sort()).toEqual(celFacts.map(textOf).sort());
    const counts = Object.groupBy(celFacts, ({ origin }) => origin);
    expect([counts.reference?.length, counts.ours?.length]).toEqual([10, 21]);
    const exclusive = found.find(
      ({ version, path }) => version === 'BGPAdvertisement v1beta1' && path === 'spec',
    );
    expect(exclusive?.message).toContain('serviceSelectors and aggregationLength are mutually exclusive');
  });
});

describe('positive control', () => {
  it('fields, rules and defaults are counted at every depth, Kubernetes’ own are not', () => {
    const selector: Schema = { 'x-kubernetes-map-type': 'atomic', properties: { matchLabels: {} } };
    const schema: Schema = {
      properties: {
        a: {
          items: {
            properties: { b: { default: 1 } },
            'x-kubernetes-validations': [{ rule: 'r', message: 'm' }],
          },
        },
        nodeSelectors: { items: selector },
        c: { default: 7, properties: { d: {} } },
      },
    };
    expect(declared(schema, 's')).toEqual(['s.a', 's.a.b', 's.nodeSelectors', 's.c', 's.c.d']);
    expect(rulesOf(schema, 's')).toEqual([{ path: 's.a[]', rule: 'r', message: 'm' }]);
    expect(defaultsOf(schema, 's')).toEqual(['s.a[].b=1', 's.c=7']);
  });
});
