/** Who the mesh is made of, and on which interfaces this node can answer: kept in step with the stores. */
import type { NodeView } from '#core/model/views.ts';
import type { Store } from '#runtime/kube/types.ts';
import type { SpeakerPod } from '#speaker/loops/stores.ts';
import type { L2Port, MembersPeer, MembersPort } from '#speaker/ports.ts';

export interface MembershipOptions {
  readonly nodeName: string;
  readonly members: MembersPort;
  readonly l2: L2Port;
  readonly nodes: Store<NodeView>;
  /** Undefined: every Node is a member. */
  readonly pods: Store<SpeakerPod> | undefined;
  /** Everything is read and decided on: what others hand over can be announced. */
  readonly able: Promise<void>;
  /** A take-over may be due. */
  readonly onChange: () => void;
  /** What the speakers report that they hold changed. */
  readonly onReports: () => void;
}

/**
 * Starts to feed the mesh. Its first list, with which this node begins to take part, goes out when the store that names
 * the members is complete and this node able to announce: others let addresses go as soon as it takes part.
 */
export function followMembership(options: MembershipOptions): void {
  const { members, l2, nodes, pods, able, onChange, onReports } = options;
  const source: Store<NodeView> | Store<SpeakerPod> = pods ?? nodes;
  void Promise.all([source.synced, able]).then(() => {
    const update = (): void => members.setPeers(peersOf(options));
    source.onChange(update);
    update();
  });
  const interfaces = (): void => {
    members.setUsableInterfaces(l2.interfaces.filter(({ up }) => up).map(({ name }) => name));
    members.setCards(l2.interfaces.map(({ mac }) => mac));
  };
  l2.onInterfaces(interfaces);
  interfaces();
  members.onReports(() => {
    l2.setClusterCards(members.clusterCards);
    onReports();
  });
  let taking = members.phase === 'member';
  members.onChange(() => {
    const back = !taking && members.phase === 'member';
    taking = members.phase === 'member';
    onChange();
    // The others may have answered for our addresses meanwhile: neighbours must learn where they are now.
    if (back) l2.announce();
  });
}

function peersOf({ nodeName, nodes, pods }: MembershipOptions): MembersPeer[] {
  if (pods === undefined)
    return [...nodes.values()].map(({ name, internalIPs }) => ({ name, addresses: internalIPs }));
  const addresses = new Map<string, string[]>();
  for (const { nodeName: name, ip } of pods.values())
    addresses.set(name, [...(addresses.get(name) ?? []), ip]);
  if (!addresses.has(nodeName)) addresses.set(nodeName, []);
  return [...addresses].map(([name, ips]) => ({ name, addresses: ips }));
}
