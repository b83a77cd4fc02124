/** BGPAdvertisement objects as values: rules ADB-1 to ADB-15 in the order of api.md §6.7. */
import { MAX_ATTRIBUTE } from '#core/api/bgp-advertisement.ts';
import type { Ingested } from '#core/api/ingest.ts';
import { compareCommunities, parseCommunity, type Aliases } from '#core/config/communities.ts';
import { reachedPools, type PoolIndex } from '#core/config/pool-targets.ts';
import { duplicates, type Finding } from '#core/config/problems.ts';
import { compileSelectors } from '#core/config/selectors.ts';
import type { BgpAdvertisement, BgpCommunity } from '#core/model/config.ts';

export type RawBgpAdvertisement = Ingested<'BGPAdvertisement'>;
type Spec = NonNullable<RawBgpAdvertisement['spec']>;

/** Without spec the schema gives no defaults. */
const EMPTY: Spec = { aggregationLength: 32, aggregationLengthV6: 128 };

/** Compiles one advertisement; `advertisement` is meaningful only without findings. */
export function compileBgpAdvertisement(
  { metadata, spec = EMPTY }: RawBgpAdvertisement,
  pools: PoolIndex,
  aliases: Aliases,
): { advertisement: BgpAdvertisement; findings: Finding[] } {
  const named = spec.ipAddressPools ?? [];
  const peers = spec.peers ?? [];
  const rules = (duplicate: string, invalid: string) => ({ duplicate, invalid });
  const byLabel = compileSelectors(
    spec.ipAddressPoolSelectors,
    rules('ADB-4', 'ADB-15'),
    'spec.ipAddressPoolSelectors',
  );
  const nodes = compileSelectors(spec.nodeSelectors, rules('ADB-5', 'ADB-13'), 'spec.nodeSelectors');
  const services = compileSelectors(
    spec.serviceSelectors,
    rules('ADB-6', 'ADB-14'),
    'spec.serviceSelectors',
  );
  const communities = compileCommunities(spec.communities ?? [], aliases);
  const advertisement: BgpAdvertisement = {
    name: metadata.name,
    pools: reachedPools(named, byLabel.selectors, pools),
    nodeSelectors: nodes.selectors,
    peers: [...peers].sort(),
    serviceSelectors: services.selectors,
    aggregationLength: spec.aggregationLength,
    aggregationLengthV6: spec.aggregationLengthV6,
    localPref: spec.localPref ?? 0,
    med: spec.med ?? 0,
    asPathPrepend: spec.asPathPrepend ?? 0,
    weightByEndpoints: spec.weightByEndpoints ?? false,
    communities: communities.values,
  };
  const findings = [
    ...duplicates(named, 'ADB-1', 'spec.ipAddressPools'),
    ...duplicates(spec.communities ?? [], 'ADB-2', 'spec.communities'),
    ...duplicates(peers, 'ADB-3', 'spec.peers'),
    ...byLabel.findings,
    ...nodes.findings,
    ...services.findings,
    ...lengthFindings(spec),
    ...communities.findings,
  ];
  return { advertisement, findings };
}

/** ADB-7 to ADB-10, and a localPref that no router can carry (32 bits, RFC 4271 §5.1.5). */
function lengthFindings(spec: Spec): Finding[] {
  const findings: Finding[] = [];
  const lengths = [
    { field: 'aggregationLength', length: spec.aggregationLength, full: 32, exclusive: 'ADB-7', range: 'ADB-9' },
    { field: 'aggregationLengthV6', length: spec.aggregationLengthV6, full: 128, exclusive: 'ADB-8', range: 'ADB-10' },
  ] as const;
  for (const { field, length, full, exclusive } of lengths)
    if ((spec.serviceSelectors ?? []).length > 0 && length !== full)
      findings.push({
        code: exclusive,
        field: `spec.${field}`,
        message: `serviceSelectors and aggregationLength are mutually exclusive: ${field} is ${length}`,
        remedy: `Leave ${field} at ${full}, or remove serviceSelectors.`,
      });
  for (const { field, length, full, range } of lengths)
    if (length > full)
      findings.push({
        code: range,
        field: `spec.${field}`,
        message: `invalid ${field}: ${length} is more than the ${full} bits of an address`,
        remedy: `Use at most ${full}.`,
      });
  const { localPref = 0 } = spec;
  if (localPref < 0 || localPref > MAX_ATTRIBUTE)
    findings.push({
      code: 'SCHEMA',
      field: 'spec.localPref',
      message: `invalid localPref ${localPref}`,
      remedy: `Use a number from 0 to ${MAX_ATTRIBUTE}.`,
    });
  return findings;
}

/** ADB-11, ADB-12. Aliases are looked up first. */
function compileCommunities(
  texts: readonly string[],
  aliases: Aliases,
): { values: BgpCommunity[]; findings: Finding[] } {
  const byText = new Map<string, BgpCommunity>();
  const findings: Finding[] = [];
  for (const [index, text] of texts.entries()) {
    const alias = aliases.get(text);
    const parsed = alias === undefined ? parseCommunity(text) : { kind: 'ok' as const, community: alias };
    if (parsed.kind === 'ok') {
      byText.set(`${parsed.community.kind} ${parsed.community.value}`, parsed.community);
      continue;
    }
    const context = `invalid community "${text}" in BGP advertisement`;
    findings.push({
      code: parsed.kind === 'value' ? 'ADB-11' : 'ADB-12',
      field: `spec.communities[${index}]`,
      message: `${context}: ${parsed.message}`,
      remedy:
        parsed.kind === 'value'
          ? 'Write two numbers up to 65535 as 65535:65282, or three as large:1:2:3.'
          : 'Define the alias in a Community object, or write the community itself, as 65535:65282 or large:1:2:3.',
      summary: `${parsed.message}\n${context}`,
    });
  }
  return { values: [...byText.values()].sort(compareCommunities), findings };
}
