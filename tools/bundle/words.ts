/** Field names as words for people: `peerASN` → `Peer ASN`, `ipAddressPools` → `IP Address Pools`. */

/** How names are written that are not plain words. */
const spelling: Readonly<Record<string, string>> = {
  asn: 'ASN',
  bfd: 'BFD',
  bgp: 'BGP',
  ebgp: 'eBGP',
  frrk8s: 'frr-k8s',
  id: 'ID',
  ip: 'IP',
  ipv4: 'IPv4',
  ipv6: 'IPv6',
  ips: 'IPs',
  l2: 'L2',
  med: 'MED',
  mp: 'MP',
  ttl: 'TTL',
  v6: 'IPv6',
  vrf: 'VRF',
};

export function words(field: string): string {
  const parts = field
    .replaceAll(/([a-z])(IPv[46])/g, '$1 $2')
    .replaceAll(/(?<!IP)([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])(?!\d)/g, '$1 $2')
    .replaceAll('I Ps', 'IPs')
    .split(' ');
  return parts
    .map((part) => spelling[part.toLowerCase()] ?? part.charAt(0).toUpperCase() + part.slice(1))
    .join(' ');
}
