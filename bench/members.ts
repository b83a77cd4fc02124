/**
 * How fast the mesh of speakers notices a death, how often it is wrong and what it sends: the real state machine on
 * a virtual network with a virtual clock.
 */
import { distribution, measuredAt, type Figure } from '#bench/figures.ts';
import type { Reporter } from '#lab/report.ts';
import { MeshSimulation } from '#tests/support/mesh-simulation.ts';

interface Size {
  readonly nodes: number;
  readonly deaths: number;
  /** Seconds of virtual time in which nothing may happen. */
  readonly quiet: number;
}

const all: readonly Size[] = [
  { nodes: 3, deaths: 200, quiet: 600 },
  { nodes: 20, deaths: 100, quiet: 300 },
  { nodes: 50, deaths: 60, quiet: 60 },
  { nodes: 200, deaths: 20, quiet: 20 },
  { nodes: 1_000, deaths: 5, quiet: 5 },
];
/** In larger clusters the dead stay dead: each start costs as much time as a death. */
const RESTARTED = 100;
/** Of the packets, lost at random; every tick is late by up to 20 ms. */
const LOSS = 0.01;
const JITTER = 20;

export interface MembersBench {
  /** Numbers of nodes, of those that there are. */
  readonly sizes: readonly number[];
  /** Told all figures so far after each size: what was measured is not lost when a larger one is ended. */
  readonly save: (figures: readonly Figure[]) => void;
}

/** The numbers of nodes that can be simulated. */
export const MEMBERS_SIZES = all.map(({ nodes }) => nodes);

export function members(report: Reporter, { sizes, save }: MembersBench): Figure[] {
  const figures: Figure[] = [];
  for (const size of all.filter(({ nodes }) => sizes.includes(nodes))) {
    report.step(`${size.nodes} nodes`);
    const simulation = started(size.nodes);
    const calm = quietTime(simulation, size);
    report.progress(`${size.nodes} nodes: quiet for ${size.quiet} s, now deaths`);
    figures.push(...measuredAt([...calm, ...takeovers(simulation, size)], new Date()));
    save(figures);
  }
  return figures;
}

function started(nodes: number): MeshSimulation {
  const simulation = new MeshSimulation(nodes, { seed: 1, loss: LOSS, jitter: JITTER });
  simulation.startAll();
  simulation.run(nodes > RESTARTED ? 12_000 : 3_000);
  return simulation;
}

function label(nodes: number): string {
  return `${nodes} nodes, 1 % of packets lost`;
}

/** False deaths and packets while nothing happens. */
function quietTime(simulation: MeshSimulation, { nodes, quiet }: Size): Figure[] {
  const before = simulation.packets;
  let [falseDeaths, missing] = [0, 0];
  for (let second = 0; second < quiet; second += 1) {
    simulation.run(1_000);
    const meshes = simulation.names.map((name) => simulation.mesh(name));
    falseDeaths += meshes.reduce((sum, mesh) => sum + mesh.dead().size, 0);
    missing = Math.max(missing, ...meshes.map((mesh) => nodes - mesh.alive().size));
  }
  const packets = (simulation.packets - before) / quiet / nodes;
  return [
    {
      figure: 'false deaths',
      unit: '',
      size: `${label(nodes)}, ${quiet} s`,
      value: falseDeaths,
      goal: '<= 0',
    },
    {
      figure: 'members that one does not count as alive, most',
      unit: '',
      size: `${label(nodes)}, ${quiet} s`,
      value: missing,
      goal: '<= 0',
    },
    { figure: 'packets sent per node', unit: '1/s', size: label(nodes), value: Math.round(packets) },
  ];
}

/** kill -9 of the owner of an address until another node owns it, everybody agreeing. */
function takeovers(simulation: MeshSimulation, { nodes, deaths }: Size): Figure[] {
  const samples: number[] = [];
  for (let round = 0; round < deaths; round += 1) {
    simulation.run(137 + 61 * (round % 7));
    const owner = simulation.owners()[0] ?? '';
    simulation.kill(owner);
    samples.push(takeover(simulation, owner));
    if (nodes <= RESTARTED) {
      simulation.start(owner);
      simulation.run(1_500);
    }
  }
  const goal = nodes <= 50 ? { goal99: '< 1000' } : {};
  return distribution(
    'detection and takeover after kill -9',
    { unit: 'ms', size: label(nodes), ...goal },
    samples,
  );
}

function takeover(simulation: MeshSimulation, dead: string): number {
  const start = simulation.now;
  const [first = ''] = simulation.runningNames;
  while (simulation.now - start < 20_000) {
    simulation.run(5);
    // One look is cheap, all are not: look at all once the first has noticed.
    if (simulation.mesh(first).alive().has(dead)) continue;
    const agreed = simulation.runningNames.every((name) => !simulation.mesh(name).alive().has(dead));
    if (agreed && simulation.owners().length === 1) return simulation.now - start;
  }
  return Number.POSITIVE_INFINITY;
}
