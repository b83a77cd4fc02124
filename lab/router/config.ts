/** The router's configuration: eBGP with every node over IPv4 and IPv6, BFD, and all equal paths used. */
import * as plan from '#lab/net/plan.ts';

export interface RouterSpec {
  readonly asn: number;
  /** An IPv4 address. */
  readonly routerId: string;
  readonly nodeAsn: number;
  /** Addresses of the nodes, of either family: one session each. */
  readonly neighbors: readonly string[];
  /** Sessions watched by BFD; they are unless told. */
  readonly bfd?: boolean;
}

/** frr.conf of the lab's router: one session per node and family. */
export function routerConfig(nodes: number): string {
  const neighbors = Array.from({ length: nodes }, (_, at) => plan.nodeAddresses(at + 1)).flatMap(
    ({ ipv4, ipv6 }) => [ipv4, ipv6],
  );
  return routerConfigFor({
    asn: plan.ROUTER_ASN,
    routerId: plan.ROUTER.ipv4,
    nodeAsn: plan.NODE_ASN,
    neighbors,
  });
}

/**
 * Each session carries both families, as MetalLB's do. Nothing is announced to the nodes; everything they announce is
 * taken.
 */
export function routerConfigFor({ asn, routerId, nodeAsn, neighbors, bfd = true }: RouterSpec): string {
  const family = (name: 'ipv4' | 'ipv6') => [
    ` address-family ${name} unicast`,
    ...neighbors.map((address) => `  neighbor ${address} activate`),
    '  maximum-paths 64',
    ' exit-address-family',
  ];
  return [
    'frr defaults traditional',
    'hostname router',
    `router bgp ${asn}`,
    ` bgp router-id ${routerId}`,
    ' no bgp ebgp-requires-policy',
    ' no bgp default ipv4-unicast',
    ' no bgp network import-check',
    ' bgp bestpath as-path multipath-relax',
    ...neighbors.flatMap((address) => [
      ` neighbor ${address} remote-as ${nodeAsn}`,
      ...(bfd ? [` neighbor ${address} bfd`] : []),
      ` neighbor ${address} timers connect 1`,
    ]),
    ...family('ipv4'),
    ...family('ipv6'),
    'exit',
    '',
  ].join('\n');
}
