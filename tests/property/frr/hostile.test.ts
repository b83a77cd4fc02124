/** Hostile text in every field of everything a speaker reads (issue 6): it becomes one word, or its object is out. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig, treeLines } from '#core/frr/tree.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import {
  changed,
  fullWorld,
  leaves,
  pathName,
  worldModel,
  type Path,
  type World,
} from '#tests/support/hostile-world.ts';

const root = join(import.meta.dirname, '../../..');
const templates = join(root, 'frr-templates');
const render = loadTemplates(templates);
/** In every hostile text, so that it is found again. */
const MARK = 'Zq7';

/** What lines the templates can write, where every value is one word, or words where the template's name says so. */
function templateLines(): RegExp[] {
  const escape = (text: string) => text.replaceAll(/[.*+?^$()[\]\\|]/g, String.raw`\$&`);
  const line = (text: string) =>
    escape(text)
      .replaceAll(/\{\{#if \w+\}\}(.*?)\{\{\/if\}\}/g, '(?:$1)?')
      .replaceAll(/\{\{(communities|largeCommunities|asPathPrepend)\}\}/g, '[!-~]+(?: [!-~]+)*')
      .replaceAll(/\{\{(?![#/>])[^}]+\}\}/g, '[!-~]+');
  return readdirSync(templates)
    .filter((file) => file.endsWith('.hbs') && file !== 'raw.hbs')
    .flatMap((file) => readFileSync(join(templates, file), 'utf8').split('\n'))
    .filter((text) => text !== '' && !/^\{\{[#/>][^}]*\}\}$/.test(text))
    .map((text) => new RegExp(`^${line(text)}$`));
}
const possible = templateLines();

const world = fullWorld();
const plain = worldModel(world);
/** All places but the kinds of the objects, which say in what list they are. */
const everywhere = leaves(world).filter(([part, , field]) => part !== 'objects' || field !== 'kind');

/** What is told about the world: nothing may go missing in silence. */
function told(made: ReturnType<typeof worldModel>): number {
  return made.problems.length + made.refused.length + made.withheld.length;
}

function size({ model }: ReturnType<typeof worldModel>): number {
  const counts = model.routers.flatMap(({ neighbors, networks }) => [neighbors.length, networks.length]);
  return model.bfdProfiles.length + counts.reduce((sum, count) => sum + count, 0);
}

/** Whether an object takes part may hang on these. */
const decides = /Selector|labels|metadata|name|ipAddressPools|peers|services|node|namespaces|type|excluded/i;

function check(path: Path, text: string): void {
  const made = worldModel(changed(world, path, text));
  const lines = render(made.model).split('\n').slice(0, -1);
  for (const line of lines) {
    expect(
      possible.some((each) => each.test(line)),
      JSON.stringify(line),
    ).toBe(true);
    if (!line.includes(MARK)) continue;
    // The mark came into the file: then with the whole of the text, within one word.
    expect(text).toMatch(/^[!-~]+$/);
    expect(
      line.split(' ').some((word) => word.includes(text)),
      JSON.stringify(line),
    ).toBe(true);
  }
  // Read back, it is what it looks like: no line hides in another or behind a mark of comment.
  const said = lines.filter((line) => !/^ *(!|exit|exit-address-family|hostname .*)$/.test(line));
  const read = treeLines(parseConfig(lines.join('\n'))).flatMap((line) => line.split(' > '));
  expect(new Set(read)).toEqual(new Set(said.map((line) => line.trim())));
  if (size(made) < size(plain) && !decides.test(pathName(world, path))) expect(told(made)).toBeGreaterThan(0);
}

const fixed = [
  `${MARK}\nrouter bgp 1`,
  `${MARK}\r\n neighbor 192.0.2.66 remote-as 1`,
  `${MARK}\n!`,
  `!${MARK}`,
  `#${MARK}`,
  `${MARK} remote-as 1`,
  ` ${MARK}`,
  `"${MARK}"`,
  `'${MARK}`,
  `\`${MARK}\``,
  `${MARK}?`,
  `${MARK}|include x`,
  `ä${MARK}`,
  `${MARK}\u0000`,
  `${MARK}\u0016\t`,
  `${MARK}\u2028exit`,
  `{{${MARK}}}`,
  `$(${MARK})`,
  MARK.repeat(3334),
  `no-${MARK}`,
  `${MARK}/32`,
  `198.51.100.9${MARK}`,
];

describe('hostile text', () => {
  it('the world is whole: all of it is announced, and nothing is told', () => {
    expect([plain.problems, plain.refused, plain.withheld]).toEqual([[], [], []]);
    expect(size(plain)).toBe(1 + 3 + 3);
    expect(everywhere.length).toBeGreaterThan(100);
  });

  it.each(everywhere.map((path) => [pathName(world, path), path] as const))('%s', (_, path) => {
    for (const text of fixed) check(path, text);
  });

  it('anything anywhere', () => {
    const texts = fc
      .tuple(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 40 }))
      .map(([before, after]) => `${before}${MARK}${after}`);
    fc.assert(fc.property(fc.constantFrom(...everywhere), texts, check), { numRuns: 3000 });
  });

  it('every field of text of the kinds that a speaker reads is in the world', () => {
    const kinds = [
      'IPAddressPool',
      'BGPAdvertisement',
      'L2Advertisement',
      'BGPPeer',
      'BFDProfile',
      'Community',
    ];
    expect(schemaTexts(kinds).filter((field) => !worldTexts(world).has(field))).toEqual([]);
  });
});

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

/** `BGPPeer spec nodeSelectors [] matchLabels {}` for every string in the schemas of these kinds. */
function schemaTexts(kinds: readonly string[]): string[] {
  const walk = (schema: Schema, path: string): string[] => {
    if (schema.type === 'string') return [path];
    const inner = Object.entries(schema.properties ?? {}).flatMap(([key, each]) =>
      walk(each, `${path} ${key}`),
    );
    const items = schema.items === undefined ? [] : walk(schema.items, `${path} []`);
    const map =
      schema.additionalProperties === undefined ? [] : walk(schema.additionalProperties, `${path} {}`);
    return [...inner, ...items, ...map];
  };
  const folder = join(root, 'config/crd');
  return readdirSync(folder).flatMap((file) => {
    const { spec } = parse(readFileSync(join(folder, file), 'utf8')) as {
      spec: {
        names: { kind: string };
        versions: { storage: boolean; schema: { openAPIV3Schema: Schema } }[];
      };
    };
    if (!kinds.includes(spec.names.kind)) return [];
    const stored = spec.versions.find(({ storage }) => storage)?.schema.openAPIV3Schema.properties?.['spec'];
    return stored === undefined ? [] : walk(stored, `${spec.names.kind} spec`);
  });
}

function worldTexts({ objects }: World): Set<string> {
  const found = objects.flatMap((object) =>
    leaves(object.spec, []).map((path) => {
      const words = path.map((key, at) =>
        typeof key === 'number' ? '[]' : path[at - 1] === 'matchLabels' ? '{}' : key,
      );
      return [object.kind, 'spec', ...words].join(' ');
    }),
  );
  return new Set(found);
}
