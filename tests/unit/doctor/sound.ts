/** A cluster and a machine with which nothing is wrong; tests break one thing at a time. */
import type { ClusterFacts, NodeFact, WebhookFact, WorkloadFact } from '#core/doctor/cluster-facts.ts';
import type { HostAndCluster } from '#core/doctor/host-facts.ts';
import { metallbResources } from '#core/api/resources.ts';

export const ours = (kind: WorkloadFact['kind'], component: string): WorkloadFact => ({
  kind,
  namespace: 'metallb-system',
  name: component,
  labels: { app: 'metallb', component, 'app.kubernetes.io/part-of': 'metallb' },
  desired: 1,
  ready: 1,
  args: [`/${component}`],
  images: ['registry.test/metallb:v1'],
  ports: [],
});

const pod = (component: string, node: string) => ({
  namespace: 'metallb-system',
  name: `${component}-x1`,
  node,
  labels: { app: 'metallb', component },
  ready: true,
  phase: 'Running',
  why: '',
  hostPorts: component === 'speaker' ? [{ port: 7946, protocol: 'TCP' }] : [],
});

export const controller = ours('Deployment', 'controller');

export const node: NodeFact = {
  name: 'node1',
  labels: { 'kubernetes.io/os': 'linux' },
  ready: true,
  addresses: ['10.0.0.1'],
  podCidrs: ['10.244.1.0/24'],
};

export const webhook: WebhookFact = {
  configuration: 'metallb-webhook-configuration',
  index: 0,
  name: 'ipaddresspoolvalidationwebhook.metallb.io',
  failurePolicy: 'Fail',
  service: { namespace: 'metallb-system', name: 'metallb-webhook-service' },
  endpoints: 1,
  hasCa: true,
};

export const soundCluster: ClusterFacts = {
  version: 'v1.33.1',
  namespace: { name: 'metallb-system', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
  proxy: { object: 'ConfigMap kube-system/kube-proxy', mode: 'ipvs', strictArp: true },
  nodes: [node],
  workloads: [controller, ours('DaemonSet', 'speaker')],
  pods: [pod('controller', 'node1'), pod('speaker', 'node1')],
  crds: Object.values(metallbResources).map(({ plural, version }) => ({
    name: `${plural}.metallb.io`,
    group: 'metallb.io',
    stored: [version],
    served: [version],
    conversion: undefined,
  })),
  webhooks: [webhook],
  probe: '',
  pools: [{ namespace: 'metallb-system', name: 'lan', addresses: ['192.0.2.0/24'] }],
  peers: [],
  l2Advertisements: 1,
  services: [
    {
      namespace: 'default',
      name: 'web',
      clusterIps: ['10.96.0.7'],
      isLoadBalancer: true,
      loadBalancerClass: '',
      ingress: ['192.0.2.1'],
    },
  ],
  states: [{ name: 'controller', result: 'Valid', summary: '' }],
};

export const soundHost: HostAndCluster = {
  sockets: [
    { protocol: 'TCP', port: 7946, program: 'node /speaker.js --port=9120', inContainer: true },
    { protocol: 'UDP', port: 3784, program: '/usr/lib/frr/bfdd -F traditional', inContainer: true },
  ],
  daemons: [{ name: 'bgpd', pid: 11, inContainer: true }],
  interfaces: [
    { name: 'lo', addresses: ['127.0.0.1'] },
    { name: 'eth0', addresses: ['10.0.0.1', 'fe80::1'] },
    { name: 'eth1', addresses: ['10.1.0.1'] },
    { name: 'red', addresses: [] },
  ],
  gateways: ['10.0.0.254'],
  sysctls: {
    'ipv4/ip_forward': '1',
    'ipv6/conf/all/forwarding': '1',
    'ipv6/conf/all/disable_ipv6': '0',
    'ipv4/conf/all/rp_filter': '0',
    'ipv4/conf/eth0/rp_filter': '2',
    'ipv4/conf/eth1/rp_filter': '0',
    'ipv4/conf/all/arp_ignore': '1',
  },
  packetSockets: 'yes',
  ipv6: 'yes',
  vrf: 'no',
  tcpMd5: 'yes',
  pools: [{ namespace: 'metallb-system', name: 'lan', addresses: ['192.0.2.0/24', '2001:db8::/120'] }],
  peers: [{ namespace: 'metallb-system', name: 'router', vrf: 'red', hasPassword: true }],
  proxy: { object: '', mode: 'ipvs', strictArp: true },
};
