/** The alerts before promtool, Prometheus' own judge: syntax, and for each alert when it fires and when it does not. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ensurePromtool } from '#lab/promtool/ensure.ts';
import { tryRun, type RunResult } from '#lab/process/run.ts';
import { quiet } from '#lab/report.ts';
import { alerts, type Alert } from '#operator/render/alerts.ts';
import { alertRules } from '#operator/render/monitoring.ts';
import { alertCases, type AlertCase } from '#tests/support/alert-cases.ts';
import { rows } from '#tools/monitoring/panels.ts';
import { temporaryFolder } from '#tests/support/temporary.ts';

/** The first look after this many minutes, when every `for` is over. */
const END = 30;

let promtool: string;
beforeAll(async () => {
  promtool = await ensurePromtool(quiet);
}, 900_000);

const rules = { groups: [{ name: 'metallb.rules', rules: alertRules() }] };

function run(...args: readonly string[]): Promise<RunResult> {
  return tryRun([promtool, ...args], { timeoutMs: 60_000 });
}

function alertOf(name: string): Alert {
  const found = alerts.find((alert) => alert.name === name);
  if (found === undefined) throw new Error(`there is no alert ${name}`);
  return found;
}

/** The text with the values in it, as Prometheus writes it. */
function filled(text: string, { labels, value }: AlertCase): string {
  return text
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '')
    .replaceAll('{{ $value }}', value)
    .replaceAll('{{ printf "%.0f" $value }}', value);
}

function expected(one: AlertCase): object {
  const { severity, summary, description } = alertOf(one.alert);
  return {
    exp_labels: { ...one.labels, severity },
    exp_annotations: { summary: filled(summary, one), description: filled(description, one) },
  };
}

/** Fires at the end and not at the start; and never with the quiet series. */
function testsOf(one: AlertCase): object[] {
  const look = (minutes: number, exp_alerts: readonly object[]) => ({
    eval_time: `${minutes}m`,
    alertname: one.alert,
    exp_alerts,
  });
  const common = { interval: '1m' };
  return [
    { ...common, input_series: one.fires, alert_rule_test: [look(0, []), look(END, [expected(one)])] },
    { ...common, input_series: one.quiet, alert_rule_test: [look(END, [])] },
  ];
}

async function judge(tests: readonly object[], groups: object = rules): Promise<RunResult> {
  const folder = temporaryFolder('rules', { 'rules.yaml': stringify(groups) });
  const file = join(folder, 'tests.yaml');
  writeFileSync(file, stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests }));
  return run('test', 'rules', file);
}

it('promtool finds nothing to complain about, with every lint', async () => {
  const folder = temporaryFolder('rules', { 'rules.yaml': stringify(rules) });
  const { code, stdout, stderr } = await run('check', 'rules', '--lint=all', join(folder, 'rules.yaml'));
  expect(`${stdout}${stderr}`).toContain(`SUCCESS: ${alerts.length} rules found`);
  expect(code).toBe(0);
});

it('promtool parses every expression of the dashboard', async () => {
  const exprs = rows.flatMap(({ panels }) =>
    panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
  );
  const recorded = exprs.map((expr, index) => ({
    record: `dashboard:expr${index}`,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$namespace', '.*'),
  }));
  const text = stringify({ groups: [{ name: 'dashboard', rules: recorded }] });
  const folder = temporaryFolder('dashboard', { 'rules.yaml': text });
  const { code, stdout, stderr } = await run('check', 'rules', join(folder, 'rules.yaml'));
  expect(`${stdout}${stderr}`).toContain(`SUCCESS: ${exprs.length} rules found`);
  expect(code).toBe(0);
});

describe('alerts', () => {
  it('each has a case', () => {
    const names = alerts.map(({ name }) => name);
    expect(names.filter((name) => !alertCases.some(({ alert }) => alert === name))).toEqual([]);
  });

  it.each(alertCases)('$alert fires when it should ($fires.0.series), and only then', async (one) => {
    const { code, stdout, stderr } = await judge(testsOf(one));
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(code).toBe(0);
  });
});

describe('positive controls', () => {
  const [one] = alertCases;
  if (one === undefined) throw new Error('no case');

  it('a case that expects what does not happen fails', async () => {
    expect((await judge(testsOf({ ...one, fires: one.quiet }))).code).toBe(1);
    expect((await judge(testsOf({ ...one, quiet: one.fires }))).code).toBe(1);
    expect((await judge(testsOf({ ...one, labels: { ...one.labels, pod: 'other' } }))).code).toBe(1);
  });

  it('an expression that does not parse is refused', async () => {
    const broken = { groups: [{ name: 'g', rules: [{ alert: 'A', expr: 'up ==' }] }] };
    const folder = temporaryFolder('rules', { 'rules.yaml': stringify(broken) });
    expect((await run('check', 'rules', join(folder, 'rules.yaml'))).code).toBe(1);
  });
});
