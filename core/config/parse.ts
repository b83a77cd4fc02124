/** From raw objects of the API server to typed ones, at ingestion. */
import { ingestSchemas, type ConfigKind, type Ingested } from '#core/api/ingest.ts';
import { problemsOf, type ObjectRef } from '#core/config/problems.ts';
import type { Problem } from '#core/model/config.ts';
import type { RawObject } from '#core/model/projections.ts';

/** An object that fits its schema, or what is wrong with it; what a store of configuration objects holds. */
export type Parsed<K extends ConfigKind> =
  | { readonly ok: true; readonly ref: ObjectRef; readonly object: Ingested<K> }
  | { readonly ok: false; readonly ref: ObjectRef; readonly problems: readonly Problem[] };

/** Rules of api.md §6 that the schema itself enforces. Everything else that does not fit has code SCHEMA. */
const RULES: Readonly<Record<string, string>> = {
  'BGPPeer spec.dynamicASN': 'PEER-4',
  'BFDProfile spec.detectMultiplier': 'BFD-2',
  'BFDProfile spec.receiveInterval': 'BFD-3',
  'BFDProfile spec.transmitInterval': 'BFD-4',
  'BFDProfile spec.minimumTtl': 'BFD-5',
  'BFDProfile spec.echoInterval': 'BFD-6',
};

/** `['spec', 'addresses', 1]` as `spec.addresses[1]`. */
export function fieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

/**
 * Checks an object against the schema of its kind and keeps what configuration is made of. The API server has done
 * the same for what it stores; objects that are older than the schema, and files, have not passed it.
 */
export function parseResource<K extends ConfigKind>(kind: K, raw: RawObject): Parsed<K> {
  const { name, namespace = '' } = raw.metadata;
  const ref = { kind, namespace, name };
  const result = ingestSchemas[kind].safeParse(raw);
  if (result.success) return { ok: true, ref, object: result.data as Ingested<K> };
  const findings = result.error.issues.map((issue) => {
    const field = fieldPath(issue.path);
    return {
      code: RULES[`${kind} ${field}`] ?? 'SCHEMA',
      field,
      message: `invalid value of ${field} in ${kind} ${name}: ${issue.message}`,
      remedy: `Correct the field: kubectl explain ${kind.toLowerCase()}.${field.replaceAll(/\[\d+\]/g, '')}`,
    };
  });
  return { ok: false, ref, problems: problemsOf(ref, findings) };
}
