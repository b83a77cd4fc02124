/** L2Advertisement objects as values: rules ADL-1 to ADL-8 (api.md §6.7). */
import type { Ingested } from '#core/api/ingest.ts';
import { byName, compareText } from '#core/config/order.ts';
import { reachedPools, unknownPools, type PoolIndex } from '#core/config/pool-targets.ts';
import { duplicates, problemsOf, type Finding } from '#core/config/problems.ts';
import { compileSelector, compileSelectors } from '#core/config/selectors.ts';
import type { L2Advertisement, PreferredNodes, Problem } from '#core/model/config.ts';

type RawL2Advertisement = Ingested<'L2Advertisement'>;

/** Compiles all of them; one with a problem is out. */
export function compileL2Advertisements(
  objects: readonly RawL2Advertisement[],
  pools: PoolIndex,
): { advertisements: L2Advertisement[]; problems: Problem[]; warnings: Problem[] } {
  const advertisements: L2Advertisement[] = [];
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  for (const object of [...objects].sort(byName)) {
    const { name, namespace = '' } = object.metadata;
    const ref = { kind: 'L2Advertisement', namespace, name };
    const { advertisement, findings } = compileOne(object, pools);
    problems.push(...problemsOf(ref, findings));
    warnings.push(...unknownPools(ref, object.spec?.ipAddressPools ?? [], pools));
    if (findings.length === 0) advertisements.push(advertisement);
  }
  return { advertisements, problems, warnings };
}

function compileOne(
  { metadata, spec = {} }: RawL2Advertisement,
  pools: PoolIndex,
): { advertisement: L2Advertisement; findings: Finding[] } {
  const named = spec.ipAddressPools ?? [];
  const byLabel = compileSelectors(
    spec.ipAddressPoolSelectors,
    { duplicate: 'ADL-2', invalid: 'ADL-8' },
    'spec.ipAddressPoolSelectors',
  );
  const nodes = compileSelectors(
    spec.nodeSelectors,
    { duplicate: 'ADL-3', invalid: 'ADL-5' },
    'spec.nodeSelectors',
  );
  const services = compileSelectors(
    spec.serviceSelectors,
    { duplicate: 'ADL-4', invalid: 'ADL-6' },
    'spec.serviceSelectors',
  );
  const preferred = compilePreferred(spec.preferredNodeSelectors ?? []);
  const advertisement: L2Advertisement = {
    name: metadata.name,
    pools: reachedPools(named, byLabel.selectors, pools),
    nodeSelectors: nodes.selectors,
    interfaces: [...new Set(spec.interfaces)].sort(compareText),
    serviceSelectors: services.selectors,
    preferredNodes: preferred.nodes,
    failover: spec.failover ?? 'Default',
    answerPing: spec.answerPing ?? false,
  };
  const findings = [
    ...duplicates(named, 'ADL-1', 'spec.ipAddressPools'),
    ...byLabel.findings,
    ...nodes.findings,
    ...services.findings,
    ...preferred.findings,
  ];
  return { advertisement, findings };
}

type RawPreferred = NonNullable<NonNullable<RawL2Advertisement['spec']>['preferredNodeSelectors']>;

function compilePreferred(list: RawPreferred): { nodes: PreferredNodes[]; findings: Finding[] } {
  const compiled = list.map(({ preference }, index) =>
    compileSelector(preference, 'ADL-7', `spec.preferredNodeSelectors[${index}].preference`),
  );
  return {
    nodes: list.map(({ weight }, index) => ({
      weight,
      preference: compiled[index]?.selector ?? { requirements: [] },
    })),
    findings: compiled.flatMap(({ findings }) => findings),
  };
}
