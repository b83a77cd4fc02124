/**
 * From the users' objects to the configuration in force: `compile` applies every rule of api.md §6 and tells all
 * problems at once. An object with a problem is left out, and with it what depends on it; nothing else is:
 *
 * - a pool, BFD profile, peer or advertisement with a problem of its own is out;
 * - a peer whose BFD profile is out or missing is out, and so is one whose Secret is missing or unusable;
 * - an advertisement that uses an unknown or invalid alias is out, since a route without its community may go too far;
 * - of two pools that overlap, two definitions of an alias, or two peers that one FRR cannot have, the senior stays;
 * - where an advertisement does not fit one of its pools (ADB-16, ADB-17) or peers (X-1), only that pair is out.
 */
import { applyEchoRule } from '#core/config/bfd-echo.ts';
import { compileBgp } from '#core/config/bgp.ts';
import { compileAliases } from '#core/config/communities.ts';
import { compileL2Advertisements } from '#core/config/l2-advertisements.ts';
import { indexPools } from '#core/config/pool-targets.ts';
import { compilePools } from '#core/config/pools.ts';
import { split, type ClusterResources, type Scope } from '#core/config/resources.ts';
import { compileSessions } from '#core/config/sessions.ts';
import type { Config, Problem } from '#core/model/config.ts';

export interface Compiled {
  readonly config: Config;
  /** In the order in which the original finds them; the first one is ConfigurationState's (contract.md, "Texts"). */
  readonly problems: readonly Problem[];
  /** What is probably not meant, and takes nothing out: references to objects that do not exist. */
  readonly warnings: readonly Problem[];
}

/** Compiles the configuration. Pure; equal input in any order gives deep-equal output. */
export function compile(resources: ClusterResources, scope: Scope): Compiled {
  const communities = split(resources.communities);
  const pools = split(resources.pools);
  const aliases = compileAliases(communities.objects);
  const compiled = compilePools(pools.objects, resources.namespaces);
  const shared = [...communities.problems, ...aliases.problems, ...pools.problems, ...compiled.problems];
  if (scope.kind === 'controller')
    return { config: { ...EMPTY, pools: compiled.pools }, problems: shared, warnings: compiled.warnings };

  const index = indexPools(compiled.pools, resources.pools.map(({ ref }) => ref.name));
  const sessions = compileSessions(resources, scope);
  const l2 = split(resources.l2Advertisements);
  const l2Result = compileL2Advertisements(l2.objects, index);
  const bgp = compileBgp(resources, scope, index, aliases.aliases);
  const echo = applyEchoRule(bgp.advertisements, sessions, index, resources.namespace);
  return {
    config: {
      pools: compiled.pools,
      l2Advertisements: l2Result.advertisements,
      bgpAdvertisements: echo.advertisements,
      peers: sessions.peers,
      bfdProfiles: sessions.bfdProfiles,
      frrExtras: resources.frrExtras,
    },
    problems: [
      ...sessions.problems,
      ...shared,
      ...l2.problems,
      ...l2Result.problems,
      ...bgp.problems,
      ...echo.problems,
    ],
    warnings: [...sessions.warnings, ...compiled.warnings, ...l2Result.warnings, ...bgp.warnings],
  };
}

const EMPTY: Config = {
  pools: [],
  l2Advertisements: [],
  bgpAdvertisements: [],
  peers: [],
  bfdProfiles: [],
  frrExtras: '',
};

