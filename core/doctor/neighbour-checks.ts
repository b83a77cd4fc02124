/** Others in the cluster who do what MetalLB does, or sit on its ports. */
import type { Check, Finding } from '#core/doctor/check.ts';
import {
  componentOf,
  nameOf,
  type ClusterFacts,
  type CrdFact,
  type PodFact,
  type WorkloadFact,
} from '#core/doctor/cluster-facts.ts';

/** Port and protocol that a speaker takes on its node. `never`: not taken by us, so another one is only in the way of peers. */
export interface OwnPort {
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
  readonly use: string;
  /** What it takes to have another one. */
  readonly change: string;
}

/** Defaults (operator-packaging.md §3.1); what the speaker's DaemonSet declares comes on top. */
export const speakerPorts: readonly OwnPort[] = [
  ...(['TCP', 'UDP'] as const).map((protocol) => ({
    port: 7946,
    protocol,
    use: 'heartbeats between speakers',
    change: 'set MEMBER_LIST_BIND_PORT of the operator',
  })),
  { port: 9120, protocol: 'TCP', use: "the speaker's metrics", change: 'set METRICS_PORT of the operator' },
  { port: 9121, protocol: 'TCP', use: 'metrics of FRR', change: 'set FRR_METRICS_PORT of the operator' },
  {
    port: 17472,
    protocol: 'TCP',
    use: "the kubelet's probes of the speaker",
    change: 'set OPERAND_LIVENESS_PORT of the operator',
  },
  ...[3784, 3785, 4784].map((port) => ({
    port,
    protocol: 'UDP' as const,
    use: 'BFD',
    change: 'do without BFD profiles on this node',
  })),
];

/** Ports that speakers of the original before 0.16, or on OpenShift, listen on (operator-packaging.md §3.4, §3.5). */
export const formerPorts: ReadonlySet<number> = new Set([7472, 7473, 29150, 29151, 9122]);

const ports: Check<ClusterFacts> = {
  id: 'ports',
  fine: "no pod takes a speaker's port on a node",
  needs: ['pods'],
  run: ({ pods }) =>
    pods.filter((pod) => componentOf(pod) === undefined && isAlive(pod)).flatMap((pod) => taken(pod)),
};

const isAlive = ({ phase }: PodFact): boolean => phase === 'Running' || phase === 'Pending';

function taken({ namespace, name, node, hostPorts }: PodFact): Finding[] {
  return speakerPorts
    .filter(({ port, protocol }) =>
      hostPorts.some((other) => other.port === port && other.protocol === protocol),
    )
    .map(({ port, protocol, use, change }) => ({
      severity: 'error',
      object: `Pod ${namespace}/${name}`,
      field: 'spec.containers[].ports',
      message: `it takes ${protocol} port ${port} of node ${node}, which the speaker there needs for ${use}`,
      remedy: `Give one of the two another port: ${change}.`,
    }));
}

interface Neighbour {
  readonly what: string;
  readonly matches: (workload: WorkloadFact) => boolean;
}

const named = (pattern: RegExp) => (workload: WorkloadFact) => pattern.test(workload.name);

/** Programs that give addresses to Services of type LoadBalancer. */
const balancers: readonly Neighbour[] = [
  { what: 'the ServiceLB of k3s', matches: named(/^svclb-/) },
  { what: 'kube-vip', matches: named(/^kube-vip/) },
  { what: 'PureLB', matches: named(/^(purelb|lbnodeagent)/) },
  { what: 'OpenELB', matches: named(/^(openelb|porter)-/) },
  { what: 'LoxiLB', matches: named(/^(kube-)?loxilb/) },
];

const otherBalancers: Check<ClusterFacts> = {
  id: 'other-load-balancers',
  fine: 'nobody else gives addresses to Services',
  needs: ['workloads', 'crds'],
  run: ({ workloads, crds }) => [
    ...workloads.flatMap((workload) =>
      balancers
        .filter(({ matches }) => matches(workload))
        .map(({ what }) => contender(nameOf(workload), 'metadata.name', what)),
    ),
    ...crdNamed(crds, 'ciliumloadbalancerippools.cilium.io').map(({ name }) =>
      contender(`CustomResourceDefinition ${name}`, 'metadata.name', "Cilium's LB IPAM"),
    ),
  ],
};

function contender(object: string, field: string, what: string): Finding {
  return {
    severity: 'warning',
    object,
    field,
    message: `${what} is installed, which can give addresses to the same Services`,
    remedy: `Remove it, or separate the two by load balancer classes (spec.loadBalancerClass of the MetalLB object).`,
  };
}

const speaks = (what: string): string =>
  `${what} can have BGP sessions from the same nodes: a router takes one session per pair of addresses, so the two break each other's`;

const PEER_ELSEWHERE =
  'Let only one of the two peer with a router, or give them different source addresses, routers or VRFs; with frr-k8s: spec.bgpBackend frr-k8s-external.';

const bgp: Check<ClusterFacts> = {
  id: 'other-bgp',
  fine: 'nobody else in the cluster speaks BGP',
  needs: ['workloads', 'crds'],
  run: ({ workloads, crds }) => {
    const programs: readonly [RegExp, string][] = [
      [/^kube-router/, 'kube-router'],
      [/^bird(-|$)/, 'BIRD'],
      [/^gobgp/, 'GoBGP'],
    ];
    const known = workloads.flatMap((workload) => {
      const named = programs.find(([pattern]) => pattern.test(workload.name))?.[1];
      const what = componentOf(workload) === 'frr-k8s' ? 'frr-k8s' : named;
      return what === undefined ? [] : [speaker(nameOf(workload), what)];
    });
    const kinds = [
      ...crdNamed(crds, 'bgppeers.crd.projectcalico.org').map(({ name }) => [name, 'Calico'] as const),
      ...crdNamed(crds, 'ciliumbgpclusterconfigs.cilium.io').map(({ name }) => [name, 'Cilium'] as const),
    ];
    return [...known, ...kinds.map(([name, what]) => speaker(`CustomResourceDefinition ${name}`, what))];
  },
};

function speaker(object: string, what: string): Finding {
  return {
    severity: 'warning',
    object,
    field: 'metadata.name',
    message: speaks(what),
    remedy: PEER_ELSEWHERE,
  };
}

function crdNamed(crds: readonly CrdFact[], name: string): CrdFact[] {
  return crds.filter((crd) => crd.name === name);
}

export const neighbourChecks: readonly Check<ClusterFacts>[] = [ports, otherBalancers, bgp];
