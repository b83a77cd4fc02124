import { describe, expect, it } from 'vitest';
import { projectEndpointSlice, projectNode, projectSecret, projectService } from '#core/model/projections.ts';

describe('projections', () => {
  it('keep of a Service what decides, and only our annotations', () => {
    const view = projectService({
      metadata: {
        name: 'web',
        namespace: 'shop',
        uid: 'u1',
        resourceVersion: '7',
        annotations: {
          'metallb.io/address-pool': 'p',
          'metallb.universe.tf/allow-shared-ip': 'k',
          'other/x': 'y',
        },
        managedFields: [{ manager: 'kubectl' }],
      },
      spec: {
        type: 'LoadBalancer',
        clusterIPs: ['10.96.0.9', 'fd00::9'],
        ipFamilyPolicy: 'PreferDualStack',
        externalTrafficPolicy: 'Local',
        ports: [{ port: 80 }, { port: 53, protocol: 'UDP', name: 'dns' }],
      },
      status: {
        loadBalancer: {
          ingress: [{ ip: '192.0.2.1', ipMode: 'VIP', ports: [{ port: 80 }] }, { hostname: 'a.example' }],
        },
      },
    });
    expect(view).toMatchObject({
      key: 'shop/web',
      annotations: { 'metallb.io/address-pool': 'p', 'metallb.universe.tf/allow-shared-ip': 'k' },
      clusterIPs: ['10.96.0.9', 'fd00::9'],
      ipFamilyPolicy: 'PreferDualStack',
      externalTrafficPolicy: 'Local',
      ports: [
        { name: '', protocol: 'TCP', port: 80 },
        { name: 'dns', protocol: 'UDP', port: 53 },
      ],
      ingress: [
        { ip: '192.0.2.1', hostname: '', ipMode: 'VIP', hasPorts: true },
        { ip: '', hostname: 'a.example', ipMode: '', hasPorts: false },
      ],
    });
    expect(Object.keys(view.annotations)).toHaveLength(2);
    expect(JSON.stringify(view)).not.toContain('kubectl');
  });

  it('fall back to clusterIP when clusterIPs is empty (controller.md §2.3)', () => {
    expect(
      projectService({ metadata: { name: 'a', namespace: 'b' }, spec: { clusterIP: '10.0.0.1' } }).clusterIPs,
    ).toEqual(['10.0.0.1']);
  });

  it('skip slices without the service label (api.md §10.3) and keep absent conditions undefined', () => {
    expect(projectEndpointSlice({ metadata: { name: 's', namespace: 'n' } })).toBeUndefined();
    const slice = projectEndpointSlice({
      metadata: { name: 's', namespace: 'n', labels: { 'kubernetes.io/service-name': 'web' } },
      endpoints: [
        { addresses: ['10.0.0.1'], nodeName: 'n1' },
        { addresses: ['10.0.0.2'], conditions: { ready: false, serving: true } },
      ],
    });
    expect(slice?.serviceKey).toBe('n/web');
    expect(slice?.endpoints.map(({ ready, serving, nodeName }) => ({ ready, serving, nodeName }))).toEqual([
      { ready: undefined, serving: undefined, nodeName: 'n1' },
      { ready: false, serving: true, nodeName: '' },
    ]);
  });

  it('read NetworkUnavailable and InternalIPs of a Node', () => {
    const node = projectNode({
      metadata: { name: 'n1', labels: { zone: 'a' } },
      status: {
        conditions: [{ type: 'NetworkUnavailable', status: 'True' }],
        addresses: [
          { type: 'Hostname', address: 'n1' },
          { type: 'InternalIP', address: '10.90.0.11' },
        ],
      },
    });
    expect(node).toEqual({
      name: 'n1',
      labels: { zone: 'a' },
      networkUnavailable: true,
      internalIPs: ['10.90.0.11'],
    });
  });

  it('keep of a Secret its type and password only', () => {
    const secret = projectSecret({
      metadata: { name: 's' },
      type: 'kubernetes.io/basic-auth',
      data: { password: 'cMOpcGU=', username: 'eA==' },
    });
    expect(secret).toEqual({ name: 's', type: 'kubernetes.io/basic-auth', password: 'pépe' });
  });
});
