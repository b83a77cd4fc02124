/** controller.md §8 and field cases, black box: the program against a real API server. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { metallbResources } from '#core/api/resources.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeObject } from '#runtime/kube/types.ts';
import { ControllerLab, ipsOf, NAMESPACE } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';

let lab: ControllerLab;
beforeAll(async () => {
  lab = await ControllerLab.start();
});
afterEach(() => lab.reset());
afterAll(() => lab?.[Symbol.asyncDispose]());

const dual = { ipFamilyPolicy: 'RequireDualStack' };
const v6 = { ipFamilies: ['IPv6'], ipFamilyPolicy: 'SingleStack' };

/** Field managers of the status: tools, and MetalLB itself, know the controller by that name (controller.md §2.4, §5.1). */
function statusWriters({ metadata }: KubeObject): (string | undefined)[] {
  const entries = metadata['managedFields'] as { subresource?: string; manager?: string }[];
  return entries.filter(({ subresource }) => subresource === 'status').map(({ manager }) => manager);
}

describe('allocation', () => {
  it('1, 53, 55, 173: IPv4, IPv6 and dual-stack Services get addresses, the pool beside them', async () => {
    await lab.pool('p', ['192.0.2.0/28', '2001:db8::/64']);
    await lab.startController();
    await lab.service('four');
    await lab.expectIps('four', ['192.0.2.0']);
    await lab.service('six', v6);
    await lab.expectIps('six', ['2001:db8::']);
    await lab.service('both', dual);
    await lab.expectIps('both', ['192.0.2.1', '2001:db8::1']);
    const service = await lab.read('both');
    expect(service.metadata.annotations?.[ALLOCATED_FROM_POOL]).toBe('p');
    expect(statusWriters(service)).toEqual(['controller']);
    await lab.expectEvent('both', 'IPAllocated', /^Assigned IP \["192\.0\.2\.1" "2001:db8::1"\]$/);
    await eventually(async () =>
      expect(await lab.poolStatus('p')).toEqual({
        assignedIPv4: 2,
        assignedIPv6: 2,
        availableIPv4: 14,
        availableIPv6: 9223372036854775805n,
      }),
    );
    const { IPAddressPool: type } = metallbResources;
    expect(statusWriters(await lab.client.get({ type, namespace: NAMESPACE, name: 'p' }))).toEqual([
      'controller',
    ]);
  });

  it('5, 30, A06: a full pool is an event; the address given back goes to the waiter', async () => {
    await lab.pool('tiny', ['192.0.2.32/32']);
    const controller = await lab.startController();
    await lab.service('first');
    await lab.expectIps('first', ['192.0.2.32']);
    await lab.service('second');
    await lab.expectEvent('second', 'AllocationFailed', /no available IPs in pool "tiny"/);
    expect(await lab.ips('second')).toEqual([]);
    await lab.deleteService('first');
    await lab.expectIps('second', ['192.0.2.32']);
    const failures = (await lab.events('second')).filter(({ reason }) => reason === 'AllocationFailed');
    expect(failures).toHaveLength(1);
    expect(controller.log).toContain('no address for a Service');
  });

  it('14, 15: nothing is written when nothing changes', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    const controller = await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    const { resourceVersion } = (await lab.read('a')).metadata;
    await controller.stop();
    await lab.startController();
    await lab.service('b');
    await lab.expectIps('b', ['192.0.2.1']);
    expect((await lab.read('a')).metadata.resourceVersion).toBe(resourceVersion);
  });

  it('3: type ClusterIP gives the address back, LoadBalancer gets one again', async () => {
    await lab.pool('p', ['192.0.2.0/32']);
    await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    await lab.patchService('a', { spec: { type: 'ClusterIP', allocateLoadBalancerNodePorts: null } });
    await lab.service('b');
    await lab.expectIps('b', ['192.0.2.0']);
    await lab.expectIps('a', []);
    await eventually(async () =>
      expect((await lab.read('a')).metadata.annotations ?? {}).not.toHaveProperty(ALLOCATED_FROM_POOL),
    );
  });

  it('16, 18, 20, 21, 22: what others write into the record is mended or adopted', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    const ingress = (...entries: object[]): object => ({ status: { loadBalancer: { ingress: entries } } });
    await lab.patchService('a', ingress({ ip: '192.0.2.9' }), 'status');
    await lab.service('b');
    await lab.expectIps('b', ['192.0.2.0']);
    expect(await lab.ips('a')).toEqual(['192.0.2.9']);
    await lab.patchService('a', ingress({ ip: '192.0.2.9' }, { hostname: 'lb.example' }), 'status');
    await lab.expectIps('a', ['192.0.2.9']);
    await lab.patchService('a', { metadata: { annotations: { [ALLOCATED_FROM_POOL]: null } } });
    await eventually(async () =>
      expect((await lab.read('a')).metadata.annotations?.[ALLOCATED_FROM_POOL]).toBe('p'),
    );
    await lab.patchService('a', ingress(), 'status');
    await eventually(async () => expect(await lab.ips('a')).toHaveLength(1));
  });

  it('41, 42, 174: requests by annotation, in canonical text and in their order', async () => {
    await lab.pool('p', ['192.0.2.0/28', '2001:db8::/64']);
    await lab.startController();
    const annotations = { 'metallb.io/loadBalancerIPs': '2001:DB8::7,192.0.2.7' };
    await lab.service('a', dual, annotations);
    await lab.expectIps('a', ['2001:db8::7', '192.0.2.7']);
    await lab.service('w', { loadBalancerIP: '192.0.2.7' });
    await lab.expectEvent('w', 'AllocationFailed', /192\.0\.2\.7.*default\/a/);
    const request = { metadata: { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.8,2001:db8::8' } } };
    await lab.patchService('a', request);
    await lab.expectIps('a', ['192.0.2.8', '2001:db8::8']);
    await lab.expectIps('w', ['192.0.2.7']);
  });

  it('11, 12, 13: classes', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.startController('--lb-class=ours.example/lb');
    await lab.service('none');
    await lab.service('other', { loadBalancerClass: 'other.example/lb' });
    await lab.service('ours', { loadBalancerClass: 'ours.example/lb' });
    await lab.expectIps('ours', ['192.0.2.0']);
    expect(await lab.ips('none')).toEqual([]);
    expect(await lab.ips('other')).toEqual([]);
  });

  it('99: a namespace gains the label of a selector', async () => {
    const namespaceSelectors = [{ matchLabels: { gate: 'open' } }];
    await lab.pool('p', ['192.0.2.0/28'], { serviceAllocation: { namespaceSelectors } });
    await lab.startController();
    await lab.service('a');
    await lab.expectEvent('a', 'AllocationFailed', /may be used/);
    const label = (gate: string | null): object => ({ metadata: { labels: { gate } } });
    await lab.client.patch({ type: kinds.Namespace, name: 'default' }, label('open'));
    await lab.expectIps('a', ['192.0.2.0']);
    await lab.client.patch({ type: kinds.Namespace, name: 'default' }, label(null));
    await lab.expectIps('a', []);
  });

  it('a burst of 200 Services: everybody has an address of his own', async () => {
    await lab.pool('p', ['192.0.2.0/24']);
    await lab.startController();
    const names = Array.from({ length: 200 }, (_, index) => `s${index}`);
    await Promise.all(names.map((name) => lab.service(name)));
    const all = await eventually(async () => {
      const services = await lab.client.list(kinds.Service, { namespace: 'default' });
      const ips = services.flatMap(ipsOf);
      expect(ips).toHaveLength(200);
      return ips;
    }, 30_000);
    expect(new Set(all).size).toBe(200);
    await eventually(async () =>
      expect(await lab.poolStatus('p')).toMatchObject({ assignedIPv4: 200, availableIPv4: 56 }),
    );
  });
});
