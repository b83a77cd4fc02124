/** What `metallb doctor --host` knows of the machine it runs on, as a node. */
import type { PeerFact, PoolFact, ProxyFact } from '#core/doctor/cluster-facts.ts';

export interface SocketFact {
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  /** Command line of who holds it; empty when it could not be found out. */
  readonly program: string;
  /** It runs in a container. */
  readonly inContainer: boolean;
}

export interface ProgramFact {
  readonly name: string;
  readonly pid: number;
  readonly inContainer: boolean;
}

export interface InterfaceFact {
  readonly name: string;
  /** IP addresses without prefix length. */
  readonly addresses: readonly string[];
}

/** `unknown`: this kernel does not say. */
export type Has = 'yes' | 'no' | 'unknown';

export interface HostFacts {
  /** Listening TCP and bound UDP sockets of the network namespace. */
  readonly sockets: readonly SocketFact[];
  /** Programs in the same network namespace that speak BGP, by name. */
  readonly daemons: readonly ProgramFact[];
  readonly interfaces: readonly InterfaceFact[];
  /** Next hops of default routes. */
  readonly gateways: readonly string[];
  /** By path below /proc/sys/net, such as `ipv4/conf/eth0/rp_filter`; absent where the kernel has no such setting. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly packetSockets: Has;
  readonly ipv6: Has;
  readonly vrf: Has;
  readonly tcpMd5: Has;
}

export const nothingOfHost: HostFacts = {
  sockets: [],
  daemons: [],
  interfaces: [],
  gateways: [],
  sysctls: {},
  packetSockets: 'unknown',
  ipv6: 'unknown',
  vrf: 'unknown',
  tcpMd5: 'unknown',
};

/** With what the cluster says; unknown when only the machine is looked at. */
export interface HostAndCluster extends HostFacts {
  readonly pools: readonly PoolFact[];
  readonly peers: readonly PeerFact[];
  readonly proxy: ProxyFact;
}
