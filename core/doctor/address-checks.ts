/** Pools against the addresses that the cluster has in use already. */
import { parseEntry } from '#core/config/pool-entry.ts';
import type { Check, Finding } from '#core/doctor/check.ts';
import { nameOf, type ClusterFacts, type PoolFact } from '#core/doctor/cluster-facts.ts';
import {
  cidrRange,
  parseAddress,
  parseCidr,
  rangeContains,
  rangesMeet,
  type IpRange,
} from '#core/model/ip.ts';

/** One entry of a pool as a range; entries that cannot be read are `metallb validate`'s. */
export interface PoolRange {
  readonly object: string;
  readonly field: string;
  readonly text: string;
  readonly range: IpRange;
}

export function rangesOf(pools: readonly PoolFact[]): PoolRange[] {
  return pools.flatMap((pool) =>
    pool.addresses.flatMap((text, index) => {
      const entry = parseEntry(text);
      if (!('range' in entry)) return [];
      const object = nameOf({ kind: 'IPAddressPool', ...pool });
      return [{ object, field: `spec.addresses[${index}]`, text, range: entry.range }];
    }),
  );
}

/** A finding for each pool entry that holds the address. */
export function holding(
  ranges: readonly PoolRange[],
  address: string,
  tell: (text: string) => Pick<Finding, 'message' | 'remedy'>,
): Finding[] {
  const parsed = parseAddress(address);
  if (parsed === undefined) return [];
  return ranges
    .filter(({ range }) => rangeContains(range, parsed))
    .map(({ object, field, text }) => ({ severity: 'error', object, field, ...tell(text) }));
}

const nodesInPools: Check<ClusterFacts> = {
  id: 'pools-and-nodes',
  fine: 'no pool holds an address of a node',
  needs: ['pools', 'nodes'],
  run: ({ pools, nodes }) => {
    const ranges = rangesOf(pools);
    return nodes.flatMap(({ name, addresses }) =>
      addresses.flatMap((address) =>
        holding(ranges, address, (text) => ({
          message: `${text} holds ${address}, the address of node ${name}: a Service that gets it takes the node off the network`,
          remedy: `Take ${address} out: spec.excludedAddresses, or other ranges.`,
        })),
      ),
    );
  },
};

const podsInPools: Check<ClusterFacts> = {
  id: 'pools-and-pods',
  fine: 'no pool overlaps with the addresses of pods',
  needs: ['pools', 'nodes'],
  run: ({ pools, nodes }) => {
    const ranges = rangesOf(pools);
    return nodes.flatMap(({ name, podCidrs }) =>
      podCidrs.flatMap((text) => {
        const cidr = parseCidr(text);
        if (cidr === undefined) return [];
        return ranges
          .filter(({ range }) => rangesMeet(range, cidrRange(cidr)))
          .map((pool): Finding => ({
            severity: 'error',
            object: pool.object,
            field: pool.field,
            message: `${pool.text} overlaps with ${text}, the pods' addresses on node ${name}`,
            remedy: 'Give the pool addresses that nobody in the cluster has.',
          }));
      }),
    );
  },
};

const clusterIpsInPools: Check<ClusterFacts> = {
  id: 'pools-and-cluster-ips',
  fine: 'no pool holds a cluster IP',
  needs: ['pools', 'services'],
  run: ({ pools, services }) => {
    const ranges = rangesOf(pools);
    return services.flatMap(({ namespace, name, clusterIps }) =>
      clusterIps.flatMap((address) =>
        holding(ranges, address, (text) => ({
          message: `${text} holds ${address}, the cluster IP of Service ${namespace}/${name}`,
          remedy: 'Give the pool addresses outside the range of cluster IPs.',
        })),
      ),
    );
  },
};

export const addressChecks: readonly Check<ClusterFacts>[] = [nodesInPools, podsInPools, clusterIpsInPools];
