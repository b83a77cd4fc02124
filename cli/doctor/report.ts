/** How `metallb doctor` tells what it found. */
import type { Result } from '#core/doctor/check.ts';

/** Results of one thing that was looked at: `cluster`, `host`. */
export interface Section {
  readonly about: string;
  readonly results: readonly Result[];
}

export function textReport(sections: readonly Section[]): string {
  const lines = sections.flatMap(({ about, results }) => [about, ...results.flatMap(linesOf), '']);
  const all = sections.flatMap(({ results }) => results);
  return `${[...lines, summary(all)].join('\n')}\n`;
}

function linesOf({ id, outcome, text, findings }: Result): string[] {
  if (outcome === 'fine') return [`  ok       ${id}: ${text}`];
  if (outcome === 'unknown') return [`  unknown  ${id}: ${text}`];
  return findings.flatMap(({ severity, object, field, message, remedy }) => [
    `  ${severity.padEnd(8)} ${id}: ${object} ${field}: ${message}`,
    `           remedy: ${remedy}`,
  ]);
}

function summary(results: readonly Result[]): string {
  const findings = results.flatMap((result) => result.findings);
  const of = (severity: string): number => findings.filter((finding) => finding.severity === severity).length;
  const unknown = results.filter(({ outcome }) => outcome === 'unknown').length;
  return `${results.length} checks: ${of('error')} errors, ${of('warning')} warnings, ${unknown} not known`;
}

export function jsonReport(sections: readonly Section[]): string {
  const checks = sections.flatMap(({ about, results }) => results.map((result) => ({ about, ...result })));
  return `${JSON.stringify({ checks }, null, 2)}\n`;
}

/** 1: an error was found; 2: none was, but something is not known; else 0. Warnings do not count. */
export function exitCode(sections: readonly Section[]): number {
  const results = sections.flatMap((section) => section.results);
  if (results.some(({ findings }) => findings.some(({ severity }) => severity === 'error'))) return 1;
  return results.some(({ outcome }) => outcome === 'unknown') ? 2 : 0;
}
