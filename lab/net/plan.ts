/**
 * Names and addresses of one lab, as values. Every lab uses the same addresses (all of it lives in namespaces
 * of its own); only the names of the namespaces differ, by the lab's name.
 *
 * ```
 *  client ── router ──┐            10.91.0.0/24, fd91::/64 behind the router
 *                     │
 *        lan bridge ──┼── lan      10.90.0.0/24, fd90::/64 (the bridge is in the control namespace)
 *                     │
 *     control   node1 … nodeN
 * ```
 */
import { LabError, EXIT_USAGE } from '#lab/errors.ts';

/** A namespace of the lab. `lan` is a client on the nodes' own segment, `client` one behind the router. */
export type Place = 'control' | 'router' | 'client' | 'lan' | `node${number}`;

export interface Addresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

export const LAN = { ipv4: '10.90.0.0/24', ipv6: 'fd90::/64' } as const;
export const CLIENT_LAN = { ipv4: '10.91.0.0/24', ipv6: 'fd91::/64' } as const;
export const POD_RANGES = { ipv4: '10.244.0.0/16', ipv6: 'fd00:10:244::/56' } as const;
export const SERVICE_RANGES = { ipv4: '10.96.0.0/16', ipv6: 'fd00:96::/112' } as const;
export const CONTROL: Addresses = { ipv4: '10.90.0.1', ipv6: 'fd90::1' };
export const ROUTER: Addresses = { ipv4: '10.90.0.254', ipv6: 'fd90::254' };
export const LAN_CLIENT: Addresses = { ipv4: '10.90.0.200', ipv6: 'fd90::200' };
/** The router's side of the clients' segment. */
export const CLIENT_GATEWAY: Addresses = { ipv4: '10.91.0.1', ipv6: 'fd91::1' };
export const CLIENT: Addresses = { ipv4: '10.91.0.2', ipv6: 'fd91::2' };
/** ASNs of the router and of the nodes. */
export const ROUTER_ASN = 64513;
export const NODE_ASN = 64512;
export const MAX_NODES = 24;
export const API_PORT = 6443;

/** Addresses of node `index` (from 1) on the lan. */
export function nodeAddresses(index: number): Addresses {
  return { ipv4: `10.90.0.${10 + index}`, ipv6: `fd90::${10 + index}` };
}

/** The pod ranges of a node. */
export function podRanges(index: number): Addresses {
  return { ipv4: `10.244.${index}.0/24`, ipv6: `fd00:10:244:${index}::/64` };
}

/** Where a light-level "pod" of a node answers: on the node's loopback, routed like a pod. */
export function podAddresses(index: number): Addresses {
  return { ipv4: `10.244.${index}.10`, ipv6: `fd00:10:244:${index}::10` };
}

/** The first addresses of a node's pods: those below are the lab's own (`podAddresses`), and a pod with one would not be reached. */
export function firstPodAddresses(index: number): Addresses {
  return { ipv4: `10.244.${index}.32`, ipv6: `fd00:10:244:${index}::32` };
}

export function nodeName(index: number): `node${number}` {
  return `node${index}`;
}

/** The number in `node2`. */
export function nodeIndex(place: Place): number | undefined {
  return place.startsWith('node') ? Number(place.slice(4)) : undefined;
}

const SHORT = { control: 'ctl', router: 'rtr', client: 'cli', lan: 'lan' } as const;

/** Name of the namespace (in /run/netns) of a place of a lab. */
export function netnsName(lab: string, place: Place): string {
  const index = nodeIndex(place);
  return `${lab}-${index === undefined ? SHORT[place as keyof typeof SHORT] : `n${index}`}`;
}

/** All places of a lab with that many nodes. */
export function places(nodes: number): readonly Place[] {
  const indexes = Array.from({ length: nodes }, (_, at) => nodeName(at + 1));
  return ['control', 'router', 'client', 'lan', ...indexes];
}

/** @throws LabError (wrong usage) for a name that cannot be part of a namespace's name. */
export function checkLabName(name: string): void {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name))
    throw new LabError(
      `"${name}" is no name for a lab: use a small letter, then up to 30 small letters, digits and dashes`,
      { exitCode: EXIT_USAGE },
    );
}
