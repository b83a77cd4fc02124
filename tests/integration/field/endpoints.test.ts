/** field-cases.md B13, B14, B27: what endpoints and their slices do to the routes at a router. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '#tests/support/eventually.ts';
import { FieldLab } from '#tests/support/field-lab.ts';

const LONG = 30_000;
/** A change is expected at the router within this time. */
const SOON = 2_000;
let field: FieldLab;

beforeAll(async () => {
  field = await FieldLab.start('mlb-f-eps');
  await field.apply('BGPPeer', 'router-ipv6', {
    myASN: 64512,
    peerASN: 64513,
    peerAddress: 'fd90::254',
    bfdProfile: 'fast',
    connectTime: '1s',
  });
  await eventually(async () => expect(await field.established()).toBe(6), LONG);
});
afterAll(() => field?.[Symbol.asyncDispose]());

interface Entry {
  readonly node: number;
  readonly ready: boolean;
  readonly address?: string;
}

const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const endpoint = ({ node, ready, address = '203.0.113.77' }: Entry) => ({
  addresses: [address],
  nodeName: `node${node}`,
  conditions: { ready, serving: ready, terminating: false },
});

/** Creates or replaces a slice of a Service. */
async function slice(
  service: string,
  name: string,
  entries: readonly Entry[],
  addressType = 'IPv4',
): Promise<void> {
  const body = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': service } },
    addressType,
    endpoints: entries.map(endpoint),
    ports: [{ port: 80, protocol: 'TCP' }],
  };
  await field.lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(body) });
}

const dropSlice = (name: string) => field.lab.api.delete(`${SLICES}/${name}`);

/** A Service without selector and endpoints. */
async function bare(name: string, spec: object): Promise<void> {
  await field.lab.api.create('/api/v1/namespaces/default/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port: 80 }], ...spec },
  });
}

describe('B13: two endpoints with the same IP, one dead, one alive', () => {
  const SIX = '198.51.100.6';
  const dead = { node: 1, ready: false };
  const live = { node: 2, ready: true };
  const policy = (externalTrafficPolicy: string) => field.patch('vm', { spec: { externalTrafficPolicy } });
  beforeEach(async () => {
    await field.pool('p', ['198.51.100.0/28']);
    await field.apply('BGPAdvertisement', 'bgp');
    await bare('vm', { loadBalancerIP: SIX });
  });
  afterEach(() => field.reset());

  it('B13 E1, E2, E3: Cluster: all nodes; Local: the live one’s; in either order and in two slices', async () => {
    const arrangements: readonly (readonly (readonly Entry[])[])[] = [
      [[dead, live]],
      [[live, dead]],
      [[dead], [live]],
    ];
    for (const slices of arrangements) {
      for (const [i, entries] of slices.entries()) await slice('vm', `vm-${i}`, entries);
      await policy('Cluster');
      await field.expectAnnouncers(SIX, [1, 2, 3]);
      await policy('Local');
      await field.expectAnnouncers(SIX, [2], SOON);
      for (const i of slices.keys()) await dropSlice(`vm-${i}`);
      await field.expectAnnouncers(SIX, []);
    }
  });

  it.each(['Cluster', 'Local'])(
    'B13 E4: the live one flips to not ready: no route (%s)',
    async (externalTrafficPolicy) => {
      await slice('vm', 'vm-1', [dead, live]);
      await policy(externalTrafficPolicy);
      await field.expectAnnouncers(SIX, externalTrafficPolicy === 'Local' ? [2] : [1, 2, 3]);
      await slice('vm', 'vm-1', [dead, { ...live, ready: false }]);
      await field.expectAnnouncers(SIX, [], SOON);
    },
  );
});

describe('B14: the slice object is deleted, not emptied', () => {
  const a = () => slice('app', 'app-a', [{ node: 1, ready: true, address: '203.0.113.5' }]);
  const b = () => slice('app', 'app-b', [{ node: 2, ready: true, address: '203.0.113.6' }]);
  const unlabel = () => field.lab.kubectl(['label', 'endpointslice', 'app-a', 'kubernetes.io/service-name-']);
  const app = (ip: string) => bare('app', { externalTrafficPolicy: 'Local', loadBalancerIP: ip });
  /** What happens to the slices, and which nodes may take traffic afterwards. */
  const steps: readonly (readonly [step: string, act: () => Promise<unknown>, nodes: readonly number[]])[] = [
    ['E1 a slice is deleted', () => dropSlice('app-a'), [2]],
    ['E2 and made again', a, [1, 2]],
    ['E3 its label is removed', unlabel, [2]],
    ['E4 both are deleted', () => Promise.all([dropSlice('app-a'), dropSlice('app-b')]), []],
  ];
  afterEach(() => field.reset());

  it('B14 E1 to E5: the routes follow each step within 2 s; a Service made again finds its slices; no error is logged', async () => {
    const FIVE = '198.51.100.5';
    await field.pool('p', ['198.51.100.0/28']);
    await field.apply('BGPAdvertisement', 'bgp');
    await Promise.all([app(FIVE), a(), b()]);
    await field.expectAnnouncers(FIVE, [1, 2]);
    for (const [step, act, nodes] of steps) {
      await act();
      await field.expectAnnouncers(FIVE, nodes, SOON).catch((error: unknown) => {
        throw new Error(step, { cause: error });
      });
    }
    await Promise.all([a(), b()]);
    await field.expectAnnouncers(FIVE, [1, 2]);
    await field.delete('app');
    await field.expectAnnouncers(FIVE, [], SOON);
    await app(FIVE);
    await field.expectAnnouncers(FIVE, [1, 2]);
    for (const index of field.stage.nodes)
      expect(field.lab.daemons.find(`speaker-node${index}`)?.logText()).not.toContain('"level":"error"');
  });

  it('B14 E6: the same on the LAN: one responder, a node that may take traffic', async () => {
    const FIVE = '192.0.2.5';
    await field.pool('p', ['192.0.2.0/28']);
    await field.apply('L2Advertisement', 'l2');
    await Promise.all([app(FIVE), a(), b()]);
    expect(['node1', 'node2']).toContain(await field.responder(FIVE));
    for (const [, act, nodes] of steps) {
      await act();
      if (nodes.length === 0) await field.silent(FIVE, SOON * 2);
      else
        await eventually(async () => {
          const [first, ...others] = await field.responders(FIVE);
          expect(nodes.map((index) => `node${index}`)).toContain(first);
          expect(others).toEqual([]);
        }, SOON * 2);
    }
    await Promise.all([a(), b()]);
    await field.responder(FIVE);
    await field.delete('app');
    await field.silent(FIVE, SOON * 2);
    await app(FIVE);
    expect(['node1', 'node2']).toContain(await field.responder(FIVE));
  });
});

describe('B27: a dual-stack Service that lists IPv6 first, both addresses requested, policy Local', () => {
  const [FOUR, SIX] = ['198.51.100.218', '2001:db8:ff::1'];
  const both = [FOUR, SIX];
  const at = (...nodes: readonly number[]): readonly Entry[] => nodes.map((node) => ({ node, ready: true }));
  const v4 = (...nodes: readonly number[]) => slice('s', 's-4', at(...nodes));
  const v6 = (...nodes: readonly number[]) =>
    slice(
      's',
      's-6',
      at(...nodes).map((entry) => ({ ...entry, address: `fd00:10:244::${entry.node}` })),
      'IPv6',
    );
  const expectBoth = async (...nodes: readonly number[]): Promise<void> => {
    for (const ip of both) await field.expectAnnouncers(ip, nodes);
  };
  const service = async (wanted: string): Promise<void> => {
    await field.lab.api.create('/api/v1/namespaces/default/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 's',
        annotations: { 'metallb.io/address-pool': 'p', 'metallb.io/loadBalancerIPs': wanted },
      },
      spec: {
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        externalTrafficPolicy: 'Local',
        ipFamilyPolicy: 'RequireDualStack',
        ipFamilies: ['IPv6', 'IPv4'],
        ports: [{ port: 80 }],
      },
    });
  };
  beforeEach(async () => {
    await field.pool('p', ['198.51.100.216/29', '2001:db8:ff::/124'], { autoAssign: false });
    await field.apply('BGPAdvertisement', 'all');
  });
  afterEach(() => field.reset());

  it.each([
    ['IPv4 first', both],
    ['IPv6 first', both.toReversed()],
  ])('B27 E1: the status has both, in the order of the annotation: %s', async (_, wanted) => {
    await service(wanted.join());
    await field.expectIps('s', wanted);
    await Promise.all([v4(1, 2), v6(1, 2)]);
    await expectBoth(1, 2);
  });

  it('B27 E2, E4: pods that go and come 20 times, and that move: both families from the same nodes; nothing is allocated again', async () => {
    await service(both.join());
    await Promise.all([v4(1, 2), v6(1, 2)]);
    await expectBoth(1, 2);
    const events = async () =>
      (await field.events('s'))
        .filter(({ reason }) => reason !== 'nodeAssigned')
        .map(({ reason, message }) => [reason, message]);
    const before = await events();
    for (let round = 1; round <= 20; round += 1) {
      await Promise.all([v4(), v6()]);
      if (round % 5 === 0) await expectBoth();
      const nodes = round % 3 === 0 ? [3] : [1, 2];
      await Promise.all([v6(...nodes), v4(...nodes)]);
      await expectBoth(...nodes);
    }
    expect(await events()).toEqual(before);
    expect(await field.ips('s')).toEqual(both);
  });

  it('B27 E3: each family by its own slice; one that lags behind leaves nothing wrong', async () => {
    await service(both.join());
    await v4(1, 2);
    await field.expectAnnouncers(FOUR, [1, 2]);
    expect(await field.announcers(SIX)).toEqual([]);
    await v6(2);
    await field.expectAnnouncers(SIX, [2]);
    await v6(1, 2);
    await expectBoth(1, 2);
    // All pods move; the slice of IPv4 is late.
    await v6(3);
    await field.expectAnnouncers(SIX, [3]);
    expect(await field.announcers(FOUR)).toEqual([1, 2]);
    await v4(3);
    await expectBoth(3);
  });
});
