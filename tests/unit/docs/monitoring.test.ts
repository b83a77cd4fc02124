/**
 * Alerts and dashboard use metrics and labels that exist: those of docs/metrics.md, of which tests/integration/monitoring
 * shows that they are exactly what the programs expose.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { alerts } from '#operator/render/alerts.ts';
import { rows } from '#tools/monitoring/panels.ts';
import { documentedMetrics, exposedMetrics, labelsIn, metricsIn } from '#tests/support/metric-tables.ts';

/** What other programs expose, and why we look at it. */
const foreign: Readonly<Record<string, string>> = {
  frrk8s_bgp_session_up: 'sessions of a frr-k8s that somebody else runs',
  nodejs_eventloop_lag_p99_seconds: 'prom-client’s, in all our programs',
  process_resident_memory_bytes: 'prom-client’s, in all our programs',
  process_cpu_seconds_total: 'prom-client’s, in all our programs',
};

const documented = documentedMetrics();

function baseName(name: string): string {
  return documented.has(name) ? name : name.replace(/_(bucket|count|sum)$/, '');
}

/** What is wrong with an expression; empty when all of it exists. */
function faults(expr: string): string[] {
  const metrics = metricsIn(expr);
  const unknown = metrics.filter((name) => !documented.has(baseName(name)) && !(name in foreign));
  const labels = new Set(metrics.flatMap((name) => [...(documented.get(baseName(name)) ?? [])]));
  const made = [...expr.matchAll(/label_replace\(.*?, "(\w+)"/g)].map(([, label]) => label);
  const strange = labelsIn(expr).filter((label) => !labels.has(label) && !made.includes(label));
  return [...unknown, ...strange.map((label) => `label ${label}`)];
}

describe('alerts', () => {
  it.each(alerts)('$name uses what exists, in its texts too', ({ expr, summary, description }) => {
    expect(faults(expr)).toEqual([]);
    const labels = new Set([
      'namespace',
      'pod',
      'job',
      ...metricsIn(expr).flatMap((name) => [...(documented.get(baseName(name)) ?? [])]),
    ]);
    const made = [...expr.matchAll(/label_replace\(.*?, "(\w+)"/g)].map(([, label]) => label);
    const named = [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)].map(
      ([, label = '']) => label,
    );
    expect(named.filter((label) => !labels.has(label) && !made.includes(label))).toEqual([]);
  });

  it('are in docs/metrics.md, with time and severity, and no others', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8');
    const told = [...text.matchAll(/^\| (`MetalLB[^|]*) \| (\w+) \| ([^|]*) \|/gm)].flatMap(
      ([, names = '', hold, severities = '']) => {
        const all = [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name);
        const each = severities.trim().split(', ');
        return all.map((name, index) => `${name} ${hold} ${each[index] ?? each[0]}`);
      },
    );
    expect(told).toEqual(alerts.map((alert) => `${alert.name} ${alert.for} ${alert.severity}`));
  });
});

describe('the dashboard', () => {
  const panels = rows.flatMap((row) => row.panels);
  it.each(panels)('$title uses what exists', ({ queries }) => {
    for (const { expr, legend } of queries) {
      expect(faults(expr)).toEqual([]);
      const labels = new Set([
        'namespace',
        'pod',
        ...metricsIn(expr).flatMap((name) => [...(documented.get(baseName(name)) ?? [])]),
      ]);
      const named = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      expect(named.filter((label) => !labels.has(label))).toEqual([]);
    }
  });

  it('every panel has a description', () => {
    expect(panels.filter(({ description }) => description === '')).toEqual([]);
  });
});

describe('positive controls', () => {
  it('an unknown metric and an unknown label are noticed', () => {
    expect(faults('max by (pool) (metallb_allocator_adresses_total) > 0')).toEqual([
      'metallb_allocator_adresses_total',
      'label pool',
    ]);
    expect(faults('metallb_bgp_session_up{peers="x"} == 0')).toEqual(['label peers']);
    expect(faults('sum by (le) (rate(metallb_allocator_allocation_duration_seconds_bucket[5m]))')).toEqual(
      [],
    );
  });

  it('how expositions and expressions are read', () => {
    const text =
      '# TYPE a_total counter\na_total{x="1",y="{2}"} 3\n# TYPE h histogram\nh_bucket{le="1",q="z"} 1\nh_sum{q="z"} 1\n# TYPE none gauge\n';
    expect(exposedMetrics(text)).toEqual(
      new Map([
        ['a_total', new Set(['x', 'y'])],
        ['h', new Set(['q'])],
        ['none', new Set()],
      ]),
    );
    expect(metricsIn('100 * (a_total{x="b_total"} / on (c) d_total) unless rate(e[5m]) > 75')).toEqual([
      'a_total',
      'd_total',
      'e',
    ]);
  });
});
