/** The Grafana dashboard, from its rows (panels.ts): JSON as Grafana imports it. */
import { rows, type Panel } from '#tools/monitoring/panels.ts';

const WIDTH = 24;
const source = { type: 'prometheus', uid: '${datasource}' };

interface Place {
  readonly h: number;
  readonly w: number;
  readonly x: number;
  readonly y: number;
}

/** Height and width of a panel by kind; a row of the grid has 24 columns. */
const sizes = { stat: [4, 4], table: [8, 12], timeseries: [8, 12] } as const;

function target(panel: Panel, index: number): object {
  const query = panel.queries[index];
  return {
    datasource: source,
    editorMode: 'code',
    expr: query?.expr,
    legendFormat: query?.legend,
    refId: String.fromCharCode(65 + index),
    ...(panel.kind === 'timeseries'
      ? {}
      : { format: panel.kind === 'table' ? 'table' : 'time_series', instant: true }),
  };
}

function thresholds({ badFrom }: Panel): object {
  const steps = [
    { color: 'green', value: null },
    ...(badFrom === undefined ? [] : [{ color: 'red', value: badFrom }]),
  ];
  return { mode: 'absolute', steps };
}

function panelJson(panel: Panel, id: number, gridPos: Place): object {
  const { title, description, kind, unit } = panel;
  return {
    id,
    title,
    description,
    type: kind,
    gridPos,
    datasource: source,
    fieldConfig: { defaults: { unit, thresholds: thresholds(panel) }, overrides: [] },
    options: optionsOf(kind),
    targets: panel.queries.map((_, index) => target(panel, index)),
    ...(kind === 'table' ? { transformations: oneTable(panel) } : {}),
  };
}

function optionsOf(kind: Panel['kind']): object {
  switch (kind) {
    case 'stat':
      return { colorMode: 'background', reduceOptions: { calcs: ['lastNotNull'] } };
    case 'table':
      return { showHeader: true };
    case 'timeseries':
      return {
        legend: { displayMode: 'list', placement: 'bottom' },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
  }
}

/** The answers beside each other, each under its name. */
function oneTable(panel: Panel): object[] {
  const renameByName = Object.fromEntries(
    panel.queries.map(({ legend }, index) => [`Value #${String.fromCharCode(65 + index)}`, legend]),
  );
  return [
    { id: 'merge', options: {} },
    { id: 'organize', options: { excludeByName: { Time: true }, renameByName } },
  ];
}

/** Rows from top to bottom, panels from left to right. */
function laidOut(): object[] {
  const all: object[] = [];
  let y = 0;
  for (const row of rows) {
    all.push({
      id: all.length + 1,
      title: row.title,
      type: 'row',
      collapsed: false,
      panels: [],
      gridPos: { h: 1, w: WIDTH, x: 0, y },
    });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const panel of row.panels) {
      const [h, w] = sizes[panel.kind];
      if (x + w > WIDTH) [x, y] = [0, y + tallest];
      all.push(panelJson(panel, all.length + 1, { h, w, x, y }));
      x += w;
      tallest = h;
    }
    y += tallest;
  }
  return all;
}

const variables = [
  { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
  {
    name: 'namespace',
    label: 'Namespace',
    type: 'query',
    datasource: source,
    query: 'label_values(metallb_k8s_client_updates_total, namespace)',
    refresh: 2,
    includeAll: true,
    multi: true,
    current: { text: 'All', value: '$__all' },
  },
];

/** The whole dashboard. */
export function dashboard(): Readonly<Record<string, unknown>> {
  return {
    uid: 'metallb',
    title: 'MetalLB',
    description: 'Pools, BGP sessions, Layer 2 and the programs of metallb-ts.',
    tags: ['metallb', 'load balancer'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: { list: variables },
    panels: laidOut(),
  };
}
