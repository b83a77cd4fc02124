/**
 * Every CEL rule of the CRDs, with its text. `reference`: one of the ten of MetalLB, with what api.md §4 says of it in
 * words (the texts are ours: the reference gives words only, but for `self == oldSelf`). `ours`: added, with the rule of
 * §6 that it tells before any webhook does (docs/compatibility.md, "More CEL rules").
 */
export interface CelFact {
  readonly version: string;
  readonly path: string;
  readonly rule: string;
  readonly origin: 'reference' | 'ours';
  /** Words of the reference, or the rule of §6. */
  readonly says: string;
}

/** Kind and version, path, text, words. */
const rows: readonly (readonly [string, string, string, CelFact['origin'], string])[] = [
  [
    'BGPAdvertisement v1beta1',
    'spec',
    '!has(self.serviceSelectors) || size(self.serviceSelectors) == 0 || ((!has(self.aggregationLength) || self.aggregationLength == 32) && (!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))',
    'reference',
    'no serviceSelectors, or both lengths absent or full; ADB-7 in the message',
  ],
  ['BGPAdvertisement v1beta1', 'spec.aggregationLength', 'self <= 32', 'ours', 'ADB-9'],
  ['BGPAdvertisement v1beta1', 'spec.aggregationLengthV6', 'self <= 128', 'ours', 'ADB-10'],
  [
    'BGPAdvertisement v1beta1',
    'spec.localPref',
    'self >= 0 && self <= 4294967295',
    'ours',
    'what does not decode there',
  ],
  [
    'BGPPeer v1beta1',
    'spec.routerID',
    "self == '' || self.lowerAscii().contains('ffff:') || (isIP(self) && ip(self).family() == 4)",
    'ours',
    'PEER-11, IPv4 only',
  ],
  [
    'BGPPeer v1beta1',
    'spec.sourceAddress',
    "self == '' || self.lowerAscii().contains('ffff:') || isIP(self)",
    'ours',
    'PEER-12',
  ],
  [
    'BGPPeer v1beta2',
    'spec',
    '!has(self.dynamicASN) || !has(self.peerASN) || self.peerASN == 0',
    'ours',
    'PEER-3',
  ],
  [
    'BGPPeer v1beta2',
    'spec',
    "!has(self.peerAddress) || !has(self.interface) || self.peerAddress == '' || self.interface == ''",
    'ours',
    'PEER-7',
  ],
  [
    'BGPPeer v1beta2',
    'spec',
    '!has(self.holdTime) || !has(self.keepaliveTime) || duration(self.keepaliveTime) <= duration(self.holdTime)',
    'ours',
    'PEER-9',
  ],
  [
    'BGPPeer v1beta2',
    'spec',
    "!has(self.password) || self.password == '' || !has(self.passwordSecret) || !has(self.passwordSecret.name) || self.passwordSecret.name == ''",
    'ours',
    'PEER-15',
  ],
  [
    'BGPPeer v1beta2',
    'spec.connectTime',
    'duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535',
    'reference',
    'whole-second count 1 to 65535',
  ],
  [
    'BGPPeer v1beta2',
    'spec.connectTime',
    'duration(self).getMilliseconds() % 1000 == 0',
    'reference',
    'millisecond count a multiple of 1000',
  ],
  [
    'BGPPeer v1beta2',
    'spec.enableGracefulRestart',
    'self == oldSelf',
    'reference',
    'enableGracefulRestart equals its previous value, when both have it',
  ],
  [
    'BGPPeer v1beta2',
    'spec.holdTime',
    "duration(self) >= duration('0s') && (duration(self).getSeconds() == 0 || duration(self).getSeconds() >= 3)",
    'ours',
    'PEER-8',
  ],
  [
    'BGPPeer v1beta2',
    'spec.keepaliveTime',
    "duration(self) >= duration('0s')",
    'ours',
    'PEER-8, PEER-9: negative',
  ],
  [
    'BGPPeer v1beta2',
    'spec.routerID',
    "self == '' || self.lowerAscii().contains('ffff:') || (isIP(self) && ip(self).family() == 4)",
    'ours',
    'PEER-11, IPv4 only',
  ],
  [
    'BGPPeer v1beta2',
    'spec.sourceAddress',
    "self == '' || self.lowerAscii().contains('ffff:') || isIP(self)",
    'ours',
    'PEER-12',
  ],
  [
    'IPAddressPool v1beta1',
    'spec.addresses[]',
    "self.contains('-') || self.contains('/0') || isCIDR(self) || self.lowerAscii().contains('ffff:')",
    'ours',
    'POOL-3',
  ],
  [
    'IPAddressPool v1beta1',
    'spec.addresses[]',
    "!self.contains('-') || self.lowerAscii().contains('ffff:') || (isIP(self.substring(0, self.indexOf('-')).trim()) && isIP(self.substring(self.indexOf('-') + 1).trim()))",
    'ours',
    'POOL-4',
  ],
  [
    'IPAddressPool v1beta1',
    'spec.addresses[]',
    "!self.contains('-') || self.lowerAscii().contains('ffff:') || !(isIP(self.substring(0, self.indexOf('-')).trim()) && isIP(self.substring(self.indexOf('-') + 1).trim())) || ip(self.substring(0, self.indexOf('-')).trim()).family() == ip(self.substring(self.indexOf('-') + 1).trim()).family()",
    'ours',
    'POOL-4, families',
  ],
  [
    'IPAddressPool v1beta1',
    'spec.excludedAddresses[]',
    "self.lowerAscii().contains('ffff:') || (self.contains('-') && isIP(self.substring(0, self.indexOf('-')).trim()) && isIP(self.substring(self.indexOf('-') + 1).trim()) && ip(self.substring(0, self.indexOf('-')).trim()).family() == ip(self.substring(self.indexOf('-') + 1).trim()).family()) || self.contains('/0') || isCIDR(self) || isIP(self)",
    'ours',
    'POOL-14',
  ],
  [
    'MetalLB v1beta1',
    'spec.bgpBackend',
    "self in ['', 'native', 'frr', 'frr-k8s', 'frr-k8s-external']",
    'ours',
    'MLB-7',
  ],
  [
    'MetalLB v1beta1',
    'spec.controllerTolerations[]',
    "!has(self.tolerationSeconds) || self.tolerationSeconds <= 0 || (has(self.effect) && self.effect == 'NoExecute')",
    'ours',
    'MLB-1',
  ],
  [
    'MetalLB v1beta1',
    'spec.speakerTolerations[]',
    "!has(self.tolerationSeconds) || self.tolerationSeconds <= 0 || (has(self.effect) && self.effect == 'NoExecute')",
    'ours',
    'MLB-2',
  ],
  [
    'MetalLB v1beta1',
    'spec.frrk8sConfig.alwaysBlock[]',
    "isCIDR(self.trim()) || self.contains('/0') || self.lowerAscii().contains('ffff:')",
    'ours',
    'MLB-9',
  ],
  ['ServiceBGPStatus v1beta1', 'status.node', 'self == oldSelf', 'reference', 'immutable'],
  ['ServiceBGPStatus v1beta1', 'status.serviceName', 'self == oldSelf', 'reference', 'immutable'],
  ['ServiceBGPStatus v1beta1', 'status.serviceNamespace', 'self == oldSelf', 'reference', 'immutable'],
  ['ServiceL2Status v1beta1', 'status.node', 'self == oldSelf', 'reference', 'immutable'],
  ['ServiceL2Status v1beta1', 'status.serviceName', 'self == oldSelf', 'reference', 'immutable'],
  ['ServiceL2Status v1beta1', 'status.serviceNamespace', 'self == oldSelf', 'reference', 'immutable'],
];

export const celFacts: readonly CelFact[] = rows.map(([version, path, rule, origin, says]) => ({
  version,
  path,
  rule,
  origin,
  says,
}));
