/** BGP sessions: peers and the BFD profiles they use. */
import { compileBfdProfile } from '#core/config/bfd.ts';
import { applyFrrRules } from '#core/config/frr-rules.ts';
import { compilePeer, specOf, type RawPeer } from '#core/config/peers.ts';
import { problemsOf, type Finding, type ObjectRef } from '#core/config/problems.ts';
import { split, type ClusterResources, type Scope } from '#core/config/resources.ts';
import { selectsNode } from '#core/config/scope.ts';
import type { BfdProfile, BgpPeer, Problem } from '#core/model/config.ts';

export interface Sessions {
  readonly peers: BgpPeer[];
  readonly bfdProfiles: BfdProfile[];
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** Peers and BFD profiles: the rules of the mode first, then profiles, then each peer's own. */
export function compileSessions(resources: ClusterResources, scope: Scope): Sessions {
  const profiles = split(resources.bfdProfiles);
  const context = {
    secrets:
      resources.secretPassthrough === true
        ? ('passthrough' as const)
        : new Map(resources.secrets.map((secret) => [secret.name, secret])),
    profiles: new Map(resources.bfdProfiles.map(({ ok, ref }) => [ref.name, { valid: ok }])),
  };
  const peers = split(resources.peers);
  const compiled = peers.objects
    .map((object) => ({ object, ...compilePeer(object, context) }))
    .filter(({ object }) => selectsNode(object.spec?.nodeSelectors, scope));
  const ruled = compiled.map(({ object, peer, findings }) => ({
    object,
    nodeSelectors: peer.nodeSelectors,
    valid: findings.length === 0,
  }));
  const frr = applyFrrRules(ruled, scope.kind === 'speaker' ? [scope.node] : resources.nodes);
  const own = compiled.flatMap(({ object, findings }) => problemsOf(refOf(object), findings));
  return {
    peers: compiled
      .filter(({ peer, findings }) => findings.length === 0 && !frr.out.has(peer.name))
      .map(({ peer }) => peer),
    bfdProfiles: profiles.objects.map(compileBfdProfile),
    problems: [...frr.problems, ...profiles.problems, ...peers.problems, ...own],
    warnings: compiled.flatMap(({ object }) => problemsOf(refOf(object), deprecations(object))),
  };
}

function refOf({ metadata }: RawPeer): ObjectRef {
  return { kind: 'BGPPeer', namespace: metadata.namespace ?? '', name: metadata.name };
}

/** PEER-21: a warning; unlike the original, the other rules still apply. */
function deprecations(peer: RawPeer): Finding[] {
  if (!specOf(peer).disableMP) return [];
  return [
    {
      code: 'PEER-21',
      field: 'spec.disableMP',
      message: 'disableMP is deprecated and has no effect',
      remedy: 'Remove disableMP; dualStackAddressFamily decides which address families a session carries.',
    },
  ];
}

