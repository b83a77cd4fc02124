/** The speaker's edges. Each port has a fake in tests/support and one contract suite run against both. */
import type { FrrModel } from '#core/frr/model.ts';
import type { Target } from '#core/frr/sessions.ts';

/** State of what does BGP for us, as last seen. A failure is state, not an exception (architecture §10). */
export interface FrrState {
  /** Counts calls of `setDesired` that changed the model. */
  readonly desired: number;
  /** Generation that FRR is proved to run (external: that is written); 0 before the first, and when a daemon of FRR was just restarted. */
  readonly applied: number;
  readonly lastError: string | undefined;
  /** Neighbours FRR refused, with its words. They are left out of what is applied. */
  readonly refused: readonly { readonly peer: string; readonly message: string }[];
  /** Neighbours that have their session, but without something that cannot be passed on. */
  readonly partial: readonly { readonly peer: string; readonly message: string }[];
  readonly lastDurationMs: number;
  /** How often FRR was found without the configuration it had, and repaired. */
  readonly repairs: number;
}

/** Before anything was asked for. */
export const untouchedFrr: FrrState = {
  desired: 0,
  applied: 0,
  lastError: undefined,
  refused: [],
  partial: [],
  lastDurationMs: 0,
  repairs: 0,
};

/** What brings a model to the routers: the FRR beside us, or a frr-k8s that somebody else runs. */
export interface BgpPort {
  /**
   * Declares what FRR should do. Returns at once; applied on the leading edge, single flight, coalesced under churn.
   * FRR may hold the routes of an earlier speaker: the first call takes away what the model does not have, so it
   * must come after a complete pass over all Services (architecture, decision 4).
   */
  setDesired(model: FrrModel): void;
  readonly state: FrrState;
  onState(listener: (state: FrrState) => void): void;
  close(): Promise<void>;
}

/** The FRR beside us can be asked as well. */
export interface FrrPort extends BgpPort {
  /** What FRR is proved to run, without the neighbours it refused; undefined while changes are under way. */
  readonly proved: FrrModel | undefined;
  /** Runs `show … json` through vtysh and returns the parsed answer. */
  show(command: string, signal?: AbortSignal): Promise<unknown>;
  /** Has these neighbours (names) tried without their BFD until the next call, see `BfdPatience`. */
  leaveOutBfd(peers: ReadonlySet<string>): void;
  /** Has FRR begin sessions that are down and that it does not begin by itself. */
  begin(sessions: readonly Pick<Target, 'vrf' | 'neighbor'>[]): Promise<void>;
  /** Has FRR send all routes of one family to one neighbour again. No session notices. */
  resend(targets: readonly Target[]): Promise<void>;
}

/** Where an address is answered for. `interfaces` undefined: all usable ones. */
export interface L2Entry {
  readonly ip: string;
  readonly interfaces: readonly string[] | undefined;
  /** Ask whether somebody uses the address before it is claimed. */
  readonly probe?: boolean;
  /** Answer ICMP echo as well. */
  readonly ping?: boolean;
  /**
   * Nodes that come first: while one of them takes part and holds the address, or this node takes no part, it is not
   * answered for. Undefined: answered for in any case (liveness is off).
   */
  readonly yieldTo?: readonly string[] | undefined;
}

export interface L2Interface {
  readonly name: string;
  readonly mac: string;
  /** Answers for addresses: it is an Ethernet interface, up, with carrier, and no port of a bond or bridge. */
  readonly up: boolean;
}

/** What was seen and sent for one address since the responder started. */
export interface L2Counts {
  /** ARP requests and neighbor solicitations for it. */
  readonly requests: number;
  readonly responses: number;
  /** Gratuitous ARP frames and unsolicited neighbor advertisements. */
  readonly gratuitous: number;
  /** Frames by which a machine outside the cluster showed that it uses the address. */
  readonly conflicts: number;
}

/** A machine outside the cluster uses an address that we hold or want to claim. */
export interface L2Conflict {
  readonly ip: string;
  readonly interface: string;
  readonly mac: string;
  /** `held`: we announce it and defend it; `withheld`: we do not; `over`: the other one is gone, we do now. */
  readonly state: 'held' | 'withheld' | 'over';
}

export interface L2Port {
  /** The complete set of addresses to answer for; the worker works out what is new (gratuitous burst) or gone. */
  setPlan(entries: readonly L2Entry[]): void;
  /** MAC addresses of the cluster's own cards: they conflict with nothing. */
  setClusterCards(macs: readonly string[]): void;
  /** Announces held addresses again (all by default), e.g. after members met again. */
  announce(ips?: readonly string[]): void;
  /** All interfaces of the host that are not excluded, also those that answer nothing; sorted by name. */
  readonly interfaces: readonly L2Interface[];
  onInterfaces(listener: (interfaces: readonly L2Interface[]) => void): void;
  /** By address; at most a second old. Counts of addresses no longer held stay. */
  readonly counts: ReadonlyMap<string, L2Counts>;
  /** Addresses of the plan that are not answered for, because a machine outside the cluster uses them. */
  readonly withheld: ReadonlySet<string>;
  /** Frames that reached us and were not answered, by reason. */
  readonly drops: ReadonlyMap<string, number>;
  onConflict(listener: (conflict: L2Conflict) => void): void;
  /** Called once when the responder died: nothing is answered any more. The program ends then. */
  onFailure(listener: (error: Error) => void): void;
  close(): Promise<void>;
}

/** A node that should run a speaker. */
export interface MembersPeer {
  readonly name: string;
  /** Addresses as text; the first one of the family in use is taken. */
  readonly addresses: readonly string[];
}

/** `joining`: starting, or stood still; `member`: takes part; `isolated`: cut off from the majority; `left`: for good. */
export type MembersPhase = 'joining' | 'member' | 'isolated' | 'left';

export interface MembersPort {
  /**
   * Names of the nodes whose speakers are alive, this one included. Empty while this one does not take part
   * (it has just started, or it is cut off from the majority): then it must announce nothing.
   */
  readonly alive: ReadonlySet<string>;
  readonly phase: MembersPhase;
  /** Why it is in this phase, in words. */
  readonly reason: string;
  /** Nodes whose speakers died and whose hosts do not answer either; empty while this one takes no part. */
  readonly gone: ReadonlySet<string>;
  /** Called when `alive`, `gone`, `phase` or what `usableInterfaces` returns changed. */
  onChange(listener: (alive: ReadonlySet<string>) => void): void;
  /** Called once when the mesh died: nobody hears us any more. The program ends then. */
  onFailure(listener: (error: Error) => void): void;
  /** All nodes that should run a speaker; until the first call nobody takes part. */
  setPeers(peers: readonly MembersPeer[]): void;
  /** Tells the others on which interfaces this node can answer for addresses. */
  setUsableInterfaces(names: readonly string[]): void;
  /** On which interfaces a node says it can answer; undefined when it is not heard. */
  usableInterfaces(node: string): ReadonlySet<string> | undefined;
  /** Tells the others the MAC addresses of this node's cards. */
  setCards(macs: readonly string[]): void;
  /** Tells the others which addresses (canonical text) this node answers for. */
  setHeld(ips: readonly string[]): void;
  /** Nodes that held the address when last heard of, this one and dead ones included, sorted. */
  heldBy(ip: string): readonly string[];
  /** Some node holds the address or did within the last ten seconds. */
  wasHeld(ip: string): boolean;
  /** MAC addresses of the cards of all nodes of this cluster, sorted. */
  readonly clusterCards: readonly string[];
  /** Called when what `heldBy` or `clusterCards` returns changed. */
  onReports(listener: () => void): void;
  /** Tells the others that we go, so that they take over at once. Takes a few milliseconds. */
  leave(): Promise<void>;
  close(): Promise<void>;
}
