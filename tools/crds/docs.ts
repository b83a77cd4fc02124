/** From a resource definition to its page in docs/api. */
import type { ResourceDefinition, ResourceVersion } from '#core/api/define.ts';
import { rootSchema } from '#tools/crds/crd.ts';
import type { JsonSchema } from '#tools/crds/structural-schema.ts';

export interface Field {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** Every field below `schema`, parents first; list items appear as `name[]`. */
export function fieldsOf(schema: JsonSchema, prefix = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const below = field.items === undefined ? fieldsOf(field, path) : fieldsOf(field.items, `${path}[]`);
    return [{ path, schema: field, required: schema.required?.includes(name) ?? false }, ...below];
  });
}

/** The type in words: `list of string`, `map of string`, `integer or string`, `integer (int32)`. */
export function typeName(schema: JsonSchema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return 'integer or string';
  if (schema.items !== undefined) return `list of ${typeName(schema.items)}`;
  if (schema.additionalProperties !== undefined) return `map of ${typeName(schema.additionalProperties)}`;
  return schema.format === undefined ? (schema.type ?? '') : `${schema.type} (${schema.format})`;
}

/** Bounds, enum, pattern and CEL rules in words. */
function constraint(schema: JsonSchema): string {
  const parts: (string | false)[] = [
    schema.enum !== undefined && `one of ${schema.enum.join(', ')}`,
    schema.minimum !== undefined && `at least ${schema.minimum}`,
    schema.maximum !== undefined && `at most ${schema.maximum}`,
    schema.minLength !== undefined && `length at least ${schema.minLength}`,
    schema.maxLength !== undefined && `length at most ${schema.maxLength}`,
    schema.minItems !== undefined && `items at least ${schema.minItems}`,
    schema.maxItems !== undefined && `items at most ${schema.maxItems}`,
    schema.pattern !== undefined && `matches \`${schema.pattern}\``,
    ...(schema['x-kubernetes-validations'] ?? []).map((rule) => rule.message),
    ...(schema.items?.type === 'string' ? [constraint(schema.items)].filter((text) => text !== '') : []),
  ];
  return parts.filter((part) => part !== false).join('; ');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function row({ path, schema, required }: Field): string {
  const columns = [
    `\`${path}\``,
    typeName(schema),
    required ? 'yes' : '',
    schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``,
    cell(constraint(schema)),
    cell(schema.description ?? ''),
  ];
  return `| ${columns.join(' | ')} |`;
}

function versionPage(definition: ResourceDefinition, version: ResourceVersion): string[] {
  const schema = rootSchema(definition, version);
  const own = fieldsOf(schema).filter(({ path }) => /^(spec|status)/.test(path));
  const state = [
    version.served ? 'served' : 'not served',
    ...(version.storage ? ['stored'] : []),
    ...(version.deprecationWarning === undefined ? [] : ['deprecated']),
  ];
  return [
    `## ${definition.group}/${version.name} (${state.join(', ')})`,
    '',
    '| Field | Type | Required | Default | Constraint | Meaning |',
    '|---|---|---|---|---|---|',
    ...own.map(row),
    '',
  ];
}

/** The page of one kind: names, and one table of fields for each version. */
export function docsPage(definition: ResourceDefinition): string {
  const { kind, plural, shortNames, description } = definition;
  const short = shortNames.length > 0 ? `, short ${shortNames.map((name) => `\`${name}\``).join(', ')}` : '';
  return [
    '<!-- Generated from core/api by `npm run generate`. Do not edit. -->',
    '',
    `# ${kind}`,
    '',
    description,
    '',
    `Resource \`${plural}\`${short}; namespaced.`,
    '',
    ...[...definition.versions].reverse().flatMap((version) => versionPage(definition, version)),
  ].join('\n');
}
