/** Tables of /proc/net as values. */
import { formatAddress } from '#core/model/ip.ts';

export interface TableSocket {
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
  readonly inode: string;
}

const LISTEN = '0A';

/** Listening sockets of a table `tcp` or `tcp6`, and sockets of `udp` or `udp6` that are bound and connected to nobody. */
export function parseSockets(protocol: 'TCP' | 'UDP', table: string): TableSocket[] {
  return rows(table).flatMap((columns) => {
    const [, local = '', remote = '', state = ''] = columns;
    const inode = columns[9] ?? '';
    const open = protocol === 'TCP' ? state === LISTEN : /^0+:0000$/.test(remote);
    const port = Number.parseInt(local.split(':')[1] ?? '', 16);
    return open && port > 0 ? [{ protocol, port, inode }] : [];
  });
}

/** Next hops of the default routes in /proc/net/route. */
export function parseGateways(table: string): string[] {
  return rows(table).flatMap(([, destination, gateway = '']) => {
    if (destination !== '00000000' || gateway === '00000000') return [];
    const bytes = gateway.match(/../g)?.toReversed().join('') ?? '';
    return [formatAddress({ family: 'ipv4', value: BigInt(`0x${bytes}`) })];
  });
}

/** Next hops of the default routes in /proc/net/ipv6_route, which has no heading. */
export function parseGateways6(table: string): string[] {
  return lines(table).flatMap((columns) => {
    const [destination = '', length, , , gateway = ''] = columns;
    if (/[^0]/.test(destination) || length !== '00' || !/[^0]/.test(gateway)) return [];
    return [formatAddress({ family: 'ipv6', value: BigInt(`0x${gateway}`) })];
  });
}

/** Names of all network devices in /proc/net/dev. */
export function parseDevices(table: string): string[] {
  return [...table.matchAll(/^\s*([^\s:|]+):/gm)].map(([, name = '']) => name);
}

/** `y`, `m`, or `n` of a kernel's option; undefined when the text is not there. */
export function kernelOption(config: string | undefined, option: string): 'y' | 'm' | 'n' | undefined {
  if (config === undefined) return undefined;
  const value = new RegExp(`^${option}=([ym])$`, 'm').exec(config)?.[1];
  return value === 'y' || value === 'm' ? value : 'n';
}

const rows = (table: string): string[][] => lines(table).slice(1);

function lines(table: string): string[][] {
  return table
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
}
