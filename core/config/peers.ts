/** BGPPeer objects as values: rules PEER-1 to PEER-19 in the order of api.md §6.4, and PEER-23 of our own. */
import type { Ingested } from '#core/api/ingest.ts';
import { compilePassword, type SecretIndex } from '#core/config/passwords.ts';
import type { Finding } from '#core/config/problems.ts';
import { compileSelectors } from '#core/config/selectors.ts';
import { compileConnectTime, compileTimers } from '#core/config/timers.ts';
import type { BgpPeer, PeerEndpoint, RemoteAs, SecretReference } from '#core/model/config.ts';
import { parseAddress, type IpAddress } from '#core/model/ip.ts';

export type RawPeer = Ingested<'BGPPeer'>;
type Spec = NonNullable<RawPeer['spec']>;

/** What a peer without spec consists of: it fails PEER-1, PEER-2 and PEER-6. */
const EMPTY: Spec = { myASN: 0, peerPort: 179, disableMP: false, dualStackAddressFamily: false };

export interface PeerContext {
  readonly secrets: SecretIndex;
  /** Names of the BFDProfile objects, and which of them are usable. */
  readonly profiles: ReadonlyMap<string, { readonly valid: boolean }>;
}

/** Spec of a peer, also of one that has none. */
export function specOf(peer: RawPeer): Spec {
  return peer.spec ?? EMPTY;
}

/** Compiles one peer; `peer` is meaningful only without findings. */
export function compilePeer(
  object: RawPeer,
  context: PeerContext,
): { peer: BgpPeer; findings: readonly Finding[] } {
  const spec = specOf(object);
  const { name } = object.metadata;
  const timers = compileTimers(spec);
  const connect = compileConnectTime(spec.connectTime);
  const nodes = compileSelectors(
    spec.nodeSelectors,
    { duplicate: 'PEER-13', invalid: 'PEER-14' },
    'spec.nodeSelectors',
  );
  const password = compilePassword(object, context.secrets);
  const peer: BgpPeer = {
    name,
    myAsn: spec.myASN,
    remoteAs: remoteAs(spec),
    localAsn: spec.localASN,
    endpoint: endpointOf(spec),
    sourceAddress: addressOf(spec.sourceAddress),
    port: spec.peerPort,
    timers: timers.timers,
    connectTime: connect.connectTime,
    routerId: addressOf(spec.routerID),
    nodeSelectors: nodes.selectors,
    password: password.password,
    passwordSecret: referenceOf(spec),
    bfdProfile: spec.bfdProfile === '' ? undefined : spec.bfdProfile,
    gracefulRestart: spec.enableGracefulRestart ?? false,
    ebgpMultiHop: spec.ebgpMultiHop ?? false,
    vrf: spec.vrf ?? '',
    disableMP: spec.disableMP,
    dualStackAddressFamily: spec.dualStackAddressFamily,
  };
  const findings = [
    ...asnFindings(spec),
    ...endpointFindings(spec),
    ...timers.findings,
    ...connect.findings,
    ...addressFindings(spec),
    ...nodes.findings,
    ...nameFindings(spec),
    ...password.findings,
    ...profileFindings(name, spec.bfdProfile ?? '', context),
  ];
  return { peer, findings };
}

function remoteAs(spec: Spec): RemoteAs {
  return spec.dynamicASN === undefined
    ? { kind: 'asn', asn: spec.peerASN ?? 0 }
    : { kind: spec.dynamicASN };
}

function endpointOf({ peerAddress = '', interface: name = '' }: Spec): PeerEndpoint {
  const address = parseAddress(peerAddress);
  return address === undefined ? { kind: 'interface', name } : { kind: 'address', address, text: peerAddress };
}

function referenceOf({ passwordSecret }: Spec): SecretReference | undefined {
  const { name = '', namespace = '' } = passwordSecret ?? {};
  if (name === '') return undefined;
  return { name, ...(namespace === '' ? {} : { namespace }) };
}

const addressOf = (text = ''): IpAddress | undefined => parseAddress(text);

/** PEER-1, 2, 3, 5 (PEER-4 is the enum of the schema). */
function asnFindings({ myASN, peerASN = 0, dynamicASN, ebgpMultiHop }: Spec): Finding[] {
  const findings: Finding[] = [];
  if (myASN === 0)
    findings.push({
      code: 'PEER-1',
      field: 'spec.myASN',
      message: 'missing local ASN',
      remedy: 'Set myASN to the AS number of the cluster.',
    });
  if (peerASN === 0 && dynamicASN === undefined)
    findings.push({
      code: 'PEER-2',
      field: 'spec.peerASN',
      message: 'missing peer ASN and dynamicASN',
      remedy: 'Set peerASN to the AS number of the neighbour, or dynamicASN to internal or external.',
    });
  if (peerASN !== 0 && dynamicASN !== undefined)
    findings.push({
      code: 'PEER-3',
      field: 'spec.dynamicASN',
      message: 'both peerASN and dynamicASN specified',
      remedy: 'Remove one of the two.',
    });
  if (ebgpMultiHop === true && peerASN !== 0 && peerASN === myASN)
    findings.push({
      code: 'PEER-5',
      field: 'spec.ebgpMultiHop',
      message: 'invalid ebgpMultiHop: the peer is in our own AS, where it has no meaning',
      remedy: 'Remove ebgpMultiHop, or correct peerASN.',
    });
  return findings;
}

/** PEER-6, 7. */
function endpointFindings({ peerAddress = '', interface: name = '' }: Spec): Finding[] {
  if (peerAddress === '' && name === '')
    return [
      {
        code: 'PEER-6',
        field: 'spec.peerAddress',
        message: 'missing peer address or interface',
        remedy: 'Set peerAddress to the IP address of the neighbour, or interface for unnumbered peering.',
      },
    ];
  if (peerAddress !== '' && name !== '')
    return [
      {
        code: 'PEER-7',
        field: 'spec.interface',
        message: 'both peerAddress and interface specified',
        remedy: 'Remove one of the two.',
      },
    ];
  return [];
}

/** PEER-10, 11, 12. */
function addressFindings({ peerAddress = '', routerID = '', sourceAddress = '' }: Spec): Finding[] {
  const findings: Finding[] = [];
  if (peerAddress !== '' && parseAddress(peerAddress) === undefined)
    findings.push({
      code: 'PEER-10',
      field: 'spec.peerAddress',
      message: `invalid BGPPeer address ${JSON.stringify(peerAddress)}`,
      remedy: 'Write the IP address of the neighbour, without prefix length; host names are not resolved.',
    });
  if (routerID !== '' && parseAddress(routerID)?.family !== 'ipv4')
    findings.push({
      code: 'PEER-11',
      field: 'spec.routerID',
      message: `invalid router ID ${JSON.stringify(routerID)}`,
      remedy: 'Write an IPv4 address: a BGP identifier has 32 bits, also on nodes without IPv4.',
    });
  if (sourceAddress !== '' && parseAddress(sourceAddress) === undefined)
    findings.push({
      code: 'PEER-12',
      field: 'spec.sourceAddress',
      message: `invalid source address ${JSON.stringify(sourceAddress)}`,
      remedy: 'Write an IP address of the node, without prefix length.',
    });
  return findings;
}

/** A name that the kernel takes for an interface: these names become part of FRR's configuration. */
const DEVICE_NAME = /^(?!\.{1,2}$)[^\s/:\p{Cc}]{1,15}$/u;

/** PEER-23 (ours). */
function nameFindings({ interface: name = '', vrf = '' }: Spec): Finding[] {
  const bad = [
    ['spec.interface', name],
    ['spec.vrf', vrf],
  ] as const;
  return bad
    .filter(([, text]) => text !== '' && !DEVICE_NAME.test(text))
    .map(([field, text]) => ({
      code: 'PEER-23',
      field,
      message: `${JSON.stringify(text)} cannot be the name of a network device`,
      remedy: 'Write the name as `ip link` shows it: at most 15 characters, without blanks, slashes or colons.',
    }));
}

/** PEER-19. */
function profileFindings(peer: string, profile: string, { profiles }: PeerContext): Finding[] {
  if (profile === '') return [];
  const known = profiles.get(profile);
  if (known?.valid === true) return [];
  const summary = `peer ${peer} referencing non existing bfd profile ${profile}`;
  return [
    {
      code: 'PEER-19',
      field: 'spec.bfdProfile',
      message: known === undefined ? summary : `${summary}: BFDProfile ${profile} is invalid`,
      remedy:
        known === undefined
          ? `Create BFDProfile ${profile}, or correct the name.`
          : `Correct BFDProfile ${profile}.`,
      summary,
    },
  ];
}
