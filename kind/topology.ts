/**
 * The lab's topology on Docker, as values: the nodes and the router share kind's own network; the client is in a
 * network of its own behind the router.
 */
import { CLIENT_LAN, NODE_ASN, ROUTER_ASN } from '#lab/net/plan.ts';
import { routerConfigFor } from '#lab/router/config.ts';
import { publishedImage } from '#tools/manifests/producer.ts';

export const CLUSTER = 'metallb';
/** By its published name, so that the manifests under config/ are applied as they are. */
export const IMAGE = publishedImage;
/** Made by kind when there is none; we take its addresses as they are. */
export const LAN_NETWORK = 'kind';
export const CLIENT_NETWORK = 'metallb-clients';
export const ROUTER = 'metallb-router';
export const CLIENT = 'metallb-client';
/** The router's side of the client's network (.1 is Docker's own). */
export const GATEWAY = { ipv4: '10.91.0.254', ipv6: 'fd91::254' } as const;

export interface DualStack {
  readonly ipv4: string;
  readonly ipv6: string;
}

interface InspectedContainer {
  readonly NetworkSettings: {
    readonly Networks: Readonly<
      Record<string, { readonly IPAddress?: string; readonly GlobalIPv6Address?: string }>
    >;
  };
}

/**
 * A container's addresses in a network, from `docker inspect`.
 * @throws Error when it lacks one: the network is not dual-stack.
 */
export function addressesIn(network: string, inspected: string): DualStack {
  const [container] = JSON.parse(inspected) as readonly InspectedContainer[];
  const { IPAddress: ipv4 = '', GlobalIPv6Address: ipv6 = '' } =
    container?.NetworkSettings.Networks[network] ?? {};
  if (ipv4 === '' || ipv6 === '')
    throw new Error(
      `Docker network "${network}" is not dual-stack (IPv4 "${ipv4}", IPv6 "${ipv6}"): delete it with "docker network rm ${network}" and start again`,
    );
  return { ipv4, ipv6 };
}

/** frr.conf of the router: a session per node and family, as the lab's. */
export function routerConfig(router: DualStack, nodes: readonly DualStack[]): string {
  return routerConfigFor({
    asn: ROUTER_ASN,
    routerId: router.ipv4,
    nodeAsn: NODE_ASN,
    neighbors: nodes.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]),
  });
}

export function clientNetworkCommand(): readonly string[] {
  const subnets = ['--subnet', CLIENT_LAN.ipv4, '--subnet', CLIENT_LAN.ipv6];
  return ['docker', 'network', 'create', '--ipv6', ...subnets, CLIENT_NETWORK];
}

/** FRR of our own image forwards between the two networks. */
export function routerCommand(): readonly string[] {
  const capabilities = ['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN'].flatMap((name) => ['--cap-add', name]);
  const sysctls = [
    'net.ipv4.ip_forward=1',
    'net.ipv6.conf.all.disable_ipv6=0',
    'net.ipv6.conf.all.forwarding=1',
    'net.ipv4.fib_multipath_hash_policy=1',
  ].flatMap((setting) => ['--sysctl', setting]);
  const base = ['docker', 'run', '--detach', '--name', ROUTER, '--network', LAN_NETWORK, '--user', '0'];
  return [...base, ...capabilities, ...sysctls, IMAGE, '/frr'];
}

export function connectRouterCommand(): readonly string[] {
  const addresses = ['--ip', GATEWAY.ipv4, '--ip6', GATEWAY.ipv6];
  return ['docker', 'network', 'connect', ...addresses, CLIENT_NETWORK, ROUTER];
}

export function clientCommand(): readonly string[] {
  const base = ['docker', 'run', '--detach', '--name', CLIENT, '--network', CLIENT_NETWORK, '--user', '0'];
  return [...base, '--cap-add', 'NET_ADMIN', IMAGE, 'sleep', 'infinity'];
}

/** The client's default routes, and the nodes' routes to the client: both through the router. */
export function routeCommands(router: DualStack, nodes: readonly string[]): readonly (readonly string[])[] {
  const route = (container: string, target: string, via: string) => {
    const ip = ['docker', 'exec', container, 'ip', ...(via.includes(':') ? ['-6'] : [])];
    return [...ip, 'route', 'replace', target, 'via', via];
  };
  return [
    route(CLIENT, 'default', GATEWAY.ipv4),
    route(CLIENT, 'default', GATEWAY.ipv6),
    ...nodes.flatMap((node) => [
      route(node, CLIENT_LAN.ipv4, router.ipv4),
      route(node, CLIENT_LAN.ipv6, router.ipv6),
    ]),
  ];
}
