/** The MetalLB object (the operator's CR): its spec as plain values. Its rules are in metallb-rules.ts. */
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

/** True for one of the four values that `spec.bgpBackend` may have. */
export function isBgpBackend(text: string): text is BgpBackend {
  return bgpBackends.some((backend) => backend === text);
}
