/** Node objects of the light level: made through the API, Ready, and left alone by everybody. */
import type { LabApi } from '#lab/control/api.ts';
import * as plan from '#lab/net/plan.ts';

/** A Node as a kubelet would have registered it. */
export function nodeObject(index: number): Readonly<Record<string, unknown>> {
  const name = plan.nodeName(index);
  const [addresses, pods] = [plan.nodeAddresses(index), plan.podRanges(index)];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    spec: { podCIDR: pods.ipv4, podCIDRs: [pods.ipv4, pods.ipv6] },
    status: {
      addresses: [
        { type: 'InternalIP', address: addresses.ipv4 },
        { type: 'InternalIP', address: addresses.ipv6 },
        { type: 'Hostname', address: name },
      ],
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'LabNode',
          message: 'a node of the lab',
          lastHeartbeatTime: new Date().toISOString(),
          lastTransitionTime: new Date().toISOString(),
        },
      ],
    },
  };
}

/** Creates the Node; the taint that admission adds (nobody would take it away) is removed. */
export async function createNode(api: LabApi, index: number): Promise<void> {
  await api.create('/api/v1/nodes', nodeObject(index));
  await api.patch(`/api/v1/nodes/${plan.nodeName(index)}`, { spec: { taints: null } });
}
