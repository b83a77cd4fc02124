/**
 * What compiling a large configuration costs: pools of ranges, as many BGP advertisements, a quarter as many peers, at
 * growing sizes, so that the curve shows. The original is quadratic (16 s for 2,000 pools).
 */
import type { Figure } from '#bench/figures.ts';
import { compile as compileResources } from '#core/config/compile.ts';
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

/** `sizes`: pools of each case, ascending. */
export function compile(
  report: Reporter,
  sizes: readonly number[] = [250, 500, 1000, 2000],
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const shape of Object.keys(SHAPES) as Shape[]) {
    report.step(`compiling ${sizes.join(', ')} pools, advertisements ${shape}`);
    const times = sizes.map((size) => measure(resources(shape, size)));
    for (const [index, size] of sizes.entries()) {
      const last = index === sizes.length - 1;
      const about = `${size} pools, ${size} advertisements ${shape}, ${Math.floor(size / 4)} peers`;
      const value = Math.round((times[index] ?? 0) * 10) / 10;
      figures.push({
        figure: 'compile',
        unit: 'ms',
        size: about,
        value,
        ...(last ? { goal: '<= 300' } : {}),
      });
    }
    figures.push(growth(shape, sizes, times));
  }
  return Promise.resolve(figures);
}

/** Time per pool at the largest size, as a multiple of that at half of it: 1 is linear, 2 is quadratic. */
function growth(shape: Shape, sizes: readonly number[], times: readonly number[]): Figure {
  const [half = 1, full = 1] = times.slice(-2);
  const [few = 1, many = 1] = sizes.slice(-2);
  const value = Math.round((full / many / (half / few)) * 100) / 100;
  const size = `${few} to ${many} pools, advertisements ${shape}`;
  return { figure: 'compile, growth per pool', unit: 'factor', size, value, goal: '<= 1.5' };
}

/** Median of several runs, in milliseconds. */
function measure(input: ClusterResources): number {
  const times = Array.from({ length: RUNS }, () => {
    const started = performance.now();
    const { problems } = compileResources(input, { kind: 'cluster' });
    if (problems.length > 0) throw new Error(`the configuration has problems: ${problems[0]?.message}`);
    return performance.now() - started;
  }).sort((a, b) => a - b);
  return times[Math.floor(RUNS / 2)] ?? 0;
}

function resources(shape: Shape, size: number): ClusterResources {
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
      const addresses = [`10.${octets(i)}.1-10.${octets(i)}.254`];
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
