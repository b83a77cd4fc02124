/**
 * Compiling with a memory: an object that an edit has made faulty stays in force as it last was, and an edit cannot
 * push out what was there before. A slip of the pen takes nothing away while the program lives; after a restart,
 * `compile` alone decides.
 */
import type { ConfigKind } from '#core/api/ingest.ts';
import { compile, type Compiled } from '#core/config/compile.ts';
import { LATEST } from '#core/config/order.ts';
import type { Parsed } from '#core/config/parse.ts';
import type { ObjectRef } from '#core/config/problems.ts';
import type { ClusterResources, Scope } from '#core/config/resources.ts';

type AnyParsed = Parsed<ConfigKind>;

/** Objects as they were when they last had no problem, by kind and name. Start with an empty map. */
export type LastGood = ReadonlyMap<string, AnyParsed>;

export interface Kept extends Compiled {
  /** Objects of which an earlier form is in force. */
  readonly kept: readonly ObjectRef[];
  readonly lastGood: LastGood;
}

const LISTS = ['pools', 'l2Advertisements', 'bgpAdvertisements', 'peers', 'bfdProfiles', 'communities'] as const;

const keyOf = ({ kind, name }: ObjectRef): string => `${kind}/${name}`;

/** Compiles; problems are those of the objects as they are now. */
export function compileKeeping(resources: ClusterResources, scope: Scope, lastGood: LastGood): Kept {
  const changed = (entry: AnyParsed): boolean => !same(entry, lastGood.get(keyOf(entry.ref)));
  const ranked = mapObjects(resources, (entry) => (changed(entry) ? asNewest(entry) : entry));
  const now = compile(lastGood.size === 0 ? resources : ranked, scope);
  const faulty = new Set(now.problems.map(({ object }) => keyOf(object)));
  const kept: ObjectRef[] = [];
  const substituted = mapObjects(resources, (entry) => {
    const earlier = lastGood.get(keyOf(entry.ref));
    if (earlier === undefined || !faulty.has(keyOf(entry.ref)) || !changed(entry)) return entry;
    kept.push(entry.ref);
    return earlier;
  });
  const next = new Map<string, AnyParsed>();
  mapObjects(resources, (entry) => {
    const key = keyOf(entry.ref);
    const good = faulty.has(key) ? lastGood.get(key) : entry;
    if (good !== undefined) next.set(key, good);
    return entry;
  });
  if (kept.length === 0) return { ...now, kept, lastGood: next };
  const { config, problems } = compile(substituted, scope);
  const more = problems.filter(({ object }) => !faulty.has(keyOf(object)));
  return { ...now, config, problems: [...now.problems, ...more], kept, lastGood: next };
}

function same(a: AnyParsed, b: AnyParsed | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** A changed object gives way to what was there before, whenever it was created. */
export function asNewest<K extends ConfigKind>(entry: Parsed<K>): Parsed<K> {
  if (!entry.ok) return entry;
  const { object } = entry;
  return { ...entry, object: { ...object, metadata: { ...object.metadata, creationTimestamp: LATEST } } };
}

function mapObjects(resources: ClusterResources, map: (entry: AnyParsed) => AnyParsed): ClusterResources {
  const lists = LISTS.map((list) => [list, resources[list].map(map)] as const);
  return { ...resources, ...(Object.fromEntries(lists) as Partial<ClusterResources>) };
}
