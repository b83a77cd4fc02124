/** All BGPAdvertisement objects together. */
import { compileBgpAdvertisement, type RawBgpAdvertisement } from '#core/config/bgp-advertisements.ts';
import { BgpTargets, preferenceOf } from '#core/config/bgp-targets.ts';
import type { Aliases } from '#core/config/communities.ts';
import { byName, bySeniority } from '#core/config/order.ts';
import { unknownPools, type PoolIndex } from '#core/config/pool-targets.ts';
import { problemsOf, type Finding } from '#core/config/problems.ts';
import { split, type ClusterResources, type Scope } from '#core/config/resources.ts';
import { selectsNode } from '#core/config/scope.ts';
import type { BgpAdvertisement, Problem } from '#core/model/config.ts';

export interface BgpResult {
  readonly advertisements: BgpAdvertisement[];
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** Compiles the advertisements that concern the scope; what fits is decided by seniority, told by name. */
export function compileBgp(
  resources: ClusterResources,
  scope: Scope,
  pools: PoolIndex,
  aliases: Aliases,
): BgpResult {
  const { objects, problems } = split(resources.bgpAdvertisements);
  const peers = new Set(resources.peers.map(({ ref }) => ref.name));
  const selected = objects.filter(({ spec }) => selectsNode(spec?.nodeSelectors, scope));
  const own = selected.map((object) => ({ object, ...compileBgpAdvertisement(object, pools, aliases) }));
  const sound = own.filter(({ findings }) => findings.length === 0);
  const targets = new BgpTargets(
    pools,
    scope.kind === 'speaker' ? [scope.node] : resources.nodes,
    sound.map(({ advertisement }) => preferenceOf(advertisement)),
  );
  const fits = new Map(
    sound
      .sort((a, b) => bySeniority(a.object, b.object))
      .map(({ object, advertisement }) => [object.metadata.name, targets.attach(advertisement)]),
  );
  const result: BgpResult = { advertisements: [], problems, warnings: [] };
  for (const { object, advertisement, findings } of own.sort((a, b) => byName(a.object, b.object))) {
    const { name, namespace = '' } = object.metadata;
    const ref = { kind: 'BGPAdvertisement', namespace, name };
    const fit = fits.get(name);
    result.warnings.push(...unknownPools(ref, object.spec?.ipAddressPools ?? [], pools));
    result.warnings.push(...problemsOf(ref, unknownPeers(object, peers)));
    result.problems.push(...problemsOf(ref, [...findings, ...(fit?.findings ?? [])]));
    if (fit !== undefined) result.advertisements.push({ ...advertisement, pools: fit.pools });
  }
  return result;
}

/** REF-2 (ours, a warning). */
function unknownPeers({ metadata, spec }: RawBgpAdvertisement, known: ReadonlySet<string>): Finding[] {
  return (spec?.peers ?? []).flatMap((name, index): Finding[] =>
    known.has(name)
      ? []
      : [
          {
            code: 'REF-2',
            field: `spec.peers[${index}]`,
            message: `BGPAdvertisement ${metadata.name} names BGPPeer ${name}, which does not exist`,
            remedy: `Create BGPPeer ${name}, or correct the name.`,
          },
        ],
  );
}
