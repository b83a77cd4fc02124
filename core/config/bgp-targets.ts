/**
 * Which BGPAdvertisement may announce which pool: rules ADB-16 and ADB-17. What does not fit is the pair, so only
 * the pair is left out: the advertisement goes on with its other pools, and the pool with its other advertisements.
 */
import { NodeSharing } from '#core/config/node-sharing.ts';
import type { PoolIndex } from '#core/config/pool-targets.ts';
import type { Finding } from '#core/config/problems.ts';
import type { BgpAdvertisement, Pool, PoolEntry } from '#core/model/config.ts';
import type { Family } from '#core/model/ip.ts';
import type { NodeView } from '#core/model/views.ts';

/** Advertisements in force: those of one pool, grouped so that only members of a group can contradict each other. */
export class BgpTargets {
  readonly #pools: PoolIndex;
  readonly #nodes: readonly NodeView[];
  readonly #sharing: NodeSharing;
  readonly #attached = new Map<string, BgpAdvertisement[]>();

  constructor(pools: PoolIndex, nodes: readonly NodeView[]) {
    this.#pools = pools;
    this.#nodes = nodes;
    this.#sharing = new NodeSharing(nodes);
  }

  /** Attaches an advertisement to the pools it reaches; call in order of seniority. */
  attach(advertisement: BgpAdvertisement): { pools: readonly string[]; findings: Finding[] } {
    const findings: Finding[] = [];
    const pools = advertisement.pools.filter((name) => {
      const pool = this.#pools.byName.get(name);
      if (pool === undefined) return false;
      const coarse = tooCoarse(advertisement, pool);
      if (coarse.length > 0) {
        findings.push(...coarse);
        return false;
      }
      const conflict = this.#conflict(advertisement, pool);
      if (conflict !== undefined) findings.push(conflict);
      return conflict === undefined;
    });
    return { pools, findings };
  }

  /** ADB-17: the first senior advertisement of the pool that asks for another local preference. */
  #conflict(mine: BgpAdvertisement, pool: Pool): Finding | undefined {
    if (mine.serviceSelectors.length > 0) return undefined;
    const families = familiesOf(pool);
    // Advertisements of the same treatment stand for each other: one of each is kept.
    const seniors = this.#attached.get(pool.name) ?? [];
    let known = false;
    for (const theirs of seniors) {
      known ||= sameTreatment(mine, theirs);
      if (this.#contradicts(mine, theirs, families)) return contradiction(mine, theirs, pool.name);
    }
    if (!known) this.#attached.set(pool.name, [...seniors, mine]);
    return undefined;
  }

  #contradicts(a: BgpAdvertisement, b: BgpAdvertisement, families: ReadonlySet<Family>): boolean {
    if (a.localPref === b.localPref || !sameAggregation(a, b, families)) return false;
    const samePeers =
      a.peers.length === 0 || b.peers.length === 0 || a.peers.some((peer) => b.peers.includes(peer));
    return samePeers && this.#nodes.length > 0 && this.#sharing.share(a.nodeSelectors, b.nodeSelectors);
  }
}

function familiesOf(pool: Pool): Set<Family> {
  return new Set(pool.entries.map(({ range }) => range.family));
}

/** Dual pool: one common length is enough to meet. */
function sameAggregation(a: BgpAdvertisement, b: BgpAdvertisement, families: ReadonlySet<Family>): boolean {
  return (
    (families.has('ipv4') && a.aggregationLength === b.aggregationLength) ||
    (families.has('ipv6') && a.aggregationLengthV6 === b.aggregationLengthV6)
  );
}

function sameTreatment(a: BgpAdvertisement, b: BgpAdvertisement): boolean {
  return (
    a.localPref === b.localPref &&
    a.aggregationLength === b.aggregationLength &&
    a.aggregationLengthV6 === b.aggregationLengthV6 &&
    JSON.stringify([a.peers, a.nodeSelectors]) === JSON.stringify([b.peers, b.nodeSelectors])
  );
}

function contradiction(mine: BgpAdvertisement, theirs: BgpAdvertisement, pool: string): Finding {
  return {
    code: 'ADB-17',
    field: 'spec.localPref',
    message: `localPref ${mine.localPref} for pool ${pool}: BGPAdvertisement ${theirs.name} sets localPref ${theirs.localPref} for the same routes, nodes and peers`,
    remedy: 'Use one localPref in both, or other peers, nodes or aggregation lengths in one of them.',
  };
}

/** ADB-16: the announced prefix must lie inside the widest block of every entry of the pool. */
function tooCoarse(advertisement: BgpAdvertisement, pool: Pool): Finding[] {
  return pool.entries.flatMap((entry): Finding[] => {
    const isV4 = entry.range.family === 'ipv4';
    const length = isV4 ? advertisement.aggregationLength : advertisement.aggregationLengthV6;
    const widest = widestBlock(entry);
    if (length >= widest) return [];
    return [
      {
        code: 'ADB-16',
        field: isV4 ? 'spec.aggregationLength' : 'spec.aggregationLengthV6',
        message: `pool ${pool.name}: invalid aggregation length ${length}: prefix ${widest} in this pool is more specific than the aggregation length for addresses ${entry.text}`,
        remedy: `Use ${widest} or more, or do not announce pool ${pool.name} with this advertisement.`,
      },
    ];
  });
}

function widestBlock({ cidrs }: PoolEntry): number {
  return cidrs.reduce((shortest, { prefix }) => Math.min(shortest, prefix), 128);
}
