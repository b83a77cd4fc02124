/** What the kernel of a node must be able to do. */
import type { Check } from '#core/doctor/check.ts';
import { rangesOf } from '#core/doctor/address-checks.ts';
import { nameOf } from '#core/doctor/cluster-facts.ts';
import type { HostAndCluster } from '#core/doctor/host-facts.ts';

type HostCheck = Check<HostAndCluster>;

const SILENT = 'the kernel does not publish how it was built (/proc/config.gz, /boot)';

const packetSockets: HostCheck = {
  id: 'packet-sockets',
  fine: 'the kernel has packet sockets, for ARP and NDP',
  needs: ['packetSockets'],
  run: ({ packetSockets: has }) => {
    if (has === 'yes') return [];
    if (has === 'unknown') return { unknown: SILENT };
    return [
      {
        severity: 'error',
        object: 'host',
        field: 'AF_PACKET (CONFIG_PACKET)',
        message: 'the kernel has no packet sockets: nothing answers ARP and NDP by Layer 2 from here',
        remedy: 'modprobe af_packet, or a kernel with CONFIG_PACKET; BGP works without.',
      },
    ];
  },
};

const ipv6: HostCheck = {
  id: 'ipv6',
  fine: 'the kernel has IPv6 on, or no pool needs it',
  needs: ['ipv6', 'pools', 'sysctls'],
  run: ({ ipv6: has, pools, sysctls }) => {
    const six = rangesOf(pools).find(({ range }) => range.family === 'ipv6');
    const isOff = sysctls['ipv6/conf/all/disable_ipv6'] === '1';
    if (six === undefined || (has !== 'no' && !isOff)) return [];
    return [
      {
        severity: 'error',
        object: 'host',
        field: has === 'no' ? 'CONFIG_IPV6' : 'net.ipv6.conf.all.disable_ipv6',
        message: `IPv6 is off, and ${six.object} has the IPv6 addresses ${six.text}: this node announces none of them`,
        remedy:
          has === 'no'
            ? 'Boot with IPv6 (without ipv6.disable=1), or keep the advertisements of that pool off this node.'
            : 'sysctl -w net.ipv6.conf.all.disable_ipv6=0 (and in /etc/sysctl.d).',
      },
    ];
  },
};

const vrf: HostCheck = {
  id: 'vrf',
  fine: 'every VRF that a peer names is here',
  needs: ['peers', 'interfaces', 'vrf'],
  run: ({ peers, interfaces, vrf: has }) =>
    peers
      .filter((peer) => peer.vrf !== '' && !interfaces.some(({ name }) => name === peer.vrf))
      .map((peer) => ({
        severity: 'error',
        object: nameOf({ kind: 'BGPPeer', ...peer }),
        field: 'spec.vrf',
        message:
          has === 'no'
            ? `this kernel has no VRF devices (CONFIG_NET_VRF), so there is no VRF ${peer.vrf} here`
            : `there is no device ${peer.vrf} here`,
        remedy:
          has === 'no'
            ? 'Take a kernel with CONFIG_NET_VRF, or keep the peer off this node (spec.nodeSelectors).'
            : `ip link add ${peer.vrf} type vrf table TABLE && ip link set ${peer.vrf} up, or keep the peer off this node (spec.nodeSelectors).`,
      })),
};

const md5: HostCheck = {
  id: 'tcp-md5',
  fine: 'the kernel can sign BGP sessions (TCP MD5), or no peer has a password',
  needs: ['peers', 'tcpMd5'],
  run: ({ peers, tcpMd5: has }) => {
    const signed = peers.filter(({ hasPassword }) => hasPassword);
    if (signed.length === 0 || has === 'yes') return [];
    if (has === 'unknown') return { unknown: SILENT };
    return signed.map((peer) => ({
      severity: 'error',
      object: nameOf({ kind: 'BGPPeer', ...peer }),
      field: 'spec.password, spec.passwordSecret',
      message: 'the kernel cannot sign TCP (CONFIG_TCP_MD5SIG): the session never comes up from here',
      remedy: 'Take a kernel with CONFIG_TCP_MD5SIG, or a peer without password.',
    }));
  },
};

export const kernelChecks: readonly HostCheck[] = [packetSockets, ipv6, vrf, md5];
