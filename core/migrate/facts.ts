/** What `metallb migrate` knows of a cluster that runs the original MetalLB (operator-packaging.md §2.10, §6, §7). */
import type { MetallbComponent } from '#core/doctor/cluster-facts.ts';
import type { Toleration } from '#core/config/metallb.ts';

type Labels = Readonly<Record<string, string>>;

/** Parts of a Deployment or DaemonSet that say how it was set up. */
export interface OldWorkload {
  readonly kind: 'Deployment' | 'DaemonSet';
  readonly name: string;
  readonly component: MetallbComponent;
  readonly labels: Labels;
  readonly matchLabels: Labels;
  readonly pod: OldPod;
}

export interface OldPod {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly nodeSelector: Labels;
  readonly tolerations: readonly Toleration[];
  readonly affinity: Readonly<Record<string, unknown>>;
  readonly priorityClassName: string;
  readonly runtimeClassName: string;
  readonly imagePullSecrets: readonly { readonly name: string }[];
  readonly containers: readonly OldContainer[];
}

export interface OldContainer {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  /** Those with a plain value. */
  readonly env: Labels;
  readonly resources: Readonly<Record<string, unknown>>;
}

/** What the controller would do with a Service, as `metallb simulate` finds it out. */
export interface Fate {
  /** `namespace/name`. */
  readonly service: string;
  readonly change: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly reason: string;
}

export interface MigrationFacts {
  readonly namespace: string;
  readonly workloads: readonly OldWorkload[];
  /** Namespaces other than ours that a MetalLB runs in. */
  readonly elsewhere: readonly string[];
  /** Ours run in the namespace already. */
  readonly isOursThere: boolean;
  /** The spec of the MetalLB object, where the original's operator has one. */
  readonly metallb: Readonly<Record<string, unknown>> | undefined;
  /** What `metallb validate --live` calls an error. */
  readonly problems: readonly string[];
  readonly fates: readonly Fate[];
  /** ValidatingWebhookConfigurations of the original. */
  readonly webhooks: readonly string[];
  /** Secrets that Helm keeps the release in. */
  readonly helmSecrets: readonly string[];
  /** AddressPools of releases before 0.13. */
  readonly addressPools: readonly string[];
  /** FRRConfigurations that no speaker wrote. */
  readonly userFrrConfigurations: readonly string[];
  /** Of ConfigMap `metallb-excludel2`; undefined: there is none. */
  readonly excludedInterfaces: readonly string[] | undefined;
  /** Nodes with a speaker of the original, in order. */
  readonly nodes: readonly string[];
}
