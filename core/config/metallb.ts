/**
 * The MetalLB object (the operator's CR): its spec as plain values and the rules of api.md §6.12. The operator
 * runs them before each reconcile, a webhook or the command line may run them earlier.
 */
import { placementFindings, workloadFindings } from '#core/config/metallb-workloads.ts';
import { parseCidr } from '#core/model/ip.ts';
import type { Problem } from '#core/model/config.ts';

/** core/v1 Toleration, as far as the rules read it; the rest passes through untouched. */
export interface Toleration {
  readonly key?: string | undefined;
  readonly operator?: string | undefined;
  readonly value?: string | undefined;
  readonly effect?: string | undefined;
  readonly tolerationSeconds?: number | undefined;
}

/** core/v1 Affinity is passed through as written; only the weights of preferred terms are looked at. */
export type Affinity = Readonly<Record<string, unknown>>;

/** `controllerConfig` and `speakerConfig`: extra settings of one workload. */
export interface WorkloadConfig {
  readonly priorityClassName?: string | undefined;
  readonly runtimeClassName?: string | undefined;
  readonly affinity?: Affinity | undefined;
  /** Annotations of the pod template. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Labels of the pod template, beside ours. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Replaces the resources of the main container. */
  readonly resources?: Resources | undefined;
}

/** core/v1 ResourceRequirements, passed through as written. */
export type Resources = Readonly<Record<string, unknown>>;

export interface ControllerConfig extends WorkloadConfig {
  /** Unset: the number is whoever's who scales the Deployment. */
  readonly replicas?: number | undefined;
}

export interface SpeakerConfig extends WorkloadConfig {
  readonly frrResources?: Resources | undefined;
  readonly updateStrategy?: UpdateStrategy | undefined;
  /** Take the place of ours; an empty list excludes none. */
  readonly excludedInterfaces?: readonly string[] | undefined;
  readonly ignoreExcludeLB?: boolean | undefined;
  /** 0 or unset: off. */
  readonly gracefulShutdownSeconds?: number | undefined;
}

export interface UpdateStrategy {
  readonly type?: 'OnDelete' | 'RollingUpdate' | undefined;
  readonly rollingUpdate?: { readonly maxUnavailable?: number | string | undefined } | undefined;
}

export interface FrrK8sConfig {
  readonly alwaysBlock?: readonly string[] | undefined;
  readonly namespace?: string | undefined;
  readonly secretPassthrough?: boolean | undefined;
}

/** `MetalLB.spec` (api.md §4.10). Nothing is required; every default is applied when rendering. */
export interface MetalLBSpec {
  readonly logLevel?: string | undefined;
  readonly loadBalancerClass?: string | undefined;
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
  readonly speakerTolerations?: readonly Toleration[] | undefined;
  readonly speakerConfig?: SpeakerConfig | undefined;
  readonly controllerNodeSelector?: Readonly<Record<string, string>> | undefined;
  readonly controllerTolerations?: readonly Toleration[] | undefined;
  readonly controllerConfig?: ControllerConfig | undefined;
  readonly bgpBackend?: string | undefined;
  readonly frrk8sConfig?: FrrK8sConfig | undefined;
  /** Unset: those of the operator's own pod. */
  readonly imagePullSecrets?: readonly { readonly name: string }[] | undefined;
}

export const bgpBackends = ['native', 'frr', 'frr-k8s', 'frr-k8s-external'] as const;
export type BgpBackend = (typeof bgpBackends)[number];

/** The only name of a MetalLB object that is acted on. */
export const metallbName = 'metallb';

export interface MetalLBContext {
  readonly namespace: string;
  readonly name: string;
  /** The operator's FRRK8S_EXTERNAL_NAMESPACE; empty when unset. */
  readonly externalNamespace: string;
}

/** True for one of the four values that `spec.bgpBackend` may have. */
export function isBgpBackend(text: string): text is BgpBackend {
  return bgpBackends.some((backend) => backend === text);
}

/**
 * All problems of a MetalLB object, in the order of the rules MLB-1 … MLB-9, then ours (MLB-13 … MLB-15); empty when
 * it can be applied. The rule for the object's name is MLB-10, `wrongName`, and ours for its namespace MLB-16,
 * `wrongNamespace`. The platform rules MLB-11 and MLB-12 do not exist here: every
 * backend is served everywhere. Weights of podAntiAffinity are checked too (the original forgets them).
 */
export function validateMetalLB(spec: MetalLBSpec, context: MetalLBContext): Problem[] {
  const problem = problemsOf(context);
  return [
    ...placementFindings(spec),
    ...backendProblems(spec, context.externalNamespace),
    ...blockProblems(spec.frrk8sConfig?.alwaysBlock ?? []),
    ...workloadFindings(spec),
  ].map(problem);
}

/** MLB-10: the problem of an object that is not called `metallb`, or undefined. */
export function wrongName(context: MetalLBContext): Problem | undefined {
  if (context.name === metallbName) return undefined;
  return problemsOf(context)({
    code: 'MLB-10',
    field: 'metadata.name',
    message: `Incorrect MetalLB resource name: ${context.name}`,
    remedy: `Name the object ${metallbName}: only that one is acted on.`,
  });
}

/**
 * MLB-16, ours: the problem of an object outside of the operator's namespace, or undefined. The original ignores such
 * an object without a word (field case C09).
 */
export function wrongNamespace(object: MetalLBContext, operatorNamespace: string): Problem | undefined {
  if (object.namespace === operatorNamespace) return undefined;
  return problemsOf(object)({
    code: 'MLB-16',
    field: 'metadata.namespace',
    message: `The operator in namespace ${operatorNamespace} acts on MetalLB objects of that namespace only`,
    remedy: `Create the object in namespace ${operatorNamespace}, with the name ${metallbName}, and delete this one.`,
  });
}

/** A problem without its object. */
export interface Finding {
  readonly code: string;
  readonly field: string;
  readonly message: string;
  readonly remedy: string;
}

function problemsOf(context: MetalLBContext): (finding: Finding) => Problem {
  const object = { kind: 'MetalLB', namespace: context.namespace, name: context.name };
  return (finding) => ({ ...finding, object, summary: finding.message });
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
