/** Reads what the checks of a node look at, from /proc of this machine and its network namespace. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces, release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import type { Gathered } from '#core/doctor/check.ts';
import type { Has, HostFacts, InterfaceFact, ProgramFact, SocketFact } from '#core/doctor/host-facts.ts';
import {
  kernelOption,
  parseDevices,
  parseGateways,
  parseGateways6,
  parseSockets,
  type TableSocket,
} from '#cli/doctor/proc.ts';

/** Names of programs that speak BGP. FRR's and OpenBGPD's have one name. */
const BGP_DAEMONS: ReadonlySet<string> = new Set([
  'bgpd',
  'bird',
  'bird6',
  'gobgpd',
  'exabgp',
  'kube-router',
]);

interface Process extends ProgramFact {
  readonly commandLine: string;
  readonly inodes: ReadonlySet<string>;
}

/** Whatever cannot be read counts as absent, but for the kernel's options, which then are unknown. */
export function gatherHost(): Gathered<HostFacts> {
  const processes = processesHere();
  const interfaces = readInterfaces();
  const config = kernelConfig();
  const has = (option: string): Has => {
    const value = kernelOption(config, option);
    return value === undefined ? 'unknown' : value === 'n' ? 'no' : 'yes';
  };
  return values({
    sockets: readSockets(processes),
    daemons: processes
      .filter(({ name }) => BGP_DAEMONS.has(name))
      .map(({ name, pid, inContainer }) => ({ name, pid, inContainer })),
    interfaces,
    gateways: [
      ...parseGateways(text('/proc/net/route') ?? ''),
      ...parseGateways6(text('/proc/net/ipv6_route') ?? ''),
    ],
    sysctls: readSysctls(interfaces),
    packetSockets: existsSync('/proc/net/packet') ? 'yes' : has('CONFIG_PACKET'),
    ipv6: existsSync('/proc/net/if_inet6') ? 'yes' : 'no',
    vrf: has('CONFIG_NET_VRF'),
    tcpMd5: has('CONFIG_TCP_MD5SIG'),
  });
}

function values(facts: HostFacts): Gathered<HostFacts> {
  const entries = Object.entries(facts).map(([name, value]) => [name, { value }]);
  return Object.fromEntries(entries) as Gathered<HostFacts>;
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** Processes in our network namespace, as far as we may see them. */
function processesHere(): Process[] {
  const [here, root] = [link('/proc/self/ns/net'), link('/proc/1/ns/mnt')];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && link(`/proc/${name}/ns/net`) === here)
    .map((pid) => ({
      pid: Number(pid),
      name: (text(`/proc/${pid}/comm`) ?? '').trim(),
      commandLine: (text(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim(),
      inContainer: root !== '' && link(`/proc/${pid}/ns/mnt`) !== root,
      inodes: socketsOf(pid),
    }));
}

function socketsOf(pid: string): Set<string> {
  let files: string[] = [];
  try {
    files = readdirSync(`/proc/${pid}/fd`);
  } catch {
    // Gone, or not ours to see.
  }
  const links = files.map((file) => /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${file}`))?.[1]);
  return new Set(links.filter((inode) => inode !== undefined));
}

function readSockets(processes: readonly Process[]): SocketFact[] {
  const table = (protocol: TableSocket['protocol'], name: string) =>
    parseSockets(protocol, text(`/proc/net/${name}`) ?? '');
  const sockets = [
    ...table('TCP', 'tcp'),
    ...table('TCP', 'tcp6'),
    ...table('UDP', 'udp'),
    ...table('UDP', 'udp6'),
  ].map(({ protocol, port, inode }): SocketFact => {
    const holder = processes.find(({ inodes }) => inodes.has(inode));
    const program = holder === undefined ? '' : holder.commandLine || holder.name;
    return { protocol, port, program, inContainer: holder?.inContainer ?? false };
  });
  // A program that listens on IPv4 and IPv6 is told once.
  return [...new Map(sockets.map((socket) => [JSON.stringify(socket), socket])).values()];
}

function readInterfaces(): InterfaceFact[] {
  const addressed = networkInterfaces();
  const names = new Set([...parseDevices(text('/proc/net/dev') ?? ''), ...Object.keys(addressed)]);
  return [...names].map((name) => ({
    name,
    addresses: (addressed[name] ?? []).map(({ address }) => address),
  }));
}

function readSysctls(interfaces: readonly InterfaceFact[]): Record<string, string> {
  const paths = [
    'ipv4/ip_forward',
    'ipv6/conf/all/forwarding',
    'ipv6/conf/all/disable_ipv6',
    'ipv4/conf/all/arp_ignore',
    'ipv4/conf/all/rp_filter',
    ...interfaces.map(({ name }) => `ipv4/conf/${name}/rp_filter`),
  ];
  const read = paths.map((path) => [path, text(`/proc/sys/net/${path}`)?.trim()] as const);
  return Object.fromEntries(read.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** How the kernel was built, where it says so. */
function kernelConfig(): string | undefined {
  try {
    return gunzipSync(readFileSync('/proc/config.gz')).toString('utf8');
  } catch {
    return text(`/boot/config-${release()}`);
  }
}
