/** From zod to the structural schema of a CRD (architecture §11). */
import * as z from 'zod';
import type { CelRule } from '#core/api/fields.ts';

/** What a structural schema holds; extensions (`x-kubernetes-…`) under their own keys. */
export interface JsonSchema {
  description?: string;
  type?: string;
  format?: string;
  default?: unknown;
  enum?: readonly string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  anyOf?: readonly JsonSchema[];
  items?: JsonSchema;
  additionalProperties?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: readonly string[];
  'x-kubernetes-validations'?: readonly CelRule[];
  'x-kubernetes-int-or-string'?: boolean;
  [extension: `x-${string}`]: unknown;
}

/** zod's own bounds of `z.int()`, which no API has asked for; `int32` bounds go into the format. */
const IMPLIED_BOUNDS = new Set([Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, -(2 ** 31), 2 ** 31 - 1]);

function tidy(schema: JsonSchema & { propertyNames?: unknown }): void {
  for (const bound of ['minimum', 'maximum'] as const) {
    if (IMPLIED_BOUNDS.has(schema[bound] ?? 0)) delete schema[bound];
  }
  delete schema.propertyNames;
  if (schema.pattern !== undefined) schema.pattern = schema.pattern.replaceAll('\\/', '/');
  if (Object.keys(schema.properties ?? {}).length === 0) delete schema.properties;
}

/** A fixed order of keys, so that the files read alike: words first, then shape, then extensions. */
const ORDER = [
  'description',
  'type',
  'format',
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'anyOf',
  'items',
  'additionalProperties',
  'properties',
  'required',
];

function ordered(schema: JsonSchema): JsonSchema {
  if ('$ref' in schema) throw new Error('the schema contains a $ref: a CRD cannot, inline the shape');
  const rank = (key: string): number => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);
  const sorted: JsonSchema = Object.fromEntries(
    Object.entries(schema).sort((a, b) => rank(a[0]) - rank(b[0])),
  );
  if (sorted.items !== undefined) sorted.items = ordered(sorted.items);
  if (sorted.additionalProperties !== undefined)
    sorted.additionalProperties = ordered(sorted.additionalProperties);
  if (sorted.properties !== undefined)
    sorted.properties = Object.fromEntries(
      Object.entries(sorted.properties)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, field]) => [name, ordered(field)]),
    );
  return sorted;
}

/** The structural schema of one zod type. Throws for what a CRD cannot say, `$ref` among it. */
export function structuralSchema(type: z.ZodType): JsonSchema {
  const schema: unknown = z.toJSONSchema(type, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
    unrepresentable: 'throw',
    override: ({ jsonSchema }) => tidy(jsonSchema as unknown as JsonSchema),
  });
  return ordered(schema as JsonSchema);
}
