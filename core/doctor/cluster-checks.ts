/** The checks of a cluster, before and after MetalLB is installed. Each names object, field and remedy. */
import { EXCLUDE_FROM_LOAD_BALANCERS, DRAIN } from '#core/api/labels.ts';
import { addressChecks } from '#core/doctor/address-checks.ts';
import type { Check, Finding } from '#core/doctor/check.ts';
import {
  componentOf,
  nameOf,
  type ClusterFacts,
  type NodeFact,
  type PodFact,
  type WorkloadFact,
} from '#core/doctor/cluster-facts.ts';
import { leftoverChecks } from '#core/doctor/leftover-checks.ts';
import { neighbourChecks } from '#core/doctor/neighbour-checks.ts';
import { webhookChecks } from '#core/doctor/webhook-checks.ts';

type ClusterCheck = Check<ClusterFacts>;

/** The oldest minor version of Kubernetes 1 whose CEL knows addresses (docs/compatibility.md). */
const OLDEST_MINOR = 31;

const kubernetes: ClusterCheck = {
  id: 'kubernetes',
  fine: `Kubernetes is 1.${OLDEST_MINOR} or later`,
  needs: ['version'],
  run: ({ version }) => {
    const [, major = '0', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
    if (Number(major) > 1 || (Number(major) === 1 && Number(minor) >= OLDEST_MINOR)) return [];
    return [
      {
        severity: 'error',
        object: 'API server',
        field: '/version gitVersion',
        message: `Kubernetes ${version} is too old: the rules in our CRDs need 1.${OLDEST_MINOR}`,
        remedy: `Update the cluster to Kubernetes 1.${OLDEST_MINOR} or later before installing.`,
      },
    ];
  },
};

const ENFORCE = 'pod-security.kubernetes.io/enforce';

const podSecurity: ClusterCheck = {
  id: 'namespace',
  fine: 'the namespace lets speakers run, or does not exist yet',
  needs: ['namespace'],
  run: ({ namespace }) => {
    const level = namespace?.labels[ENFORCE];
    if (namespace === undefined || level === undefined || level === 'privileged') return [];
    return [
      {
        severity: 'error',
        object: `Namespace ${namespace.name}`,
        field: `metadata.labels["${ENFORCE}"]`,
        message: `it is ${level}, so that speakers, which need the host's network and raw sockets, are refused`,
        remedy: `kubectl label namespace ${namespace.name} ${ENFORCE}=privileged --overwrite`,
      },
    ];
  },
};

const proxy: ClusterCheck = {
  id: 'kube-proxy',
  fine: 'kube-proxy does not answer ARP for addresses of Services',
  needs: ['proxy'],
  run: ({ proxy: { object, mode, strictArp }, l2Advertisements }) => {
    if (mode !== 'ipvs' || strictArp) return [];
    return [
      {
        severity: 'error',
        object,
        field: 'data["config.conf"] ipvs.strictARP',
        message: `kube-proxy runs in mode ipvs without strict ARP: every node answers ARP for every address of a Service${
          l2Advertisements > 0 ? '' : ', once there is an L2Advertisement'
        }`,
        remedy:
          'Set ipvs.strictARP to true there and restart the kube-proxy pods (kubectl -n kube-system rollout restart daemonset kube-proxy), or use mode nftables.',
      },
    ];
  },
};

const excluded: ClusterCheck = {
  id: 'excluded-nodes',
  fine: 'no node is excluded from load balancers or drained',
  needs: ['nodes'],
  run: ({ nodes, workloads }) => {
    const speaker = workloads.find((workload) => componentOf(workload) === 'speaker');
    const ignored = speaker?.args.includes('--ignore-exclude-lb') === true;
    const all = nodes.every(({ labels }) => EXCLUDE_FROM_LOAD_BALANCERS in labels);
    const told = ignored ? [] : nodes.flatMap((node) => labelled(node, EXCLUDE_FROM_LOAD_BALANCERS, all));
    return [...told, ...nodes.flatMap((node) => labelled(node, DRAIN, false))];
  },
};

function labelled({ name, labels }: NodeFact, label: string, all: boolean): Finding[] {
  if (!(label in labels)) return [];
  return [
    {
      severity: all ? 'error' : 'warning',
      object: `Node ${name}`,
      field: `metadata.labels["${label}"]`,
      message: all
        ? 'the node announces nothing, and neither does any other: all of them have this label'
        : 'the node announces nothing',
      remedy: `If that is not meant: kubectl label node ${name} ${label}-`,
    },
  ];
}

const rollout: ClusterCheck = {
  id: 'workloads',
  fine: 'every workload of MetalLB is ready, or none is there yet',
  needs: ['workloads'],
  run: ({ workloads, pods }) =>
    workloads
      .filter((workload) => componentOf(workload) !== undefined)
      .flatMap((workload) => unready(workload, pods)),
};

function unready(workload: WorkloadFact, pods: readonly PodFact[]): Finding[] {
  const { kind, namespace, name, desired, ready } = workload;
  const object = nameOf(workload);
  if (desired === 0) {
    const field = kind === 'DaemonSet' ? 'status.desiredNumberScheduled' : 'spec.replicas';
    const message = 'it has no pods at all';
    const remedy =
      kind === 'DaemonSet'
        ? 'No node fits its node selector and tolerations: correct spec.nodeSelector and spec.speakerTolerations of the MetalLB object.'
        : `kubectl -n ${namespace} scale deployment ${name} --replicas=1`;
    return [{ severity: 'error', object, field, message, remedy }];
  }
  if (ready >= desired) return [];
  const sick = pods.find(
    (pod) => pod.namespace === namespace && pod.name.startsWith(`${name}-`) && !pod.ready,
  );
  const because = sick === undefined ? '' : `; pod ${sick.name}: ${sick.why === '' ? sick.phase : sick.why}`;
  return [
    {
      severity: 'error',
      object,
      field: kind === 'DaemonSet' ? 'status.numberReady' : 'status.readyReplicas',
      message: `${ready} of ${desired} pods are ready${because}`,
      remedy: `kubectl -n ${namespace} describe pod ${sick?.name ?? `-l component=${componentOf(workload)}`}`,
    },
  ];
}

const speakers: ClusterCheck = {
  id: 'speakers',
  fine: 'every node that could announce has a speaker',
  needs: ['nodes', 'pods', 'workloads'],
  run: ({ nodes, pods, workloads }) => {
    const speaker = workloads.find((workload) => componentOf(workload) === 'speaker');
    if (speaker === undefined) return [];
    const staffed = new Set(pods.filter((pod) => componentOf(pod) === 'speaker').map(({ node }) => node));
    return nodes
      .filter(({ name, labels }) => !staffed.has(name) && (labels['kubernetes.io/os'] ?? 'linux') === 'linux')
      .map(({ name, ready }) => ({
        severity: 'warning',
        object: `Node ${name}`,
        field: 'spec.taints, metadata.labels',
        message: `no speaker runs on it${ready ? '' : ' (it is not Ready)'}: it announces nothing, and Services with externalTrafficPolicy Local are not reached through it`,
        remedy:
          'If it should announce, tolerate its taints (spec.speakerTolerations of the MetalLB object) and see that spec.nodeSelector selects it.',
      }));
  },
};

const configuration: ClusterCheck = {
  id: 'configuration',
  fine: 'every component has taken the configuration',
  needs: ['states'],
  run: ({ states }) =>
    states
      .filter(({ result }) => result === 'Invalid')
      .map(({ name, summary }) => ({
        severity: 'error',
        object: `ConfigurationState ${name}`,
        field: 'status.result',
        message: `the configuration is not valid to it: ${summary}`,
        remedy: 'metallb validate --live tells all problems, each with what to do.',
      })),
};

/** All of them, in the order in which they are told. */
export const clusterChecks: readonly ClusterCheck[] = [
  kubernetes,
  podSecurity,
  proxy,
  excluded,
  ...leftoverChecks,
  ...webhookChecks,
  ...neighbourChecks,
  ...addressChecks,
  rollout,
  speakers,
  configuration,
];
