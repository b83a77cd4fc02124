import { describe, expect, it } from 'vitest';
import {
  planServiceStatus,
  projectServiceStatus,
  serviceOfStatus,
  statusLabels,
  type ServiceStatusView,
  type StatusWish,
} from '#core/status/service-status.ts';

const view = (
  name: string,
  node: string,
  items: readonly string[] = [],
  stamp = '2026-01-01T00:00:00Z',
): ServiceStatusView => ({
  name,
  labels: {
    [statusLabels.node]: node,
    [statusLabels.serviceName]: 'web',
    [statusLabels.serviceNamespace]: 'shop',
  },
  ownerUids: [],
  items,
  node,
  creationTimestamp: stamp,
});
const l2 = (items: readonly string[] | undefined): StatusWish => ({
  kind: 'ServiceL2Status',
  serviceKey: 'shop/web',
  node: 'n1',
  items,
});
const bgp = (items: readonly string[] | undefined): StatusWish => ({
  ...l2(items),
  kind: 'ServiceBGPStatus',
});

describe('ServiceL2Status (speaker-l2.md §7.3)', () => {
  it('is created with the three labels when this node announces', () => {
    expect(planServiceStatus(l2([]), [])).toEqual([
      {
        kind: 'create',
        labels: view('', 'n1').labels,
        status: { node: 'n1', serviceName: 'web', serviceNamespace: 'shop', interfaces: [] },
      },
    ]);
  });

  it('gets its status, sorted, after it was created', () => {
    expect(planServiceStatus(l2(['eth1', 'eth0']), [{ ...view('a', 'n1'), node: '' }])).toEqual([
      {
        kind: 'write-status',
        name: 'a',
        status: {
          node: 'n1',
          serviceName: 'web',
          serviceNamespace: 'shop',
          interfaces: [{ name: 'eth0' }, { name: 'eth1' }],
        },
      },
    ]);
  });

  it('is left alone when nothing changed', () => {
    expect(planServiceStatus(l2(['eth1', 'eth0']), [view('a', 'n1', ['eth0', 'eth1'])])).toEqual([]);
  });

  it('a new owner removes its surplus and the objects of other nodes', () => {
    const existing = [view('b', 'n1', [], '2026-01-02T00:00:00Z'), view('a', 'n1'), view('c', 'n2')];
    expect(planServiceStatus(l2([]), existing)).toEqual([
      { kind: 'delete', name: 'b' },
      { kind: 'delete', name: 'c' },
    ]);
  });

  it('a node that stops removes only its own', () => {
    expect(planServiceStatus(l2(undefined), [view('a', 'n1'), view('c', 'n2')])).toEqual([
      { kind: 'delete', name: 'a' },
    ]);
  });
});

describe('ServiceBGPStatus (speaker-bgp.md §7.2)', () => {
  it('leaves the objects of other nodes alone and carries sorted peers', () => {
    expect(planServiceStatus(bgp(['p2', 'p1', 'p2']), [view('a', 'n1', ['p1']), view('c', 'n2')])).toEqual([
      {
        kind: 'write-status',
        name: 'a',
        status: { node: 'n1', serviceName: 'web', serviceNamespace: 'shop', peers: ['p1', 'p2'] },
      },
    ]);
  });
});

describe('views', () => {
  it('are read from stored objects of both kinds', () => {
    const metadata = {
      name: 'l2-x',
      labels: view('', 'n1').labels,
      ownerReferences: [{ uid: 'u' }],
      creationTimestamp: 't',
    };
    expect(
      projectServiceStatus({ metadata, status: { node: 'n1', interfaces: [{ name: 'eth0' }] } }),
    ).toMatchObject({ items: ['eth0'], node: 'n1', ownerUids: ['u'] });
    expect(projectServiceStatus({ metadata, status: { peers: ['p'] } }).items).toEqual(['p']);
    expect(serviceOfStatus(projectServiceStatus({ metadata }))).toBe('shop/web');
    expect(serviceOfStatus(projectServiceStatus({ metadata: { name: 'x' } }))).toBe('');
  });
});
