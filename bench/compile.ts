/**
 * What compiling a large configuration costs: pools of ranges or of prefixes, as many BGP advertisements, a quarter as
 * many peers, at growing sizes, so that the curve shows; from nothing, and after the edit of one pool, as a program
 * does that runs (`compileKeeping`). The original is quadratic (16 s for 2,000 pools of ranges).
 */
import type { Figure } from '#bench/figures.ts';
import { compile as compileResources } from '#core/config/compile.ts';
import { compileKeeping } from '#core/config/keep.ts';
import { parseResource } from '#core/config/parse.ts';
import { noResources, type ClusterResources } from '#core/config/resources.ts';
import type { Reporter } from '#lab/report.ts';

const NAMESPACE = 'metallb-system';
const NODES = 100;
const RUNS = 7;

/** How advertisements find their pools. */
const SHAPES = {
  'by name': (index: number) => ({ ipAddressPools: [`pool-${index}`] }),
  'by label': (index: number) => ({ ipAddressPoolSelectors: [{ matchLabels: { own: `pool-${index}` } }] }),
  'all pools': () => ({}),
} as const;

type Shape = keyof typeof SHAPES;

/** What stands in a pool; `at` is its part of 10.0.0.0/8. */
const POOLS = {
  ranges: (at: string) => `10.${at}.1-10.${at}.254`,
  prefixes: (at: string) => `10.${at}.0/24`,
} as const;

interface Kind {
  readonly pools: keyof typeof POOLS;
  readonly shape: Shape;
  /** After the edit of one pool, with a memory of what was there. */
  readonly edit: boolean;
}
const KINDS: readonly Kind[] = (['by name', 'by label', 'all pools'] as const).flatMap((shape) =>
  (['ranges', 'prefixes'] as const).flatMap((pools) => [false, true].map((edit) => ({ pools, shape, edit }))),
);

/** `sizes`: pools of each case, ascending. */
export function compile(
  report: Reporter,
  sizes: readonly number[] = [250, 500, 1000, 2000, 4000],
): Promise<Figure[]> {
  for (const kind of KINDS) measure(kind, sizes[0] ?? 1); // The engine has seen the code before anything counts.
  const figures = KINDS.flatMap((kind) => {
    const name = kind.edit ? 'compile after an edit' : 'compile';
    report.step(`${name}: ${sizes.join(', ')} pools of ${kind.pools}, advertisements ${kind.shape}`);
    const times = sizes.map((size) => measure(kind, size));
    const curve = sizes.map((size, index): Figure => {
      const about = `${size} pools of ${kind.pools}, ${size} advertisements ${kind.shape}, ${Math.floor(size / 4)} peers`;
      const value = Math.round((times[index] ?? 0) * 10) / 10;
      return { figure: name, unit: 'ms', size: about, value, ...(size === 2000 ? { goal: '<= 300' } : {}) };
    });
    return [...curve, growth(kind, name, sizes, times)];
  });
  return Promise.resolve(figures);
}

/** The exponent of the curve: slope of the line through the logarithms. 1 is linear, 2 is quadratic. */
function growth(kind: Kind, name: string, sizes: readonly number[], times: readonly number[]): Figure {
  const points = sizes.map((size, index) => [Math.log(size), Math.log(times[index] ?? 1)] as const);
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const slope =
    points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0) /
    points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
  const size = `${sizes[0]} to ${sizes.at(-1)} pools of ${kind.pools}, advertisements ${kind.shape}`;
  const value = Math.round(slope * 100) / 100;
  return { figure: `${name}, growth exponent`, unit: '', size, value, goal: '<= 1.5' };
}

/** Median of several runs, in milliseconds. */
function measure({ pools, shape, edit }: Kind, size: number): number {
  const input = resources(shape, pools, size);
  const scope = { kind: 'cluster' } as const;
  const { lastGood } = compileKeeping(input, scope, new Map());
  const times = Array.from({ length: RUNS }, (_, run) => {
    const now = edit ? edited(input, run) : input;
    const started = performance.now();
    const { problems } = edit ? compileKeeping(now, scope, lastGood) : compileResources(now, scope);
    const ms = performance.now() - started;
    if (problems.length > 0) throw new Error(`the configuration has problems: ${problems[0]?.message}`);
    return ms;
  }).sort((a, b) => a - b);
  return times[Math.floor(RUNS / 2)] ?? 0;
}

/** The same objects with another prefix in the first pool, as a watch event brings it. */
function edited(input: ClusterResources, run: number): ClusterResources {
  const [first, ...others] = input.pools;
  if (first?.ok !== true) throw new Error('the first pool is faulty');
  const { name, labels, creationTimestamp } = first.object.metadata;
  const metadata = { name, namespace: NAMESPACE, labels, creationTimestamp };
  const spec = { addresses: [`192.168.${run}.0/24`] };
  return { ...input, pools: [parseResource('IPAddressPool', { metadata, spec }), ...others] };
}

function resources(shape: Shape, kind: Kind['pools'], size: number): ClusterResources {
  const each = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, i) => make(i));
  const meta = (name: string, index: number) => ({
    name,
    namespace: NAMESPACE,
    labels: { own: name },
    creationTimestamp: new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString(),
  });
  const octets = (index: number): string => `${Math.floor(index / 256)}.${index % 256}`;
  return {
    ...noResources(NAMESPACE),
    pools: each(size, (i) => {
      const addresses = [POOLS[kind](octets(i))];
      return parseResource('IPAddressPool', { metadata: meta(`pool-${i}`, i), spec: { addresses } });
    }),
    bgpAdvertisements: each(size, (i) =>
      parseResource('BGPAdvertisement', { metadata: meta(`ad-${i}`, i), spec: SHAPES[shape](i) }),
    ),
    peers: each(Math.floor(size / 4), (i) => {
      const nodeSelectors = [{ matchLabels: { 'kubernetes.io/hostname': `node-${i % NODES}` } }];
      const spec = { myASN: 64512, peerASN: 64513, peerAddress: `172.16.${octets(i)}`, nodeSelectors };
      return parseResource('BGPPeer', { metadata: meta(`peer-${i}`, i), spec });
    }),
    nodes: each(NODES, (i) => ({
      name: `node-${i}`,
      labels: { 'kubernetes.io/hostname': `node-${i}` },
      networkUnavailable: false,
      internalIPs: [],
    })),
  };
}
