/** Fields that the API server would drop: misspelt ones, mostly. */
import { METADATA_FIELDS, type Structure } from '#core/api/structure.ts';
import type { Finding } from '#core/config/problems.ts';

/** Code UNKNOWN for each field of the object that its schema does not have. */
export function unknownFields(object: object, structure: Structure): Finding[] {
  const { metadata, ...rest } = structure.properties ?? {};
  const envelope = { apiVersion: {}, kind: {}, metadata: metadata ?? {} };
  const top = { properties: { ...rest, ...envelope } };
  const meta = Object.fromEntries(METADATA_FIELDS.map((field) => [field, {}]));
  return walk(object, { properties: { ...top.properties, metadata: { properties: meta } } }, '');
}

function walk(value: unknown, { properties, items }: Structure, path: string): Finding[] {
  if (Array.isArray(value))
    return items === undefined ? [] : value.flatMap((item, index) => walk(item, items, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null || properties === undefined) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return known === undefined ? [unknown(name, at, Object.keys(properties))] : walk(field, known, at);
  });
}

function unknown(name: string, field: string, known: readonly string[]): Finding {
  const meant = nearest(name, known);
  return {
    code: 'UNKNOWN',
    field,
    message: `unknown field ${field}: the API server drops it`,
    remedy: meant === undefined ? 'Remove the field.' : `Did you mean ${meant}?`,
  };
}

/** The known name that is closest, if it is close enough to be meant. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(1, Math.floor(name.length / 3))
    ? best.candidate
    : undefined;
}

/** Levenshtein distance: insertions, deletions and replacements of one character. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of a.split('').entries()) {
    const next = [i + 1];
    for (const [j, right] of b.split('').entries())
      next.push(Math.min((row[j] ?? 0) + (left === right ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    row = next;
  }
  return row[b.length] ?? 0;
}
