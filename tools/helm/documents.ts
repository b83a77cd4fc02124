/** From the chart's values to the files about them: values.yaml, values.schema.json, the README, the notes' list. */
import { stringify } from 'yaml';
import { z } from 'zod';
import { chartValues, inert } from '#tools/helm/values.ts';

export interface ValueSchema {
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly additionalProperties?: unknown;
  readonly items?: ValueSchema;
  readonly [keyword: string]: unknown;
}

type Mutable = { -readonly [K in keyof ValueSchema]: ValueSchema[K] };

const farthest = new Set([Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, -(2 ** 31), 2 ** 31 - 1]);

/** Without what only an API server understands, and without bounds that nobody asked for. */
function tidy(schema: Mutable): void {
  for (const key of Object.keys(schema)) if (key.startsWith('x-')) delete schema[key];
  for (const bound of ['minimum', 'maximum']) if (farthest.has(schema[bound] as number)) delete schema[bound];
  delete schema['propertyNames'];
  delete schema['format'];
  // zod closes objects for output only; Kubernetes' own shapes stay open for what a later Kubernetes adds.
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  delete schema['required'];
}

const raw = z.toJSONSchema(chartValues, {
  target: 'draft-7',
  io: 'input',
  reused: 'inline',
  override: ({ jsonSchema }) => tidy(jsonSchema as unknown as Mutable),
}) as ValueSchema;

/** A group of values is an object without a default of its own. */
function isGroup(schema: ValueSchema): boolean {
  return schema.properties !== undefined && !('default' in schema);
}

/** Groups know their values and those of MetalLB's chart without effect; anything else is a typing error. */
function closed(schema: ValueSchema, path = ''): ValueSchema {
  // Helm would tell of a field of the MetalLB object that does not exist only after the rest was made.
  if (path === 'metallb.spec') return { ...schema, additionalProperties: false };
  if (!isGroup(schema)) return schema;
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const known = Object.entries(schema.properties ?? {}).map(([name, value]) => [name, closed(value, at(name))]);
  const names = known.map(([name]) => name);
  const others = Object.keys(inert)
    .filter((other) => path === '' || other.startsWith(`${path}.`))
    .map((other) => other.slice(path === '' ? 0 : path.length + 1).split('.'))
    .flatMap(([name = '', ...below]) => (names.includes(name) ? [] : [[name, silent(at(name), below)]]));
  return { ...schema, properties: Object.fromEntries([...known, ...others]), additionalProperties: false };
}

function silent(path: string, below: readonly string[]): ValueSchema {
  if (below.length === 0) return { description: `Without effect: ${inert[path] ?? ''}.` };
  return { type: 'object', description: "Of MetalLB's chart; without effect." };
}

/** `global` is given by Helm to charts that are part of another one. */
export function valuesSchema(): ValueSchema {
  const { properties = {}, ...rest } = closed(raw);
  return {
    ...rest,
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart metallb',
    properties: { ...properties, global: { type: 'object', description: 'Of a chart that this one is part of.' } },
  };
}

export function valuesSchemaFile(): string {
  return `${JSON.stringify(valuesSchema(), null, 2)}\n`;
}

const comment = (indent: string, words = ''): string => `${indent}# ${words}\n`;

function valuesBelow(schema: ValueSchema, indent = ''): string {
  return Object.entries(schema.properties ?? {})
    .map(([name, value]) => {
      const gap = indent === '' ? '\n' : '';
      const head = gap + comment(indent, value.description);
      if (isGroup(value)) return `${head}${indent}${name}:\n${valuesBelow(value, `${indent}  `)}`;
      const lines = stringify({ [name]: value.default }).trimEnd().split('\n');
      return `${head}${lines.map((line) => indent + line).join('\n')}\n`;
    })
    .join('');
}

export function valuesFile(): string {
  return `# Generated from tools/helm/values.ts by \`npm run generate\`. Do not edit.\n${valuesBelow(raw)}`;
}

interface Row {
  readonly path: string;
  readonly schema: ValueSchema;
}

function rows(schema: ValueSchema, path = ''): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return isGroup(value) ? rows(value, at) : [{ path: at, schema: value }];
  });
}

/** Table of all values: name, default, meaning. */
export function valuesTable(): string {
  const cells = rows(raw).map(({ path, schema }) => {
    const choice = schema.enum === undefined ? '' : ` One of ${schema.enum.map((each) => JSON.stringify(each)).join(', ')}.`;
    const meaning = `${schema.description ?? ''}${choice}`.replaceAll('|', '\\|');
    return `| \`${path}\` | \`${JSON.stringify(schema.default)}\` | ${meaning} |`;
  });
  return ['| Value | Default | Meaning |', '|---|---|---|', ...cells, ''].join('\n');
}

/** Table of the values without effect. */
export function inertTable(): string {
  const cells = Object.entries(inert).map(([path, why]) => `| \`${path}\` | ${why} |`);
  return ['| Value | Why |', '|---|---|', ...cells, ''].join('\n');
}

/** A template that lists the inert values that are set, for the notes. */
export function inertTemplate(): string {
  const checks = Object.entries(inert).map(([path, why]) => {
    const keys = path.split('.').map((key) => JSON.stringify(key)).join(' ');
    return `{{- if ne "unset" (dig ${keys} "unset" .Values.AsMap | toString) }}\n  ${path}: ${why}\n{{- end }}`;
  });
  return `{{- /* Generated by \`npm run generate\`. Do not edit. */ -}}\n{{- define "metallb.inert" -}}\n${checks.join('\n')}\n{{- end -}}\n`;
}

type Tree = { [name: string]: unknown };

/** The defaults as values.yaml has them. */
function defaultsBelow(schema: ValueSchema): Tree {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, value]) => [name, isGroup(value) ? defaultsBelow(value) : value.default]),
  );
}

function groupsBelow(schema: ValueSchema): Tree {
  const groups = Object.entries(schema.properties ?? {}).filter(([, value]) => isGroup(value));
  return Object.fromEntries(groups.map(([name, value]) => [name, groupsBelow(value)]));
}

/**
 * Helm takes `null` for "without the default", and a template that then looks below stops with a nil pointer. So what
 * is missing comes back: a group and a simple value as they are by default, maps and lists empty.
 */
export function defaultsTemplate(): string {
  const json = (tree: Tree): string => `\`${JSON.stringify(tree)}\` | fromJson`;
  return [
    '{{- /* Generated by `npm run generate`. Do not edit. */ -}}',
    '{{- define "metallb.defaults" -}}',
    `{{- include "metallb.fill" (dict "have" .Values.AsMap "defaults" (${json(defaultsBelow(raw))}) "groups" (${json(groupsBelow(raw))})) -}}`,
    '{{- end -}}',
    '',
    '{{- define "metallb.fill" -}}',
    '{{- $have := .have -}}',
    '{{- $groups := .groups -}}',
    '{{- range $name, $default := .defaults -}}',
    '{{- $isMissing := or (not (hasKey $have $name)) (kindIs "invalid" (get $have $name)) -}}',
    '{{- if and (hasKey $groups $name) (not $isMissing) -}}',
    '{{- include "metallb.fill" (dict "have" (get $have $name) "defaults" $default "groups" (get $groups $name)) -}}',
    '{{- else if hasKey $groups $name -}}',
    '{{- $_ := set $have $name $default -}}',
    '{{- else if and $isMissing (kindIs "map" $default) -}}',
    '{{- $_ := set $have $name dict -}}',
    '{{- else if and $isMissing (kindIs "slice" $default) -}}',
    '{{- $_ := set $have $name list -}}',
    '{{- else if $isMissing -}}',
    '{{- $_ := set $have $name $default -}}',
    '{{- end -}}',
    '{{- end -}}',
    '{{- end -}}',
    '',
  ].join('\n');
}
