/** The schemas as plain data: for whoever walks them instead of parsing with them. */
import * as z from 'zod';

/** The part of a JSON schema that says which fields there are. */
export interface Structure {
  readonly properties?: Readonly<Record<string, Structure>>;
  readonly items?: Structure;
}

const known = new WeakMap<z.ZodType, Structure>();

/** The fields of a schema; worked out once. */
export function structureOf(schema: z.ZodType): Structure {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const structure: unknown = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' });
  known.set(schema, structure as Structure);
  return structure as Structure;
}

/** Fields of metadata that the API server knows (meta/v1 ObjectMeta). */
export const METADATA_FIELDS: readonly string[] = [
  'name',
  'generateName',
  'namespace',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
];
