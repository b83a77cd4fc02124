/** Metrics: what docs/metrics.md says of them, what a program exposes, what an expression uses. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(import.meta.dirname, '../../docs/metrics.md');

/** Names and labels of metrics. */
export type MetricTable = ReadonlyMap<string, ReadonlySet<string>>;

const words = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

/** The tables of docs/metrics.md; labels that depend on the installation (namespace, pod) are not in them. */
export function documentedMetrics(): MetricTable {
  const rows = readFileSync(file, 'utf8').matchAll(/^\| (`[a-z][^|]*) \|([^|]*)\|/gm);
  return new Map(
    [...rows].flatMap(([, names = '', labels = '']) =>
      words(names).map((name) => [name, new Set(words(labels))] as const),
    ),
  );
}

/** Names in an exposition in Prometheus' text format, histograms without their suffixes. */
export function exposedMetrics(text: string): MetricTable {
  const labels = new Map<string, Set<string>>();
  for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) /gm)) labels.set(name, new Set());
  for (const [, series = '', inside = ''] of text.matchAll(
    /^([a-z_]\w*)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\})? /gm,
  )) {
    const name = labels.has(series) ? series : series.replace(/_(bucket|count|sum)$/, '');
    for (const [, label = ''] of inside.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g))
      if (label !== 'le') labels.get(name)?.add(label);
  }
  return labels;
}

/** Labels that Prometheus adds to what it scrapes. */
const ofTarget = new Set(['namespace', 'pod', 'container', 'instance', 'job', 'le']);

const FUNCTIONS = new Set(
  'and or unless on by sum max count rate time vector bool histogram_quantile label_replace absent'.split(
    ' ',
  ),
);

/** Metrics in a PromQL expression: names that are no function, label or text. */
export function metricsIn(expr: string): string[] {
  const bare = expr
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|on) \([^)]*\)/g, '');
  const names = bare.match(/[a-z_][a-z0-9_]*/g) ?? [];
  return [...new Set(names.filter((name) => !FUNCTIONS.has(name)))];
}

/** Labels in an expression: those compared, and those grouped by. */
export function labelsIn(expr: string): string[] {
  const compared = [...expr.matchAll(/(\w+)\s*(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label);
  const grouped = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(/,\s*/),
  );
  return [...new Set([...compared, ...grouped])].filter((label) => !ofTarget.has(label));
}
