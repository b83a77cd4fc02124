/** IPAddressPool objects as values: rules POOL-2 to POOL-11 (api.md §6.6, controller.md §3.2). */
import type { Ingested } from '#core/api/ingest.ts';
import { byName, bySeniority, compareText } from '#core/config/order.ts';
import { compileExclusions, exclusionWarnings } from '#core/config/exclusions.ts';
import { PoolRanges } from '#core/config/overlap.ts';
import { parseEntry } from '#core/config/pool-entry.ts';
import { duplicates, problemsOf, type Finding } from '#core/config/problems.ts';
import { compileSelectors } from '#core/config/selectors.ts';
import type { Pool, PoolEntry, Problem, ServiceAllocation } from '#core/model/config.ts';
import { formatCidr, parseAddress } from '#core/model/ip.ts';
import { selects } from '#core/model/selector.ts';
import type { NamespaceView } from '#core/model/views.ts';

type RawPool = Ingested<'IPAddressPool'>;

export interface CompiledPools {
  readonly pools: Pool[];
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** Compiles all pools. A pool with a problem is out; of two that overlap the senior one stays. */
export function compilePools(
  objects: readonly RawPool[],
  namespaces: readonly NamespaceView[],
): CompiledPools {
  const compiled = new Map<string, { pool: Pool; findings: Finding[] }>();
  const taken = new PoolRanges();
  for (const object of [...objects].sort(bySeniority)) {
    const { pool, findings } = compilePool(object, namespaces);
    const overlaps = findings.length === 0 ? taken.add(pool) : [];
    compiled.set(pool.name, { pool, findings: [...findings, ...overlaps] });
  }
  const outcome: CompiledPools = { pools: [], problems: [], warnings: [] };
  for (const { metadata } of [...objects].sort(byName)) {
    const { name, namespace = '' } = metadata;
    const result = compiled.get(name);
    if (result === undefined) continue;
    const ref = { kind: 'IPAddressPool', namespace, name };
    outcome.problems.push(...problemsOf(ref, result.findings));
    outcome.warnings.push(...problemsOf(ref, [...hostBits(result.pool), ...exclusionWarnings(result.pool)]));
    if (result.findings.length === 0) outcome.pools.push(result.pool);
  }
  return outcome;
}

/** POOL-13 (ours, a warning): a prefix written with an address inside it holds more than one may think. */
function hostBits({ entries }: Pool): Finding[] {
  return entries.flatMap(({ text, cidrs: [cidr] }, index): Finding[] => {
    const written = parseAddress(text.slice(0, text.indexOf('/')));
    if (text.includes('-') || cidr === undefined || written?.value === cidr.base) return [];
    const block = formatCidr(cidr);
    return [
      {
        code: 'POOL-13',
        field: `spec.addresses[${index}]`,
        message: `${text} is not the start of its block: the pool holds all of ${block}`,
        remedy: `Write ${block} if that is meant, or a range that starts at the first address wanted.`,
      },
    ];
  });
}

function compilePool(
  { metadata, spec }: RawPool,
  namespaces: readonly NamespaceView[],
): { pool: Pool; findings: Finding[] } {
  const findings: Finding[] = [];
  if (spec.addresses.length === 0)
    findings.push({
      code: 'POOL-2',
      field: 'spec.addresses',
      message: `pool ${metadata.name} has no prefixes defined`,
      remedy: 'Add a prefix such as 192.0.2.0/24 or a range such as 192.0.2.10-192.0.2.20.',
    });
  const entries: PoolEntry[] = [];
  for (const [index, text] of spec.addresses.entries()) {
    const entry = parseEntry(text);
    if ('range' in entry) entries.push(entry);
    else findings.push({ ...entry, field: `spec.addresses[${index}]` });
  }
  const exclusions = compileExclusions(spec.excludedAddresses ?? []);
  const allocation = compileAllocation(spec.serviceAllocation, namespaces);
  findings.push(...exclusions.findings, ...allocation.findings);
  const pool: Pool = {
    name: metadata.name,
    labels: metadata.labels ?? {},
    entries,
    excluded: exclusions.excluded,
    autoAssign: spec.autoAssign,
    avoidBuggyIPs: spec.avoidBuggyIPs,
    serviceAllocation: allocation.value,
  };
  return { pool, findings };
}

function compileAllocation(
  raw: RawPool['spec']['serviceAllocation'],
  namespaces: readonly NamespaceView[],
): { value: ServiceAllocation | undefined; findings: readonly Finding[] } {
  if (raw === undefined) return { value: undefined, findings: [] };
  const at = 'spec.serviceAllocation';
  const names = raw.namespaces ?? [];
  const byLabel = compileSelectors(
    raw.namespaceSelectors,
    { duplicate: 'POOL-6', invalid: 'POOL-8' },
    `${at}.namespaceSelectors`,
  );
  const services = compileSelectors(
    raw.serviceSelectors,
    { duplicate: 'POOL-7', invalid: 'POOL-9' },
    `${at}.serviceSelectors`,
  );
  const matched = namespaces
    .filter(({ labels }) => byLabel.selectors.some((selector) => selects(selector, labels)))
    .map(({ name }) => name);
  const conditioned = names.length > 0 || byLabel.selectors.length > 0;
  return {
    value: {
      priority: raw.priority ?? 0,
      namespaces: conditioned ? [...new Set([...names, ...matched])].sort(compareText) : undefined,
      namespaceSelectors: byLabel.selectors,
      serviceSelectors: services.selectors,
    },
    findings: [
      ...duplicates(names, 'POOL-5', `${at}.namespaces`),
      ...byLabel.findings,
      ...services.findings,
    ],
  };
}
