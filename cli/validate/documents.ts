/** Manifests with the place they come from: files, folders, standard input. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
} from 'yaml';
import type { Manifest } from '#core/config/validate.ts';

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Source {
  readonly manifest: Manifest;
  /** Where a field is written; the nearest thing above it when it is not. */
  readonly placeOf: (field: string) => Place;
}

/** Text that is no YAML, or no object of Kubernetes. */
export interface Unreadable {
  readonly place: Place;
  readonly message: string;
}

export interface Documents {
  readonly sources: Source[];
  readonly unreadable: Unreadable[];
}

const MANIFEST = /\.(ya?ml|json)$/;

/** Reads files and folders (with what lies below them, in order of name); `-` is standard input. */
export function readManifests(paths: readonly string[]): Documents {
  const result: Documents = { sources: [], unreadable: [] };
  for (const path of paths)
    for (const file of filesOf(path)) {
      const text = readFileSync(file === '-' ? 0 : file, 'utf8');
      const { sources, unreadable } = parseManifests(text, file === '-' ? '<stdin>' : file);
      result.sources.push(...sources);
      result.unreadable.push(...unreadable);
    }
  return result;
}

function filesOf(path: string): string[] {
  if (path === '-' || !statSync(path).isDirectory()) return [path];
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => MANIFEST.test(name))
    .map((name) => join(path, name))
    .sort();
}

/** Reads the documents of one text; YAML 1.2, which JSON is a part of. */
export function parseManifests(text: string, file: string): Documents {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true });
  const result: Documents = { sources: [], unreadable: [] };
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (!Array.isArray(documents)) return result;
  for (const document of documents) {
    const [error] = document.errors;
    if (error !== undefined) {
      const message = error.message.split('\n')[0] ?? '';
      result.unreadable.push({ place: place(error.pos[0]), message: `not YAML: ${message}` });
      continue;
    }
    const value: unknown = document.toJS();
    if (value === null || value === undefined) continue;
    collect(value, [], { document, place, result });
  }
  return result;
}

interface Collecting {
  readonly document: Document;
  readonly place: (offset: number) => Place;
  readonly result: Documents;
}

type Path = readonly (string | number)[];

/** Takes an object, or the items of a `List`. */
function collect(value: unknown, at: Path, context: Collecting): void {
  const { document, place, result } = context;
  const placeOf = (field: string): Place => place(offsetOf(document, [...at, ...pathOf(field)]));
  if (isList(value)) {
    value.items.forEach((item, index) => collect(item, [...at, 'items', index], context));
    return;
  }
  if (isManifest(value)) result.sources.push({ manifest: value, placeOf });
  else
    result.unreadable.push({
      place: placeOf(''),
      message: 'not an object of Kubernetes: apiVersion, kind and metadata.name are needed',
    });
}

function isList(value: unknown): value is { items: unknown[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'items' in value &&
    Array.isArray(value.items) &&
    !('metadata' in value && isNamed(value.metadata))
  );
}

const isNamed = (metadata: unknown): boolean =>
  typeof metadata === 'object' &&
  metadata !== null &&
  'name' in metadata &&
  typeof metadata.name === 'string' &&
  metadata.name !== '';

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false;
  const { apiVersion, kind, metadata } = value as Record<string, unknown>;
  return typeof apiVersion === 'string' && typeof kind === 'string' && isNamed(metadata);
}

/** `spec.addresses[1]` as its steps. */
function pathOf(field: string): (string | number)[] {
  return field
    .split(/[.[]/)
    .filter((step) => step !== '')
    .map((step) => (step.endsWith(']') ? Number(step.slice(0, -1)) : step));
}

/** Where the last step that exists is written: the key of a mapping, the item of a list. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (!isPair(pair)) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return typeof node === 'object' && node !== null && 'range' in node ? (node as Node).range?.[0] : undefined;
}
