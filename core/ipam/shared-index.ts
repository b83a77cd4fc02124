/**
 * The shareable addresses in use of one pool and family, grouped so that the lowest one that a claim could
 * join is found without walking over addresses: by keys, then by the set of ports in use (many addresses of
 * one group usually have the same few sets).
 */
import { SortedMap } from '#core/ipam/sorted-map.ts';
import { portsInUse, type AddressUse, type Claim } from '#core/ipam/sharing.ts';

interface Bucket {
  readonly ports: ReadonlySet<string>;
  readonly ranks: SortedMap<bigint, true>;
}

type Keys = Pick<Claim, 'sharingKey' | 'backendKey'>;

const groupOf = ({ sharingKey, backendKey }: Keys): string => JSON.stringify([sharingKey, backendKey]);
const signatureOf = (ports: ReadonlySet<string>): string => [...ports].sort().join(',');

export class SharedIndex {
  readonly #groups = new Map<string, Map<string, Bucket>>();

  /** Lists the address of this rank under its present users; users without a sharing key are not listed. */
  add(rank: bigint, use: AddressUse): void {
    if (use.sharingKey === '' || use.users.length === 0) return;
    const group = groupOf(use);
    const buckets = this.#groups.get(group) ?? new Map<string, Bucket>();
    this.#groups.set(group, buckets);
    const ports = portsInUse(use);
    const signature = signatureOf(ports);
    const bucket = buckets.get(signature) ?? { ports, ranks: new SortedMap() };
    buckets.set(signature, bucket);
    bucket.ranks.set(rank, true);
  }

  /** Takes the address off again; call it before its users change. */
  remove(rank: bigint, use: AddressUse): void {
    if (use.sharingKey === '' || use.users.length === 0) return;
    const group = groupOf(use);
    const signature = signatureOf(portsInUse(use));
    const buckets = this.#groups.get(group);
    const bucket = buckets?.get(signature);
    if (buckets === undefined || bucket === undefined) return;
    bucket.ranks.delete(rank);
    if (bucket.ranks.size === 0) buckets.delete(signature);
    if (buckets.size === 0) this.#groups.delete(group);
  }

  /** The lowest rank in use that the claim may join. */
  lowest(claim: Claim): bigint | undefined {
    if (claim.sharingKey === '') return undefined;
    let best: bigint | undefined;
    for (const { ports, ranks } of this.#groups.get(groupOf(claim))?.values() ?? []) {
      if (claim.ports.some((port) => ports.has(port))) continue;
      const rank = ranks.first()?.key;
      if (rank !== undefined && (best === undefined || rank < best)) best = rank;
    }
    return best;
  }
}
