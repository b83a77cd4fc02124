/** From objects to the views of `metallb doctor`. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import * as views from '#cli/doctor/views.ts';
import { componentOf, isOurs } from '#core/doctor/cluster-facts.ts';
import type { KubeObject } from '#runtime/kube/types.ts';

const objectsOf = (file: string): KubeObject[] =>
  parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as KubeObject);

describe('views of objects', () => {
  it.each([
    ['config/manifests/metallb-frr.yaml', ['controller', 'speaker']],
    ['config/operator/install.yaml', ['operator']],
    ['config/webhook/webhook.yaml', ['webhook-server']],
  ])('the workloads of %s are known as ours', (file, components) => {
    const workloads = objectsOf(file)
      .filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')
      .map((object) => views.workloadFact(object.kind as 'Deployment', object));
    expect(workloads.map((workload) => componentOf(workload))).toEqual(expect.arrayContaining(components));
    expect(workloads).toHaveLength(components.length);
    expect(workloads.filter((workload) => !isOurs(workload))).toEqual([]);
  });

  it('kube-proxy by its ConfigMap and by its flags', () => {
    const text = 'kind: KubeProxyConfiguration\nmode: ipvs\nipvs:\n  strictARP: true\n';
    const map = { metadata: { name: 'kube-proxy', namespace: 'kube-system' }, data: { 'config.conf': text } };
    expect(views.proxyOfConfigMap(map)).toEqual({
      object: 'ConfigMap kube-system/kube-proxy',
      mode: 'ipvs',
      strictArp: true,
    });
    const empty = { ...map, data: { 'config.conf': '' } };
    expect(views.proxyOfConfigMap(empty)).toMatchObject({ mode: '', strictArp: false });
    const containers = [{ command: ['kube-proxy', '--proxy-mode=ipvs', '--ipvs-strict-arp'] }];
    const daemon = {
      metadata: { name: 'kube-proxy', namespace: 'kube-system' },
      spec: { template: { spec: { containers } } },
    };
    expect(views.proxyOfWorkload(views.workloadFact('DaemonSet', daemon))).toEqual({
      object: 'DaemonSet kube-system/kube-proxy',
      mode: 'ipvs',
      strictArp: true,
    });
  });

  it('ports that a pod takes on its node: all on the host network, else its host ports', () => {
    const pod = (hostNetwork: boolean) => ({
      metadata: { name: 'p', namespace: 'x' },
      spec: {
        hostNetwork,
        containers: [
          {
            ports: [
              { containerPort: 7946, protocol: 'UDP' },
              { containerPort: 80, hostPort: 8080 },
            ],
          },
        ],
      },
    });
    expect(views.podFact(pod(true)).hostPorts).toEqual([
      { port: 7946, protocol: 'UDP' },
      { port: 80, protocol: 'TCP' },
    ]);
    expect(views.podFact(pod(false)).hostPorts).toEqual([{ port: 8080, protocol: 'TCP' }]);
  });

  it('why a pod is not ready: the container that waits, else the scheduler', () => {
    const pod = { metadata: { name: 'p', namespace: 'x' } };
    const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
    const containerStatuses = [{ name: 'frr', state: { waiting } }];
    expect(views.podFact({ ...pod, status: { containerStatuses } }).why).toBe(
      'container frr: ImagePullBackOff (no such image)',
    );
    const conditions = [{ type: 'PodScheduled', status: 'False', message: 'no node has room' }];
    expect(views.podFact({ ...pod, status: { conditions } }).why).toBe('no node has room');
  });

  it("webhooks and conversions of MetalLB's groups, and nobody else's", () => {
    const service = { namespace: 'metallb-system', name: 'metallb-webhook-service', path: '/x' };
    const rules = (group: string) => [{ apiGroups: [group] }];
    const configuration = {
      metadata: { name: 'c' },
      webhooks: [
        { name: 'other', clientConfig: { service }, rules: rules('apps') },
        { name: 'ours', clientConfig: { service, caBundle: 'Cg==' }, rules: rules('frrk8s.metallb.io') },
        { name: 'outside', clientConfig: { url: 'https://x' }, rules: rules('metallb.io') },
      ],
    };
    const at = { namespace: 'metallb-system', name: 'metallb-webhook-service' };
    expect(views.webhookFacts(configuration, () => 3)).toEqual([
      {
        configuration: 'c',
        index: 1,
        name: 'ours',
        failurePolicy: 'Fail',
        service: at,
        endpoints: 3,
        hasCa: true,
      },
    ]);
    const crd = {
      metadata: { name: 'bgppeers.metallb.io' },
      spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig: { service } } } },
    };
    expect(views.crdFact(crd, () => undefined).conversion).toEqual({ ...at, endpoints: undefined });
    expect(views.namedServices([configuration, crd])).toEqual([at, { ...at, endpoints: 0 }]);
  });
});
