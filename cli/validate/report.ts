/** How verdicts are printed. */
import type { Place } from '#cli/validate/documents.ts';

export interface Line {
  readonly severity: 'error' | 'warning';
  /** Absent for objects that come from the cluster. */
  readonly place: Place | undefined;
  readonly code: string;
  /** `Kind namespace/name`. */
  readonly object: string;
  readonly field: string;
  readonly message: string;
  readonly remedy: string;
}

export const formats = ['text', 'json', 'github'] as const;
export type Format = (typeof formats)[number];

/** By file and line; what comes from the cluster last. */
export function sortLines(lines: readonly Line[]): Line[] {
  const key = ({ place }: Line): readonly [string, number, number] =>
    place === undefined ? ['\uffff', 0, 0] : [place.file, place.line, place.column];
  return [...lines].sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    if (left[0] !== right[0]) return left[0] < right[0] ? -1 : 1;
    return left[1] - right[1] || left[2] - right[2];
  });
}

export function render(lines: readonly Line[], format: Format, objects: number): string {
  switch (format) {
    case 'text':
      return [...lines.map(textLine), `${summary(lines, objects)}\n`].join('\n');
    case 'json':
      return `${JSON.stringify(lines.map(plain), null, 2)}\n`;
    case 'github':
      return lines.map((line) => `${githubLine(line)}\n`).join('');
  }
}

function summary(lines: readonly Line[], objects: number): string {
  const count = (severity: Line['severity']): number =>
    lines.filter((line) => line.severity === severity).length;
  return `${objects} objects, ${count('error')} errors, ${count('warning')} warnings`;
}

function textLine({ severity, place, code, object, field, message, remedy }: Line): string {
  const where = place === undefined ? '<cluster>' : `${place.file}:${place.line}:${place.column}`;
  return `${where}: ${severity} ${code} ${object} ${field}: ${message}. ${remedy}`;
}

function plain({ place, ...line }: Line): object {
  return { ...line, file: place?.file, line: place?.line, column: place?.column };
}

/** Characters that GitHub's workflow commands give a meaning. */
const escapeData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

function githubLine({ severity, place, code, object, field, message, remedy }: Line): string {
  const at =
    place === undefined
      ? []
      : [`file=${escapeProperty(place.file)}`, `line=${place.line}`, `col=${place.column}`];
  const properties = [...at, `title=${escapeProperty(`${code} ${object}`)}`].join(',');
  return `::${severity} ${properties}::${escapeData(`${field}: ${message}. ${remedy}`)}`;
}
