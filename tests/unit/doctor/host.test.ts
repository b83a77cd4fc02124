/** Every finding about a machine: a sound one, with one thing broken; and the tables of /proc. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kernelOption, parseDevices, parseGateways, parseGateways6, parseSockets } from '#cli/doctor/proc.ts';
import { examine, type Result } from '#core/doctor/check.ts';
import { clusterChecks } from '#core/doctor/cluster-checks.ts';
import { hostChecks, hostOnlyChecks } from '#core/doctor/host-checks.ts';
import type { HostAndCluster } from '#core/doctor/host-facts.ts';
import { expectFinding, gathered, type Case } from './cases.ts';
import { soundHost as sound } from './sound.ts';

const look = (facts: Partial<HostAndCluster>): Result[] =>
  examine(hostChecks, gathered({ ...sound, ...facts }), sound);
const sysctl = (path: string, value: string) => ({ sysctls: { ...sound.sysctls, [path]: value } });
const POOL = 'IPAddressPool metallb-system/lan';
const PEER = 'BGPPeer metallb-system/router';

const cases: readonly Case<HostAndCluster>[] = [
  {
    check: 'host-ports',
    what: 'a program on the port of the heartbeats',
    broken: { sockets: [{ protocol: 'UDP', port: 7946, program: '/usr/bin/dockerd', inContainer: false }] },
    finds: ['error', 'host', 'UDP port 7946'],
    words: /^\/usr\/bin\/dockerd has it, and the speaker needs it for heartbeats/,
    remedy: /MEMBER_LIST_BIND_PORT/,
  },
  {
    check: 'host-ports',
    what: 'BFD of an FRR of the machine',
    broken: { sockets: [{ protocol: 'UDP', port: 3784, program: '/usr/lib/frr/bfdd', inContainer: false }] },
    finds: ['error', 'host', 'UDP port 3784'],
    words: /bfdd has it, .* BFD/,
    remedy: /without BFD profiles/,
  },
  {
    check: 'host-ports',
    what: 'a speaker of another MetalLB',
    broken: {
      sockets: [{ protocol: 'TCP', port: 7472, program: '/speaker --port=7472', inContainer: true }],
    },
    finds: ['error', 'host', 'TCP port 7472'],
    words: /speakers of another MetalLB/,
    remedy: /metallb migrate/,
  },
  {
    check: 'host-bgp',
    what: 'BIRD on the machine',
    broken: { daemons: [...sound.daemons, { name: 'bird', pid: 77, inContainer: false }] },
    finds: ['warning', 'host', 'process 77'],
    words: /^bird speaks BGP here/,
    remedy: /different source addresses/,
  },
  {
    check: 'host-bgp',
    what: 'a second FRR in a container',
    broken: { daemons: [...sound.daemons, { name: 'bgpd', pid: 78, inContainer: true }] },
    finds: ['warning', 'host', 'process 78'],
    words: /^bgpd \(in a container\)/,
    remedy: /frr-k8s-external/,
  },
  {
    check: 'host-bgp',
    what: 'something on port 179',
    broken: { sockets: [{ protocol: 'TCP', port: 179, program: '', inContainer: false }] },
    finds: ['warning', 'host', 'TCP port 179'],
    words: /could not be found out \(run as root\) takes BGP sessions/,
    remedy: /same routers/,
  },
  {
    check: 'rp_filter',
    what: 'a strict filter on one of two interfaces',
    broken: sysctl('ipv4/conf/eth1/rp_filter', '1'),
    finds: ['warning', 'host', 'net.ipv4.conf.eth1.rp_filter'],
    words: /strict: of 2 interfaces/,
    remedy: /rp_filter=2/,
  },
  {
    check: 'strict-arp',
    what: 'ipvs and a kernel that answers for everything',
    broken: sysctl('ipv4/conf/all/arp_ignore', '0'),
    finds: ['error', 'host', 'net.ipv4.conf.all.arp_ignore'],
    words: /kube-ipvs0/,
    remedy: /strictARP/,
  },
  {
    check: 'forwarding',
    what: 'no forwarding of IPv4',
    broken: sysctl('ipv4/ip_forward', '0'),
    finds: ['error', 'host', 'net.ipv4.ip_forward'],
    words: /not passed on/,
    remedy: /net\.ipv4\.ip_forward=1/,
  },
  {
    check: 'forwarding',
    what: 'no forwarding of IPv6, which a pool has',
    broken: sysctl('ipv6/conf/all/forwarding', '0'),
    finds: ['error', 'host', 'net.ipv6.conf.all.forwarding'],
    words: /not passed on/,
    remedy: /net\.ipv6\.conf\.all\.forwarding=1/,
  },
  {
    check: 'pools-and-host',
    what: 'a pool with the gateway',
    broken: { gateways: ['192.0.2.254'] },
    finds: ['error', POOL, 'spec.addresses[0]'],
    words: /192\.0\.2\.254, the address of the gateway/,
    remedy: /excludedAddresses/,
  },
  {
    check: 'pools-and-host',
    what: 'a pool with an address of an interface',
    broken: { interfaces: [...sound.interfaces, { name: 'eth2', addresses: ['192.0.2.7'] }] },
    finds: ['error', POOL, 'spec.addresses[0]'],
    words: /192\.0\.2\.7, the address of interface eth2/,
    remedy: /excludedAddresses/,
  },
  {
    check: 'packet-sockets',
    what: 'a kernel without packet sockets',
    broken: { packetSockets: 'no' },
    finds: ['error', 'host', 'AF_PACKET (CONFIG_PACKET)'],
    words: /no packet sockets/,
    remedy: /modprobe af_packet/,
  },
  {
    check: 'ipv6',
    what: 'a kernel without IPv6, and a pool that has it',
    broken: { ipv6: 'no' },
    finds: ['error', 'host', 'CONFIG_IPV6'],
    words: /2001:db8::\/120/,
    remedy: /ipv6\.disable=1/,
  },
  {
    check: 'ipv6',
    what: 'IPv6 that is switched off',
    broken: sysctl('ipv6/conf/all/disable_ipv6', '1'),
    finds: ['error', 'host', 'net.ipv6.conf.all.disable_ipv6'],
    words: /IPv6 is off/,
    remedy: /disable_ipv6=0/,
  },
  {
    check: 'vrf',
    what: 'a VRF that is not there, and a kernel that has none',
    broken: { interfaces: sound.interfaces.filter(({ name }) => name !== 'red') },
    finds: ['error', PEER, 'spec.vrf'],
    words: /no VRF devices/,
    remedy: /spec\.nodeSelectors/,
  },
  {
    check: 'vrf',
    what: 'a VRF that is not there',
    broken: { interfaces: sound.interfaces.filter(({ name }) => name !== 'red'), vrf: 'yes' },
    finds: ['error', PEER, 'spec.vrf'],
    words: /no device red here/,
    remedy: /ip link add red type vrf/,
  },
  {
    check: 'tcp-md5',
    what: 'a password, and a kernel that cannot sign',
    broken: { tcpMd5: 'no' },
    finds: ['error', PEER, 'spec.password, spec.passwordSecret'],
    words: /cannot sign TCP/,
    remedy: /CONFIG_TCP_MD5SIG/,
  },
];

describe('metallb doctor, host', () => {
  it('finds nothing wrong with a sound machine', () => {
    expect(look({}).filter(({ outcome }) => outcome !== 'fine')).toEqual([]);
  });

  it.each(cases)('$check: $what', (wanted) => expectFinding(look(wanted.broken), wanted));

  it('has a case for every check', () => {
    const covered = new Set(cases.map(({ check }) => check));
    expect(hostChecks.map(({ id }) => id).filter((id) => !covered.has(id))).toEqual([]);
  });

  it('a kernel that does not tell how it was built is no kernel that cannot', () => {
    const unknown = look({ tcpMd5: 'unknown', packetSockets: 'unknown' });
    expect(unknown.filter(({ outcome }) => outcome === 'unknown').map(({ id }) => id)).toEqual([
      'packet-sockets',
      'tcp-md5',
    ]);
  });

  it('without a cluster nothing is said about its objects', () => {
    const ids = hostOnlyChecks.map(({ id }) => id);
    expect(ids).toContain('host-ports');
    expect(ids).not.toContain('pools-and-host');
    expect(ids).not.toContain('tcp-md5');
  });

  it('one interface cannot be left by another: its strict filter is fine', () => {
    const interfaces = sound.interfaces.filter(({ name }) => name !== 'eth1');
    const results = look({ interfaces, ...sysctl('ipv4/conf/all/rp_filter', '1') });
    expect(results.filter(({ outcome }) => outcome !== 'fine')).toEqual([]);
  });
});

it('docs/doctor.md tells of every check', () => {
  const documented = new Set(
    [...readFileSync('docs/doctor.md', 'utf8').matchAll(/`([\w-]+)`/g)].map(([, id]) => id),
  );
  const ids = [...clusterChecks, ...hostChecks].map(({ id }) => id);
  expect(ids.filter((id) => !documented.has(id))).toEqual([]);
});

describe('tables of /proc/net', () => {
  it('sockets: those that listen, and those of UDP that are connected to nobody', () => {
    const heading =
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
    const rest = '00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0';
    const tcp = `${heading}   0: 0100007F:1F0A 00000000:0000 0A ${rest}\n   1: 0100007F:1F0A 0100007F:C001 01 ${rest}\n`;
    expect(parseSockets('TCP', tcp)).toEqual([{ protocol: 'TCP', port: 7946, inode: '4711' }]);
    const udp = `${heading}   0: 00000000:1F0A 00000000:0000 07 ${rest}\n   1: 0100007F:0035 0100007F:C001 01 ${rest}\n`;
    expect(parseSockets('UDP', udp)).toEqual([{ protocol: 'UDP', port: 7946, inode: '4711' }]);
  });

  it('gateways of both families', () => {
    const four =
      'Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\neth0 00000000 FE02000A 0003 0 0 0 00000000 0 0 0\neth0 0002000A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n';
    expect(parseGateways(four)).toEqual(['10.0.2.254']);
    const zero = '0'.repeat(32);
    const six = `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 1 0 00000003 eth0\n${zero} 00 ${zero} 00 ${zero} ffffffff 1 0 00200200 lo\n`;
    expect(parseGateways6(six)).toEqual(['fe80::1']);
  });

  it('devices, with and without addresses', () => {
    const dev =
      'Inter-|   Receive | Transmit\n face |bytes packets|bytes packets\n    lo: 0 0 0\n  red: 0 0 0\neth0.7: 12 1\n';
    expect(parseDevices(dev)).toEqual(['lo', 'red', 'eth0.7']);
  });

  it('options of the kernel', () => {
    const config = 'CONFIG_NET_VRF=m\nCONFIG_PACKET=y\n# CONFIG_TCP_MD5SIG is not set\n';
    expect(kernelOption(config, 'CONFIG_NET_VRF')).toBe('m');
    expect(kernelOption(config, 'CONFIG_PACKET')).toBe('y');
    expect(kernelOption(config, 'CONFIG_TCP_MD5SIG')).toBe('n');
    expect(kernelOption(undefined, 'CONFIG_PACKET')).toBeUndefined();
  });
});
