/** The checks of a node, on the node itself. What the cluster says makes them sharper, where it is known. */
import { holding, rangesOf } from '#core/doctor/address-checks.ts';
import type { Check, Finding } from '#core/doctor/check.ts';
import type { HostAndCluster, SocketFact } from '#core/doctor/host-facts.ts';
import { kernelChecks } from '#core/doctor/kernel-checks.ts';
import { formerPorts, speakerPorts } from '#core/doctor/neighbour-checks.ts';

type HostCheck = Check<HostAndCluster>;

/** Command lines of speakers: ours, from an image or from the source, and the original's. */
const SPEAKER = /(^|\/)speaker(\.[cm]?[jt]s)?(\s|$)|speaker\/main\.ts/;

const ports: HostCheck = {
  id: 'host-ports',
  fine: "nobody but a speaker has a speaker's ports",
  needs: ['sockets'],
  run: ({ sockets }) => [
    ...speakerPorts.flatMap(({ port, protocol, use, change }) =>
      sockets
        .filter((socket) => socket.port === port && socket.protocol === protocol && !isOfSpeaker(socket))
        .map((socket): Finding => ({
          severity: 'error',
          object: 'host',
          field: `${protocol} port ${port}`,
          message: `${holderOf(socket)} has it, and the speaker needs it for ${use}`,
          remedy: `End that program, or give one of the two another port: ${change}.`,
        })),
    ),
    ...sockets
      .filter(({ port, program }) => formerPorts.has(port) && SPEAKER.test(program))
      .map((socket): Finding => ({
        severity: 'error',
        object: 'host',
        field: `${socket.protocol} port ${socket.port}`,
        message: `${holderOf(socket)} has this port, which speakers of another MetalLB take`,
        remedy: 'Take that MetalLB over with metallb migrate, or remove it.',
      })),
  ],
};

/** A speaker, or the FRR that comes with it in the pod. */
function isOfSpeaker({ program, inContainer }: SocketFact): boolean {
  return SPEAKER.test(program) || (inContainer && /(^|\/)bfdd(\s|$)/.test(program));
}

function holderOf({ program, inContainer }: SocketFact): string {
  if (program === '') return 'a program that could not be found out (run as root)';
  return `${program.slice(0, 80)}${inContainer ? ' (in a container)' : ''}`;
}

const bgp: HostCheck = {
  id: 'host-bgp',
  fine: 'no other BGP daemon runs here',
  needs: ['daemons', 'sockets'],
  run: ({ daemons, sockets }) => {
    // One FRR in a container is the speaker's own.
    const contained = daemons.filter(({ name, inContainer }) => inContainer && name === 'bgpd');
    const foreign = [
      ...daemons.filter(({ name, inContainer }) => !(inContainer && name === 'bgpd')),
      ...contained.slice(1),
    ];
    const told = foreign.map(({ name, pid, inContainer }): Finding => ({
      severity: 'warning',
      object: 'host',
      field: `process ${pid}`,
      message: `${name}${inContainer ? ' (in a container)' : ''} speaks BGP here: a router takes one session per pair of addresses, so the two break each other's`,
      remedy:
        'Let only one of the two peer with a router, or give them different source addresses, routers or VRFs; with frr-k8s: spec.bgpBackend frr-k8s-external.',
    }));
    const listener = sockets.find(({ port, protocol }) => port === 179 && protocol === 'TCP');
    if (listener === undefined || told.length > 0) return told;
    return [
      {
        severity: 'warning',
        object: 'host',
        field: 'TCP port 179',
        message: `${holderOf(listener)} takes BGP sessions here; ours are opened by the speaker, which does not listen`,
        remedy: 'See that it does not peer with the same routers.',
      },
    ];
  },
};

/** Interfaces that a packet can come in by and a reply leave by another: those of the machine with an address, but lo. */
function isOfMachine(name: string): boolean {
  return !/^(lo$|veth|cni|docker|cali|cilium|lxc|flannel|kube-|nodelocaldns|tunl|vxlan)/.test(name);
}

const rpFilter: HostCheck = {
  id: 'rp_filter',
  fine: 'the reverse path filter is not strict where it matters',
  needs: ['sysctls', 'interfaces'],
  run: ({ sysctls, interfaces }) => {
    const several = interfaces.filter(
      ({ name, addresses }) => isOfMachine(name) && addresses.some((address) => !address.startsWith('fe80:')),
    );
    if (several.length < 2) return [];
    const all = Number(sysctls['ipv4/conf/all/rp_filter'] ?? 0);
    return several
      .filter(({ name }) => Math.max(all, Number(sysctls[`ipv4/conf/${name}/rp_filter`] ?? 0)) === 1)
      .map(({ name }) => ({
        severity: 'warning',
        object: 'host',
        field: `net.ipv4.conf.${name}.rp_filter`,
        message: `strict: of ${several.length} interfaces, what comes in by ${name} is dropped when the route back leaves by another one`,
        remedy: `Loose is enough: sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.${name}.rp_filter=2 (and in /etc/sysctl.d), or routes back by rule.`,
      }));
  },
};

const arp: HostCheck = {
  id: 'strict-arp',
  fine: 'the kernel answers ARP for no address of a Service',
  needs: ['sysctls', 'interfaces'],
  run: ({ sysctls, interfaces, proxy }) => {
    const isIpvs = proxy.mode === 'ipvs' || interfaces.some(({ name }) => name === 'kube-ipvs0');
    if (!isIpvs || Number(sysctls['ipv4/conf/all/arp_ignore'] ?? 0) >= 1) return [];
    return [
      {
        severity: 'error',
        object: 'host',
        field: 'net.ipv4.conf.all.arp_ignore',
        message:
          'kube-proxy keeps addresses of Services on kube-ipvs0 and the kernel answers ARP for them: clients reach whichever node was quicker',
        remedy: 'Set ipvs.strictARP of kube-proxy to true; it sets arp_ignore to 1 and arp_announce to 2.',
      },
    ];
  },
};

const forwarding: HostCheck = {
  id: 'forwarding',
  fine: 'the node forwards packets',
  needs: ['sysctls', 'ipv6'],
  run: ({ sysctls, ipv6, pools }) => {
    const wantsIpv6 = ipv6 === 'yes' && rangesOf(pools).some(({ range }) => range.family === 'ipv6');
    const off = [
      ...(sysctls['ipv4/ip_forward'] === '0' ? ['ipv4/ip_forward'] : []),
      ...(wantsIpv6 && sysctls['ipv6/conf/all/forwarding'] === '0' ? ['ipv6/conf/all/forwarding'] : []),
    ].map((path) => `net.${path.replaceAll('/', '.')}`);
    return off.map((field) => ({
      severity: 'error',
      object: 'host',
      field,
      message: 'off: packets for Services are not passed on to their pods',
      remedy: `sysctl -w ${field}=1 (and in /etc/sysctl.d).`,
    }));
  },
};

const inPools: HostCheck = {
  id: 'pools-and-host',
  fine: 'no pool holds an address of this machine or its gateway',
  needs: ['pools', 'interfaces', 'gateways'],
  run: ({ pools, interfaces, gateways }) => {
    const ranges = rangesOf(pools);
    const own = interfaces
      // kube-proxy in mode ipvs keeps the addresses of Services there.
      .filter(({ name }) => name !== 'kube-ipvs0')
      .flatMap(({ name, addresses }) => addresses.map((address) => [address, `interface ${name}`] as const));
    const hops = gateways.map((address) => [address, 'the gateway'] as const);
    return [...own, ...hops].flatMap(([address, whose]) =>
      holding(ranges, address, (text) => ({
        message: `${text} holds ${address}, the address of ${whose}: a Service that gets it takes it over`,
        remedy: `Take ${address} out: spec.excludedAddresses, or other ranges.`,
      })),
    );
  },
};

/** All of them, in the order in which they are told. */
export const hostChecks: readonly HostCheck[] = [
  ports,
  bgp,
  rpFilter,
  arp,
  forwarding,
  inPools,
  ...kernelChecks,
];

/** Those that say something without a cluster. */
export const hostOnlyChecks: readonly HostCheck[] = hostChecks.filter(
  ({ needs }) => !needs.includes('pools') && !needs.includes('peers'),
);
