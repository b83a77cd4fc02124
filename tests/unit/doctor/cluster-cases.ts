/** One broken thing each, and what `metallb doctor` has to say about it. */
import type { ClusterFacts } from '#core/doctor/cluster-facts.ts';
import type { Case } from './cases.ts';
import { controller, node, ours, soundCluster as sound, webhook } from './sound.ts';

const EXCLUDE = 'node.kubernetes.io/exclude-from-external-load-balancers';
const labelled = (label: string) => ({ ...node, labels: { ...node.labels, [label]: '' } });
const crd = (name: string) => ({
  name,
  group: name.slice(name.indexOf('.') + 1),
  stored: ['v1'],
  served: ['v1'],
  conversion: undefined,
});
const elsewhere = (name: string) => ({ ...ours('DaemonSet', name), labels: {}, namespace: 'kube-system' });
const crdWith = (name: string, change: object) =>
  sound.crds.map((each) => (each.name === name ? { ...each, ...change } : each));
const service = { namespace: 'metallb-system', name: 'metallb-webhook-service' };
const pool = (address: string) => ({
  pools: [{ namespace: 'metallb-system', name: 'lan', addresses: ['192.0.2.0/24', address] }],
});
const POOL = 'IPAddressPool metallb-system/lan';

export const clusterCases: readonly Case<ClusterFacts>[] = [
  {
    check: 'kubernetes',
    what: 'an old API server',
    broken: { version: 'v1.30.9' },
    finds: ['error', 'API server', '/version gitVersion'],
    words: /1\.30\.9 is too old/,
    remedy: /1\.31/,
  },
  {
    check: 'namespace',
    what: 'pod security that refuses speakers',
    broken: {
      namespace: { name: 'metallb-system', labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
    },
    finds: ['error', 'Namespace metallb-system', 'metadata.labels["pod-security.kubernetes.io/enforce"]'],
    words: /it is baseline/,
    remedy: /kubectl label namespace metallb-system .*=privileged/,
  },
  {
    check: 'kube-proxy',
    what: 'ipvs without strict ARP',
    broken: { proxy: { ...sound.proxy, strictArp: false } },
    finds: ['error', 'ConfigMap kube-system/kube-proxy', 'data["config.conf"] ipvs.strictARP'],
    words: /every node answers ARP/,
    remedy: /strictARP to true/,
  },
  {
    check: 'excluded-nodes',
    what: 'one of two nodes is excluded',
    broken: { nodes: [labelled(EXCLUDE), node] },
    finds: ['warning', 'Node node1', `metadata.labels["${EXCLUDE}"]`],
    words: /announces nothing$/,
    remedy: /kubectl label node node1 .*-$/,
  },
  {
    check: 'excluded-nodes',
    what: 'all nodes are excluded',
    broken: { nodes: [labelled(EXCLUDE)] },
    finds: ['error', 'Node node1', `metadata.labels["${EXCLUDE}"]`],
    words: /all of them/,
    remedy: /kubectl label node node1 .*-$/,
  },
  {
    check: 'excluded-nodes',
    what: 'a node that was emptied and forgotten',
    broken: { nodes: [labelled('metallb.io/drain')] },
    finds: ['warning', 'Node node1', 'metadata.labels["metallb.io/drain"]'],
    words: /announces nothing/,
    remedy: /metallb\.io\/drain-$/,
  },
  {
    check: 'other-metallb',
    what: "the original's controller",
    broken: {
      workloads: [
        ...sound.workloads,
        {
          ...controller,
          namespace: 'old',
          labels: { app: 'metallb', component: 'controller' },
          args: ['--lb-class=x'],
        },
      ],
    },
    finds: ['error', 'Deployment old/controller', 'spec.template'],
    words: /not ours runs here \(registry\.test\/metallb:v1\)/,
    remedy: /metallb migrate/,
  },
  {
    check: 'other-metallb',
    what: 'two of ours for the same Services',
    broken: { workloads: [...sound.workloads, { ...controller, namespace: 'second' }] },
    finds: ['error', 'Deployment second/controller', 'spec.template.spec.containers[0].args --lb-class'],
    words: /same Services as Deployment metallb-system\/controller/,
    remedy: /spec\.loadBalancerClass/,
  },
  {
    check: 'kinds',
    what: 'the kind of old releases',
    broken: { crds: [...sound.crds, crd('addresspools.metallb.io')] },
    finds: ['warning', 'CustomResourceDefinition addresspools.metallb.io', 'metadata.name'],
    words: /read by nobody/,
    remedy: /IPAddressPool/,
  },
  {
    check: 'kinds',
    what: 'objects stored in a version that is gone',
    broken: { crds: crdWith('bgppeers.metallb.io', { stored: ['v1beta1', 'v1beta2'] }) },
    finds: ['error', 'CustomResourceDefinition bgppeers.metallb.io', 'status.storedVersions'],
    words: /v1beta1, which is not served/,
    remedy: /kubectl replace/,
  },
  {
    check: 'kinds',
    what: 'a kind is missing beside speakers',
    broken: { crds: sound.crds.filter(({ name }) => name !== 'communities.metallb.io') },
    finds: ['error', 'CustomResourceDefinition communities.metallb.io', 'metadata.name'],
    words: /not installed/,
    remedy: /kubectl apply .*config\/crd/,
  },
  {
    check: 'webhooks',
    what: 'a webhook whose Service is gone',
    broken: { webhooks: [{ ...webhook, endpoints: undefined }] },
    finds: [
      'error',
      'ValidatingWebhookConfiguration metallb-webhook-configuration',
      'webhooks[0].clientConfig.service',
    ],
    words: /does not exist: the API server refuses every write/,
    remedy: /kubectl delete validatingwebhookconfiguration metallb-webhook-configuration/,
  },
  {
    check: 'webhooks',
    what: 'a webhook without endpoints that may be missing',
    broken: { webhooks: [{ ...webhook, endpoints: 0, failurePolicy: 'Ignore' }] },
    finds: [
      'warning',
      'ValidatingWebhookConfiguration metallb-webhook-configuration',
      'webhooks[0].clientConfig.service',
    ],
    words: /no ready endpoint: nothing is checked/,
    remedy: /^See the pods behind Service metallb-system\/metallb-webhook-service/,
  },
  {
    check: 'webhooks',
    what: 'a webhook without a CA',
    broken: { webhooks: [{ ...webhook, hasCa: false }] },
    finds: [
      'error',
      'ValidatingWebhookConfiguration metallb-webhook-configuration',
      'webhooks[0].clientConfig.caBundle',
    ],
    words: /has no CA/,
    remedy: /See the log/,
  },
  {
    check: 'conversion',
    what: 'peers that need a conversion webhook that is gone',
    broken: { crds: crdWith('bgppeers.metallb.io', { conversion: { ...service, endpoints: undefined } }) },
    finds: [
      'error',
      'CustomResourceDefinition bgppeers.metallb.io',
      'spec.conversion.webhook.clientConfig.service',
    ],
    words: /does not exist: objects stored in another version cannot be read/,
    remedy: /kubectl replace -f config\/crd\/metallb\.io_bgppeers\.yaml/,
  },
  {
    check: 'webhook-answer',
    what: 'a webhook that the API server does not reach',
    broken: { probe: 'failed calling webhook "x": context deadline exceeded' },
    finds: [
      'error',
      'ValidatingWebhookConfiguration metallb-webhook-configuration',
      'webhooks[].clientConfig',
    ],
    words: /deadline exceeded/,
    remedy: /port 9443/,
  },
  {
    check: 'ports',
    what: 'a pod on the port of the heartbeats',
    broken: {
      pods: [
        ...sound.pods,
        {
          namespace: 'swarm',
          name: 'agent',
          node: 'node1',
          labels: {},
          ready: true,
          phase: 'Running',
          why: '',
          hostPorts: [{ port: 7946, protocol: 'UDP' }],
        },
      ],
    },
    finds: ['error', 'Pod swarm/agent', 'spec.containers[].ports'],
    words: /UDP port 7946 of node node1/,
    remedy: /MEMBER_LIST_BIND_PORT/,
  },
  {
    check: 'other-load-balancers',
    what: 'kube-vip',
    broken: { workloads: [...sound.workloads, elsewhere('kube-vip-ds')] },
    finds: ['warning', 'DaemonSet kube-system/kube-vip-ds', 'metadata.name'],
    words: /^kube-vip is installed/,
    remedy: /spec\.loadBalancerClass/,
  },
  {
    check: 'other-load-balancers',
    what: "Cilium's pools",
    broken: { crds: [...sound.crds, crd('ciliumloadbalancerippools.cilium.io')] },
    finds: ['warning', 'CustomResourceDefinition ciliumloadbalancerippools.cilium.io', 'metadata.name'],
    words: /Cilium's LB IPAM/,
    remedy: /Remove it/,
  },
  {
    check: 'other-bgp',
    what: 'kube-router',
    broken: { workloads: [...sound.workloads, elsewhere('kube-router')] },
    finds: ['warning', 'DaemonSet kube-system/kube-router', 'metadata.name'],
    words: /one session per pair of addresses/,
    remedy: /frr-k8s-external/,
  },
  {
    check: 'other-bgp',
    what: 'Calico',
    broken: { crds: [...sound.crds, crd('bgppeers.crd.projectcalico.org')] },
    finds: ['warning', 'CustomResourceDefinition bgppeers.crd.projectcalico.org', 'metadata.name'],
    words: /^Calico can have BGP sessions/,
    remedy: /different source addresses/,
  },
  {
    check: 'pools-and-nodes',
    what: 'a pool with the address of a node',
    broken: pool('10.0.0.1-10.0.0.9'),
    finds: ['error', POOL, 'spec.addresses[1]'],
    words: /10\.0\.0\.1, the address of node node1/,
    remedy: /spec\.excludedAddresses/,
  },
  {
    check: 'pools-and-pods',
    what: 'a pool inside the addresses of pods',
    broken: pool('10.244.1.128/25'),
    finds: ['error', POOL, 'spec.addresses[1]'],
    words: /overlaps with 10\.244\.1\.0\/24, the pods' addresses on node node1/,
    remedy: /nobody in the cluster has/,
  },
  {
    check: 'pools-and-cluster-ips',
    what: 'a pool with a cluster IP',
    broken: pool('10.96.0.0/16'),
    finds: ['error', POOL, 'spec.addresses[1]'],
    words: /10\.96\.0\.7, the cluster IP of Service default\/web/,
    remedy: /outside the range of cluster IPs/,
  },
  {
    check: 'workloads',
    what: 'a speaker that does not come up',
    broken: {
      workloads: [controller, { ...ours('DaemonSet', 'speaker'), desired: 2, ready: 1 }],
      pods: [
        ...sound.pods,
        { ...sound.pods[1]!, name: 'speaker-x2', ready: false, why: 'container frr: ImagePullBackOff' },
      ],
    },
    finds: ['error', 'DaemonSet metallb-system/speaker', 'status.numberReady'],
    words: /1 of 2 pods are ready; pod speaker-x2: container frr: ImagePullBackOff/,
    remedy: /kubectl -n metallb-system describe pod speaker-x2/,
  },
  {
    check: 'workloads',
    what: 'speakers that no node fits',
    broken: { workloads: [controller, { ...ours('DaemonSet', 'speaker'), desired: 0, ready: 0 }] },
    finds: ['error', 'DaemonSet metallb-system/speaker', 'status.desiredNumberScheduled'],
    words: /no pods at all/,
    remedy: /spec\.nodeSelector/,
  },
  {
    check: 'workloads',
    what: 'a controller that was scaled away',
    broken: { workloads: [{ ...controller, desired: 0, ready: 0 }, ours('DaemonSet', 'speaker')] },
    finds: ['error', 'Deployment metallb-system/controller', 'spec.replicas'],
    words: /no pods at all/,
    remedy: /scale deployment controller --replicas=1/,
  },
  {
    check: 'speakers',
    what: 'a node without a speaker',
    broken: { nodes: [node, { ...node, name: 'node2', addresses: [], podCidrs: [], ready: false }] },
    finds: ['warning', 'Node node2', 'spec.taints, metadata.labels'],
    words: /no speaker runs on it \(it is not Ready\)/,
    remedy: /spec\.speakerTolerations/,
  },
  {
    check: 'configuration',
    what: 'a speaker that refuses the configuration',
    broken: {
      states: [{ name: 'speaker-node1', result: 'Invalid', summary: 'configuration error: no such thing' }],
    },
    finds: ['error', 'ConfigurationState speaker-node1', 'status.result'],
    words: /no such thing/,
    remedy: /metallb validate --live/,
  },
];
