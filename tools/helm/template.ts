/**
 * From a manifest to a Helm template: the manifest is rendered as ever, with markers where the chart's values go, and
 * the markers become template actions. So the chart has no description of its own of anything we install.
 */
import { stringify } from 'yaml';

/** Marker for `{{ .Values.PATH | toYaml }}` as the value of a field: any structure, empty ones included. */
export function structure(path: string): string {
  return `@values:${path}`;
}

/** A template action inside a text. It may not contain double quotes: the text is quoted by YAML. */
export function action(text: string): string {
  return `{{ ${text} }}`;
}

const marker = /^( *)(?:- )?([\w.]+): "?@values:([\w.]+)"?$/gm;

/** The template's text. Throws when a marker could not be replaced (in a list, for example). */
export function template(objects: readonly object[]): string {
  const yaml = objects
    .map((object) => stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 }))
    .join('---\n');
  const text = yaml.replaceAll(marker, (_, indent: string, field: string, path: string) => {
    const depth = indent.length + 2;
    return `${indent}${field}:\n${indent}  {{- toYaml .Values.${path} | nindent ${depth} }}`;
  });
  if (text.includes('@values:')) throw new Error('a marker is not the value of a field');
  return text;
}
