/** The router's configuration: eBGP with every node over IPv4 and IPv6, BFD, and all equal paths used. */
import * as plan from '#lab/net/plan.ts';

/**
 * frr.conf of a router with one session per node and family. Each session carries both families, as MetalLB's do.
 * Nothing is announced to the nodes; everything they announce is taken.
 */
export function routerConfig(nodes: number): string {
  const addresses = Array.from({ length: nodes }, (_, at) => plan.nodeAddresses(at + 1)).flatMap(
    ({ ipv4, ipv6 }) => [ipv4, ipv6],
  );
  const family = (name: 'ipv4' | 'ipv6') => [
    ` address-family ${name} unicast`,
    ...addresses.map((address) => `  neighbor ${address} activate`),
    '  maximum-paths 64',
    ' exit-address-family',
  ];
  return [
    'frr defaults traditional',
    'hostname router',
    `router bgp ${plan.ROUTER_ASN}`,
    ` bgp router-id ${plan.ROUTER.ipv4}`,
    ' no bgp ebgp-requires-policy',
    ' no bgp default ipv4-unicast',
    ' no bgp network import-check',
    ' bgp bestpath as-path multipath-relax',
    ...addresses.flatMap((address) => [
      ` neighbor ${address} remote-as ${plan.NODE_ASN}`,
      ` neighbor ${address} bfd`,
      ` neighbor ${address} timers connect 1`,
    ]),
    ...family('ipv4'),
    ...family('ipv6'),
    'exit',
    '',
  ].join('\n');
}
