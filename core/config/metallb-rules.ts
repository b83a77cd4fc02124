/**
 * The rules of the MetalLB object (api.md §6.12). The operator runs them before each reconcile, a webhook or the command
 * line may run them earlier.
 */
import { placementFindings, workloadFindings } from '#core/config/metallb-workloads.ts';
import { bgpBackends, isBgpBackend, metallbName, type MetalLBSpec } from '#core/config/metallb.ts';
import { problemsOf, type Finding } from '#core/config/problems.ts';
import { parseCidr } from '#core/model/ip.ts';
import type { Problem } from '#core/model/config.ts';

export interface MetalLBContext {
  readonly namespace: string;
  readonly name: string;
  /** The operator's FRRK8S_EXTERNAL_NAMESPACE; empty when unset. */
  readonly externalNamespace: string;
}

/**
 * All problems of a MetalLB object, in the order of the rules MLB-1 … MLB-9, then ours (MLB-13 … MLB-15); empty when
 * it can be applied. The rule for the object's name is MLB-10, `wrongName`, and ours for its namespace MLB-16,
 * `wrongNamespace`. The platform rules MLB-11 and MLB-12 do not exist here: every
 * backend is served everywhere. Weights of podAntiAffinity are checked too (the original forgets them).
 */
export function validateMetalLB(spec: MetalLBSpec, context: MetalLBContext): Problem[] {
  return problemsIn(context, [
    ...placementFindings(spec),
    ...backendProblems(spec, context.externalNamespace),
    ...blockProblems(spec.frrk8sConfig?.alwaysBlock ?? []),
    ...workloadFindings(spec),
  ]);
}

/** MLB-10: the problem of an object that is not called `metallb`, or undefined. */
export function wrongName(context: MetalLBContext): Problem | undefined {
  if (context.name === metallbName) return undefined;
  const [problem] = problemsIn(context, [
    {
      code: 'MLB-10',
      field: 'metadata.name',
      message: `Incorrect MetalLB resource name: ${context.name}`,
      remedy: `Name the object ${metallbName}: only that one is acted on.`,
    },
  ]);
  return problem;
}

/**
 * MLB-16, ours: the problem of an object outside of the operator's namespace, or undefined. The original ignores such
 * an object without a word (field case C09).
 */
export function wrongNamespace(object: MetalLBContext, operatorNamespace: string): Problem | undefined {
  if (object.namespace === operatorNamespace) return undefined;
  const [problem] = problemsIn(object, [
    {
      code: 'MLB-16',
      field: 'metadata.namespace',
      message: `The operator in namespace ${operatorNamespace} acts on MetalLB objects of that namespace only`,
      remedy: `Create the object in namespace ${operatorNamespace}, with the name ${metallbName}, and delete this one.`,
    },
  ]);
  return problem;
}

/** Their summaries are the original's words alone, which do not say whose they are. */
function problemsIn({ namespace, name }: MetalLBContext, findings: readonly Finding[]): Problem[] {
  const own = findings.map((finding) => ({ ...finding, summary: finding.message }));
  return problemsOf({ kind: 'MetalLB', namespace, name }, own);
}

function backendProblems(spec: MetalLBSpec, externalNamespace: string): Finding[] {
  const backend = spec.bgpBackend ?? '';
  if (backend !== '' && !isBgpBackend(backend)) {
    return [
      {
        code: 'MLB-7',
        field: 'spec.bgpBackend',
        message: `unknown BGP backend "${backend}"`,
        remedy: `Use one of ${bgpBackends.join(', ')}, or leave it out.`,
      },
    ];
  }
  const namespace = spec.frrk8sConfig?.namespace ?? '';
  if (backend === 'frr-k8s-external' && namespace === '' && externalNamespace === '') {
    return [
      {
        code: 'MLB-8',
        field: 'spec.frrk8sConfig.namespace',
        message: 'bgpBackend frr-k8s-external needs the namespace of the external frr-k8s',
        remedy: 'Set spec.frrk8sConfig.namespace, or FRRK8S_EXTERNAL_NAMESPACE on the operator.',
      },
    ];
  }
  return [];
}

function blockProblems(entries: readonly string[]): Finding[] {
  return entries.flatMap((entry, index) => {
    if (parseCidr(entry.trim()) !== undefined) return [];
    return [
      {
        code: 'MLB-9',
        field: `spec.frrk8sConfig.alwaysBlock[${index}]`,
        message: `"${entry}" is not a CIDR`,
        remedy: 'Write a prefix such as 192.168.0.0/16 or 2001:db8::/32.',
      },
    ];
  });
}
