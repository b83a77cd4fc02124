/**
 * Which BGPAdvertisement may announce which pool: rules ADB-16 and ADB-17. What does not fit is the pair, so only
 * the pair is left out: the advertisement goes on with its other pools, and the pool with its other advertisements.
 */
import { contradictingField, PREFERENCE_FIELDS, type Preference } from '#core/bgp/route.ts';
import { NodeSharing } from '#core/config/node-sharing.ts';
import type { PoolIndex } from '#core/config/pool-targets.ts';
import type { Finding } from '#core/config/problems.ts';
import type { BgpAdvertisement, Pool, PoolEntry } from '#core/model/config.ts';
import type { Family } from '#core/model/ip.ts';
import type { NodeView } from '#core/model/views.ts';

/** Per address family. */
type Lengths = Readonly<Record<Family, number>>;

/** What ADB-17 compares of an advertisement; those alike stand for each other. */
type Attached = Map<string, Map<string, BgpAdvertisement>>;

/** Attaches advertisements to pools, the seniors first. */
export class BgpTargets {
  readonly #pools: PoolIndex;
  readonly #nodes: readonly NodeView[];
  readonly #sharing: NodeSharing;
  /** False when all advertisements have one preference: nothing can contradict. */
  readonly #preferencesDiffer: boolean;
  /** Pool → preference → treatment → the first advertisement with it. */
  readonly #attached = new Map<string, Attached>();
  /** The longest of the widest blocks of a list of pools; lists of all pools are one and the same array. */
  readonly #lengths = new Map<readonly string[], Lengths>();

  constructor(pools: PoolIndex, nodes: readonly NodeView[], preferences: Iterable<string>) {
    this.#pools = pools;
    this.#nodes = nodes;
    this.#sharing = new NodeSharing(nodes);
    this.#preferencesDiffer = new Set(preferences).size > 1;
  }

  /** Attaches an advertisement to the pools it reaches; call in order of seniority. */
  attach(advertisement: BgpAdvertisement): { pools: readonly string[]; findings: Finding[] } {
    const compared = this.#preferencesDiffer && advertisement.serviceSelectors.length === 0;
    if (!compared && this.#fitsAll(advertisement)) return { pools: advertisement.pools, findings: [] };
    const treatment = treatmentOf(advertisement);
    const findings: Finding[] = [];
    const pools = advertisement.pools.filter((name) => {
      const pool = this.#pools.byName.get(name);
      if (pool === undefined) return false;
      const coarse = tooCoarse(advertisement, pool);
      const conflict = compared && coarse.length === 0 ? this.#conflict(advertisement, pool, treatment) : [];
      findings.push(...coarse, ...conflict);
      return coarse.length + conflict.length === 0;
    });
    return { pools, findings };
  }

  /** True when the aggregation lengths are fine for every pool (ADB-16). */
  #fitsAll({ pools, aggregationLength, aggregationLengthV6 }: BgpAdvertisement): boolean {
    const known = this.#lengths.get(pools) ?? this.#measure(pools);
    return aggregationLength >= known.ipv4 && aggregationLengthV6 >= known.ipv6;
  }

  #measure(pools: readonly string[]): Lengths {
    const longest = { ipv4: Number.NEGATIVE_INFINITY, ipv6: Number.NEGATIVE_INFINITY };
    for (const name of pools)
      for (const entry of this.#pools.byName.get(name)?.entries ?? [])
        longest[entry.range.family] = Math.max(longest[entry.range.family], widestBlock(entry));
    this.#lengths.set(pools, longest);
    return longest;
  }

  /** ADB-17: the first senior advertisement of the pool that asks for another preference. */
  #conflict(mine: BgpAdvertisement, pool: Pool, treatment: string): Finding[] {
    const attached: Attached = this.#attached.get(pool.name) ?? new Map<string, Map<string, BgpAdvertisement>>();
    this.#attached.set(pool.name, attached);
    const families = familiesOf(pool);
    const preference = preferenceOf(mine);
    for (const [other, seniors] of attached) {
      if (other === preference) continue;
      for (const theirs of seniors.values())
        if (this.#meet(mine, theirs, families)) return [contradiction(mine, theirs, pool.name)];
    }
    const alike = attached.get(preference) ?? new Map<string, BgpAdvertisement>();
    if (!alike.has(treatment)) alike.set(treatment, mine);
    attached.set(preference, alike);
    return [];
  }

  /** True when both would announce one route to one peer from one node. */
  #meet(a: BgpAdvertisement, b: BgpAdvertisement, families: ReadonlySet<Family>): boolean {
    if (!sameAggregation(a, b, families)) return false;
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

function treatmentOf(advertisement: BgpAdvertisement): string {
  const { aggregationLength, aggregationLengthV6, peers, nodeSelectors } = advertisement;
  return JSON.stringify([aggregationLength, aggregationLengthV6, peers, nodeSelectors]);
}

/** Equal texts: the two advertisements prefer alike. */
export function preferenceOf(advertisement: Preference): string {
  return PREFERENCE_FIELDS.map((field) => advertisement[field]).join(' ');
}

function contradiction(mine: BgpAdvertisement, theirs: BgpAdvertisement, pool: string): Finding {
  const field = contradictingField(mine, theirs) ?? 'localPref';
  return {
    code: 'ADB-17',
    field: `spec.${field}`,
    message: `${field} ${mine[field]} for pool ${pool}: BGPAdvertisement ${theirs.name} sets ${field} ${theirs[field]} for the same routes, nodes and peers`,
    remedy: `Use one ${field} in both, or other peers, nodes or aggregation lengths in one of them.`,
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
