/**
 * Rule X-1: routes of a pool with IPv6 addresses must not go to a peer whose BFD profile has echoMode. What is left
 * out is just that: the peer gets the advertisement's other pools, and the pool goes to its other peers.
 */
import { problemsOf, type Finding, type ObjectRef } from '#core/config/problems.ts';
import type { PoolIndex } from '#core/config/pool-targets.ts';
import type { BfdProfile, BgpAdvertisement, BgpPeer, Problem } from '#core/model/config.ts';

/** Names of the peers whose sessions use echo packets, sorted. */
function echoPeers(peers: readonly BgpPeer[], profiles: readonly BfdProfile[]): string[] {
  const echo = new Set(profiles.filter(({ echoMode }) => echoMode).map(({ name }) => name));
  return peers.filter(({ bfdProfile }) => bfdProfile !== undefined && echo.has(bfdProfile)).map(({ name }) => name);
}

/**
 * Applies the rule. An advertisement that it touches comes back in two parts of the same name: its other pools with
 * its peers as they were, and the pools with IPv6 with the peers that may have them.
 */
export function applyEchoRule(
  advertisements: readonly BgpAdvertisement[],
  config: { readonly peers: readonly BgpPeer[]; readonly bfdProfiles: readonly BfdProfile[] },
  pools: PoolIndex,
  namespace: string,
): { advertisements: BgpAdvertisement[]; problems: Problem[] } {
  const echo = echoPeers(config.peers, config.bfdProfiles);
  const problems: Problem[] = [];
  if (echo.length === 0) return { advertisements: [...advertisements], problems };
  const everyone = config.peers.map(({ name }) => name);
  const result = advertisements.flatMap((advertisement) => {
    const { name, peers, pools: reached } = advertisement;
    const targets = echo.filter((peer) => peers.length === 0 || peers.includes(peer));
    const ipv6 = reached.filter((pool) => hasIpv6(pools, pool));
    if (targets.length === 0 || ipv6.length === 0) return [advertisement];
    const ref = { kind: 'BGPAdvertisement', namespace, name };
    problems.push(...tell(ref, ipv6, targets));
    const allowed = (peers.length === 0 ? everyone : peers).filter((peer) => !targets.includes(peer));
    const rest = { ...advertisement, pools: reached.filter((pool) => !ipv6.includes(pool)) };
    return allowed.length === 0 ? [rest] : [rest, { ...advertisement, pools: ipv6, peers: allowed }];
  });
  return { advertisements: result, problems };
}

function hasIpv6(pools: PoolIndex, name: string): boolean {
  return pools.byName.get(name)?.entries.some(({ range }) => range.family === 'ipv6') ?? false;
}

function tell(ref: ObjectRef, pools: readonly string[], peers: readonly string[]): Problem[] {
  const findings = pools.flatMap((pool) =>
    peers.map(
      (peer): Finding => ({
        code: 'X-1',
        field: 'spec.peers',
        message: `pool ${pool} has IPv6 addresses and BGPAdvertisement ${ref.name} announces it to BGPPeer ${peer}, whose BFD profile has echoMode: echo packets do not exist for IPv6`,
        remedy: `Switch echoMode off in the BFD profile of ${peer}, or name other peers in spec.peers.`,
      }),
    ),
  );
  return problemsOf(ref, findings);
}
