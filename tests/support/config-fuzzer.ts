/**
 * Random resource sets, half sense and half nonsense, made from the schemas, so that a new field takes part by itself.
 * One seed, one set: whatever is found can be made again.
 */
import { ingestSchemas, type ConfigKind } from '#core/api/ingest.ts';
import { resourceDefinitions } from '#core/api/definitions.ts';
import { metallbResources } from '#core/api/resources.ts';
import { structureOf, type Structure } from '#core/api/structure.ts';
import { compileKeeping, type LastGood } from '#core/config/keep.ts';
import { namespace, node, NAMESPACE, resources, type TestObject } from '#tests/support/config-factories.ts';

const kinds = Object.keys(ingestSchemas) as ConfigKind[];
const structures = Object.fromEntries(
  kinds.map((kind) => {
    const version = resourceDefinitions
      .find((definition) => definition.kind === kind)
      ?.versions.find(({ storage }) => storage);
    if (version === undefined) throw new Error(`no stored version of ${kind}`);
    return [kind, structureOf(version.schema).properties?.['spec'] ?? {}];
  }),
) as Record<ConfigKind, Structure>;

/** mulberry32: repeatable, and fast. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const TEXTS = [
  'a',
  'b',
  'c',
  '',
  ' ',
  'x y',
  'In',
  'Exists',
  'internal',
  'external',
  'eth0',
  'red',
  '__proto__',
  'constructor',
  '10.0.0.0/24',
  '10.0.0.0/8',
  '10.0.1.1-10.0.1.9',
  '0.0.0.0/0',
  '::/0',
  '2001:db8::/120',
  '::ffff:1.2.3.4/120',
  '::1-::ff',
  '192.0.2.1',
  '192.0.2.2',
  '2001:db8::1',
  '1.2.3',
  '65535:65282',
  'large:1:2:3',
  '1:2:3:4',
  '99999:1',
  ':',
  '-',
  '/',
  '90s',
  '3s',
  '0s',
  '-1s',
  `${'9'.repeat(40)}h`,
  '1.5h',
  '90',
  '\u0000',
  '\u{1f600}',
  'a'.repeat(300),
];
const NUMBERS = [0, 1, 3, 32, 128, 179, 64512, 64513, 4294967295, -1, 1e9, 0.5, Number.MAX_SAFE_INTEGER];

export class ConfigFuzzer {
  readonly #random: () => number;
  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  pick<T>(list: readonly T[]): T {
    const item = list[Math.floor(this.#random() * list.length)];
    if (item === undefined) throw new Error('an empty list');
    return item;
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #nonsense(): unknown {
    return this.pick<unknown>([null, true, 7, 'text', [], {}, [[]], { a: { b: 1 } }]);
  }

  value(structure: Structure & { type?: string; enum?: readonly string[] }): unknown {
    if (this.chance(0.01)) return this.#nonsense();
    if (structure.items !== undefined) {
      const { items } = structure;
      return Array.from({ length: Math.floor(this.#random() * 4) }, () => this.value(items));
    }
    if (structure.enum !== undefined) return this.pick(structure.enum);
    switch (structure.type) {
      case 'boolean':
        return this.chance(0.5);
      case 'integer':
        return this.pick(NUMBERS);
      case 'string':
        return this.pick(TEXTS);
      default:
        return this.#object(structure);
    }
  }

  #object({ properties }: Structure): unknown {
    if (properties === undefined) return { [this.pick(TEXTS)]: this.pick(TEXTS) };
    const entries = Object.entries(properties).filter(() => this.chance(0.35));
    return Object.fromEntries(entries.map(([name, field]) => [name, this.value(field)]));
  }

  set(size: number): TestObject[] {
    const made = new Map<string, TestObject>();
    for (let index = 0; index < size; index += 1) {
      const kind = this.pick(kinds);
      const name = `o${Math.floor(this.#random() * size)}`;
      const creationTimestamp = `2026-01-01T00:00:0${Math.floor(this.#random() * 10)}Z`;
      const labels = this.chance(0.5) ? { a: this.pick(['b', 'c']) } : {};
      const spec = this.value(structures[kind]);
      made.set(`${kind}/${name}`, {
        kind,
        metadata: { name, namespace: NAMESPACE, creationTimestamp, labels },
        spec,
      });
    }
    return [...made.values()];
  }
}

const around = { nodes: [node('n1', { a: 'b' }), node('n2')], namespaces: [namespace('x', { a: 'b' })] };

/** The set of a seed: 1 to 20 objects. */
export function setOf(seed: number): TestObject[] {
  return new ConfigFuzzer(seed).set(1 + (seed % 20));
}

/** One set through all three readers: controller, cluster-wide validation, one speaker. Returns what is in force. */
export function compileEverywhere(objects: readonly TestObject[], lastGood: LastGood): LastGood {
  const input = resources(objects, around);
  for (const scope of [{ kind: 'controller' }, { kind: 'cluster' }] as const)
    compileKeeping(input, scope, lastGood);
  return compileKeeping(input, { kind: 'speaker', node: around.nodes[0] ?? node('n1') }, lastGood).lastGood;
}

/** The set as a user would write it in a file. */
export function manifestText(objects: readonly TestObject[]): string {
  const documents = objects.map(({ kind, ...rest }) => {
    const { group, version } = metallbResources[kind];
    return JSON.stringify({ apiVersion: `${group}/${version}`, kind, ...rest });
  });
  return documents.join('\n---\n');
}
