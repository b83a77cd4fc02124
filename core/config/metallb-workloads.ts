/** Rules of the MetalLB object about the pods it leads to: placement (MLB-1 to MLB-6), and ours (MLB-13 to MLB-15). */
import type { Finding } from '#core/config/problems.ts';
import type { MetalLBSpec, Toleration, UpdateStrategy, WorkloadConfig } from '#core/config/metallb.ts';
import { compileExclusions } from '#core/l2/interfaces.ts';

/** Tolerations and affinities, in the order of the rules. */
export function placementFindings(spec: MetalLBSpec): Finding[] {
  return [
    ...tolerationProblems(spec.controllerTolerations ?? [], 'MLB-1', 'spec.controllerTolerations'),
    ...tolerationProblems(spec.speakerTolerations ?? [], 'MLB-2', 'spec.speakerTolerations'),
    ...weightProblems(spec.speakerConfig, ['MLB-3', 'MLB-4'], 'spec.speakerConfig'),
    ...weightProblems(spec.controllerConfig, ['MLB-5', 'MLB-6'], 'spec.controllerConfig'),
  ];
}

/** What the original has no field for. */
export function workloadFindings({ controllerConfig, speakerConfig }: MetalLBSpec): Finding[] {
  return [
    ...labelProblems(speakerConfig?.labels ?? {}, 'spec.speakerConfig.labels'),
    ...labelProblems(controllerConfig?.labels ?? {}, 'spec.controllerConfig.labels'),
    ...interfaceProblems(speakerConfig?.excludedInterfaces ?? []),
    ...strategyProblems(speakerConfig?.updateStrategy ?? {}),
  ];
}

function tolerationProblems(list: readonly Toleration[], code: string, field: string): Finding[] {
  return list.flatMap((toleration, index) => {
    if ((toleration.tolerationSeconds ?? 0) <= 0 || toleration.effect === 'NoExecute') return [];
    const effect = toleration.effect ?? '';
    return [
      {
        code,
        field: `${field}[${index}].effect`,
        message: `effect must be NoExecute when tolerationSeconds is set, not "${effect}"`,
        remedy: 'Set effect: NoExecute, or leave tolerationSeconds out.',
      },
    ];
  });
}

function weightProblems(
  config: WorkloadConfig | undefined,
  codes: readonly [node: string, pod: string],
  field: string,
): Finding[] {
  const affinity = config?.affinity ?? {};
  const parts: readonly (readonly [string, string])[] = [
    ['nodeAffinity', codes[0]],
    ['podAffinity', codes[1]],
    ['podAntiAffinity', codes[1]],
  ];
  return parts.flatMap(([part, code]) =>
    preferredWeights(affinity[part]).flatMap((weight, index) => {
      if (weight >= 1 && weight <= 100) return [];
      return [
        {
          code,
          field: `${field}.affinity.${part}.${preferred}[${index}].weight`,
          message: `weight ${weight} is outside 1..100`,
          remedy: 'Use a weight from 1 to 100.',
        },
      ];
    }),
  );
}

const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';

function preferredWeights(part: unknown): number[] {
  if (typeof part !== 'object' || part === null || !(preferred in part)) return [];
  const terms: unknown = part[preferred];
  if (!Array.isArray(terms)) return [];
  return terms.map((term: unknown) =>
    typeof term === 'object' && term !== null && 'weight' in term ? Number(term.weight) : 0,
  );
}

/** Labels of our pods that selectors and tools use (contract.md, Workloads), and the operator's. */
export const reservedLabels: readonly string[] = [
  'app',
  'app.kubernetes.io/component',
  'app.kubernetes.io/managed-by',
  'app.kubernetes.io/name',
  'app.kubernetes.io/part-of',
  'component',
  'control-plane',
];

/** MLB-13. */
function labelProblems(labels: Readonly<Record<string, string>>, field: string): Finding[] {
  return Object.keys(labels).flatMap((key) => {
    if (!reservedLabels.includes(key)) return [];
    return [
      {
        code: 'MLB-13',
        field: `${field}.${key}`,
        message: `the label "${key}" is ours: selectors and tools find the pods by it`,
        remedy: 'Use a label of your own, with a prefix such as example.com/.',
      },
    ];
  });
}

/** MLB-14. */
function interfaceProblems(patterns: readonly string[]): Finding[] {
  return patterns.flatMap((pattern, index) => {
    const compiled = compileExclusions([pattern]);
    if (typeof compiled === 'function') return [];
    return [
      {
        code: 'MLB-14',
        field: `spec.speakerConfig.excludedInterfaces[${index}]`,
        message: `"${pattern}" is not a regular expression`,
        remedy: 'Write one such as ^veth.* or ^br-lan$.',
      },
    ];
  });
}

/** MLB-15. A node has room for one speaker: with nobody unavailable no change would ever get through. */
function strategyProblems({ type, rollingUpdate }: UpdateStrategy): Finding[] {
  const field = 'spec.speakerConfig.updateStrategy';
  const limit = rollingUpdate?.maxUnavailable;
  if (type === 'OnDelete' && limit !== undefined) {
    return [
      {
        code: 'MLB-15',
        field: `${field}.rollingUpdate`,
        message: 'rollingUpdate is for type RollingUpdate only, not for OnDelete',
        remedy: 'Leave rollingUpdate out, or set type: RollingUpdate.',
      },
    ];
  }
  if (limit === undefined || /^([1-9]\d*|[1-9]\d?%|100%)$/.test(String(limit))) return [];
  return [
    {
      code: 'MLB-15',
      field: `${field}.rollingUpdate.maxUnavailable`,
      message: `maxUnavailable ${limit} is neither a number above 0 nor a percentage from 1% to 100%`,
      remedy: 'Write a number such as 1, or a percentage such as 10%.',
    },
  ];
}
