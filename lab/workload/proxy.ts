/** kube-proxy of a node: the real data path from a Service's address to its endpoints. */
import { join } from 'node:path';
import { nodeName, POD_RANGES } from '#lab/net/plan.ts';

/** @param kubeconfig of the user `system:kube-proxy`, with a server reachable from the node. */
export function proxyCommand(bin: string, kubeconfig: string, index: number): readonly string[] {
  return [
    join(bin, 'kube-proxy'),
    `--kubeconfig=${kubeconfig}`,
    '--proxy-mode=nftables',
    `--hostname-override=${nodeName(index)}`,
    `--cluster-cidr=${POD_RANGES.ipv4},${POD_RANGES.ipv6}`,
    // Connection tracking limits can be set in the machine's first namespace only.
    '--conntrack-max-per-core=0',
    '--conntrack-tcp-timeout-established=0',
    '--conntrack-tcp-timeout-close-wait=0',
    '--healthz-bind-address=127.0.0.1:10256',
    '--metrics-bind-address=127.0.0.1:10249',
  ];
}
