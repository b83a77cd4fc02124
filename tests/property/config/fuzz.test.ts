/**
 * Random resource sets, half sense and half nonsense, through everything that reads configuration: nothing throws,
 * nothing hangs. `FUZZ_SETS` says how many (the default suits each run of the tests).
 */
import { describe, expect, it } from 'vitest';
import { judge } from '#cli/validate/command.ts';
import { parseManifests } from '#cli/validate/documents.ts';
import { ingestSchemas, type ConfigKind } from '#core/api/ingest.ts';
import { structureOf, type Structure } from '#core/api/structure.ts';
import { resourceDefinitions, metallbResources } from '#core/api/resources.ts';
import { compileKeeping, type LastGood } from '#core/config/keep.ts';
import { node, namespace, NAMESPACE, resources, type TestObject } from '#tests/support/config-factories.ts';

const SETS = Number(process.env['FUZZ_SETS'] ?? 1500);
/** Milliseconds for a set of 100 objects; the mean, since the machine may be busy. */
const LIMIT_MS = 50;
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
  'a', 'b', 'c', '', ' ', 'x y', 'In', 'Exists', 'internal', 'external', 'eth0', 'red', '__proto__', 'constructor',
  '10.0.0.0/24', '10.0.0.0/8', '10.0.1.1-10.0.1.9', '0.0.0.0/0', '::/0', '2001:db8::/120', '::ffff:1.2.3.4/120', '::1-::ff',
  '192.0.2.1', '192.0.2.2', '2001:db8::1', '1.2.3', '65535:65282', 'large:1:2:3', '1:2:3:4', '99999:1', ':', '-', '/',
  '90s', '3s', '0s', '-1s', `${'9'.repeat(40)}h`, '1.5h', '90', '\u0000', '\u{1f600}', 'a'.repeat(300),
];
const NUMBERS = [0, 1, 3, 32, 128, 179, 64512, 64513, 4294967295, -1, 1e9, 0.5, Number.MAX_SAFE_INTEGER];

class Fuzzer {
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
      made.set(`${kind}/${name}`, { kind, metadata: { name, namespace: NAMESPACE, creationTimestamp, labels }, spec });
    }
    return [...made.values()];
  }
}

const around = { nodes: [node('n1', { a: 'b' }), node('n2')], namespaces: [namespace('x', { a: 'b' })] };

function run(objects: readonly TestObject[], lastGood: LastGood): LastGood {
  const input = resources(objects, around);
  for (const scope of [{ kind: 'controller' }, { kind: 'cluster' }] as const) compileKeeping(input, scope, lastGood);
  return compileKeeping(input, { kind: 'speaker', node: around.nodes[0] ?? node('n1') }, lastGood).lastGood;
}

describe('random configuration', () => {
  it(`${SETS} sets through compile`, { timeout: 3_600_000 }, () => {
    let lastGood: LastGood = new Map();
    let inForce = 0;
    for (let seed = 1; seed <= SETS; seed += 1) {
      try {
        const objects = new Fuzzer(seed).set(1 + (seed % 20));
        lastGood = run(objects, lastGood);
        inForce += lastGood.size / objects.length;
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    // Enough of it must be sound, or the rules between objects were never asked.
    expect(inForce / SETS).toBeGreaterThan(0.25);
  });

  it(`100 objects take less than ${LIMIT_MS} ms`, { timeout: 600_000 }, () => {
    const inputs = Array.from({ length: 20 }, (_, index) => resources(new Fuzzer(index).set(150), around));
    const started = performance.now();
    for (const input of inputs) compileKeeping(input, { kind: 'cluster' }, new Map());
    expect((performance.now() - started) / inputs.length).toBeLessThan(LIMIT_MS);
  });

  it(`${Math.ceil(SETS / 10)} sets through metallb validate`, { timeout: 3_600_000 }, () => {
    for (let seed = 1; seed <= SETS / 10; seed += 1) {
      const documents = new Fuzzer(seed).set(1 + (seed % 20)).map(({ kind, ...rest }) => {
        const { group, version } = metallbResources[kind];
        return JSON.stringify({ apiVersion: `${group}/${version}`, kind, ...rest });
      });
      const lines = judge(parseManifests(documents.join('\n---\n'), 'f'), [], { namespace: NAMESPACE, complete: true });
      expect(lines.every(({ place }) => place !== undefined && place.line > 0)).toBe(true);
    }
  });
});
