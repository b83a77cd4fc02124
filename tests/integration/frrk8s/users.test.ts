/** FRRConfigurations of users beside ours, merged by a real frr-k8s (speaker-bgp.md §8.2 to §8.7, §9.7). */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROUTER } from '#lab/net/plan.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FRRK8S, FrrK8sLab, frrConfiguration } from '#tests/support/frrk8s-lab.ts';

const LONG = 60_000;
/** frr-k8s writes the state of a node every thirty seconds. */
const POLLED = 100_000;
const SERVICE = '198.51.100.1/32';
/** What the router has for those who take it. */
const OFFERED = ['203.0.113.0/24', '203.0.113.128/25', '192.0.2.0/24'];

let k8s: FrrK8sLab;

beforeAll(async () => {
  k8s = await FrrK8sLab.up('mlb-t-k8s-users', 2);
  await k8s.startAll();
  const networks = OFFERED.map((prefix) => `  network ${prefix}`).join('\n');
  await k8s.lab.router.load(`router bgp 64513\n address-family ipv4 unicast\n${networks}\n`);
}, 300_000);
afterAll(() => k8s?.[Symbol.asyncDispose]());
afterEach(async () => {
  const users = (await k8s.list('frrconfigurations')).filter(({ metadata }) => metadata.labels === undefined);
  if (users.length > 0) await k8s.remove(...users.map(({ metadata }) => metadata.name));
  // Ours was never in question.
  expect(await k8s.paths(SERVICE)).toHaveLength(2);
});

/** The router as a neighbour, as ours has it: what identifies the session has to be repeated. */
const neighbor = (part: object = {}) => ({ address: ROUTER.ipv4, asn: 64513, connectTime: '1s', ...part });
const onNode = (index: number) => ({
  nodeSelector: { matchLabels: { 'kubernetes.io/hostname': `node${index}` } },
});
const bgp = (neighbors: readonly object[], router: object = {}, more: object = {}) => ({
  bgp: { routers: [{ asn: 64512, neighbors, ...router }], ...more },
});
const receive = (allowed: object) => neighbor({ toReceive: { allowed } });
const expectReceived = (index: number, prefixes: readonly string[]) =>
  eventually(async () => expect(await k8s.received(index)).toEqual([...prefixes].sort()), LONG);

describe('routes to receive', () => {
  it('#113 after ours, and before ours', async () => {
    expect(await k8s.received(1)).toEqual([]);
    const spec = { ...onNode(1), ...bgp([receive({ prefixes: [{ prefix: '192.0.2.0/24' }] })]) };
    await k8s.apply(frrConfiguration('receive', spec));
    await expectReceived(1, ['192.0.2.0/24']);
    expect(await k8s.received(2)).toEqual([]);
    await k8s.remove('metallb-node1');
    await eventually(async () => expect(await k8s.configuration(1)).toBeDefined(), LONG);
    await expectReceived(1, ['192.0.2.0/24']);
    await eventually(async () => expect(await k8s.paths(SERVICE)).toHaveLength(2), LONG);
  });

  it('#116 by length; everything where one object says so', async () => {
    const within = { prefix: '203.0.113.0/24', le: 25, ge: 25 };
    await k8s.apply(frrConfiguration('some', { ...onNode(1), ...bgp([receive({ prefixes: [within] })]) }));
    await expectReceived(1, ['203.0.113.128/25']);
    await k8s.apply(frrConfiguration('every', { ...onNode(1), ...bgp([receive({ mode: 'all' })]) }));
    await eventually(
      async () => expect(await k8s.received(1)).toEqual(expect.arrayContaining(OFFERED)),
      LONG,
    );
  });

  it('#117 --always-block wins over everything', async () => {
    await k8s.apply(frrConfiguration('every', { ...onNode(2), ...bgp([receive({ mode: 'all' })]) }));
    await eventually(
      async () => expect(await k8s.received(2)).toEqual(expect.arrayContaining(OFFERED)),
      LONG,
    );
    await k8s.stopDaemon(2);
    await k8s.startDaemon(2, ['--always-block=203.0.113.0/24']);
    await eventually(async () => {
      const received = await k8s.received(2);
      expect(received).toContain('192.0.2.0/24');
      expect(received.filter((prefix) => prefix.startsWith('203.0.113.'))).toEqual([]);
    }, LONG);
    await k8s.stopDaemon(2);
    await k8s.startDaemon(2);
  });
});

describe('more prefixes for the neighbours of ours', () => {
  const two = ['100.64.1.0/24', '100.64.2.0/24'];
  const announced = async (prefix: string): Promise<number> => (await k8s.paths(prefix)).length;

  it('#114 all of the router, or those that are listed', async () => {
    const advertise = (allowed: object) => neighbor({ toAdvertise: { allowed } });
    const object = (allowed: object) =>
      frrConfiguration('more', { ...onNode(1), ...bgp([advertise(allowed)], { prefixes: two }) });
    await k8s.apply(object({ mode: 'all' }));
    await eventually(async () => expect(await Promise.all(two.map(announced))).toEqual([1, 1]), LONG);
    await k8s.apply(object({ mode: 'filtered', prefixes: [two[0]] }));
    await eventually(async () => expect(await Promise.all(two.map(announced))).toEqual([1, 0]), LONG);
  });

  it('#115 one that the router does not have, or of another family, is denied', async () => {
    const object = (prefix: string, prefixes: readonly string[]) => {
      const toAdvertise = { allowed: { prefixes: [prefix] } };
      return frrConfiguration('wrong', bgp([neighbor({ toAdvertise })], { prefixes }));
    };
    const { stderr } = await k8s.tryApply(object('100.64.9.0/24', two));
    expect(stderr).toContain('denied the request');
    expect(stderr).toContain('non configured prefix 100.64.9.0/24');
    const other = await k8s.tryApply(object('2001:db8:9::/64', ['2001:db8:9::/64']));
    expect(other.stderr).toContain('not compatible with the ipfamily');
  });
});

describe('objects that contradict ours', () => {
  it.each<[string, object, object]>([
    ['the AS of the VRF', {}, { asn: 64999 }],
    ['the AS of the neighbour', { asn: 64999 }, {}],
    ['its port', { port: 1179 }, {}],
    ['its password', { password: 'other' }, {}],
    ['its timers', { holdTime: '30s', keepaliveTime: '10s' }, {}],
    ['the source address', { sourceaddress: '10.90.0.11' }, {}],
  ])('#118 in %s are denied', async (_, part, router) => {
    const { code, stderr } = await k8s.tryApply(frrConfiguration('wrong', bgp([neighbor(part)], router)));
    expect([code, stderr]).toEqual([1, expect.stringContaining('denied the request')]);
  });

  it('#119 a BFD profile on one side only applies; one name with two meanings is denied', async () => {
    await k8s.apply(frrConfiguration('none', { ...onNode(1), ...bgp([neighbor()]) }));
    await eventually(() => expect(k8s.rendered(1)).toMatch(/neighbor 10\.90\.0\.254 bfd profile fast/), LONG);
    const bfdProfiles = [{ name: 'fast', receiveInterval: 999 }];
    const other = bgp([neighbor({ bfdProfile: 'fast' })], {}, { bfdProfiles });
    const { stderr } = await k8s.tryApply(frrConfiguration('other', other));
    expect(stderr).toContain('denied the request');
  });
});

describe('what else users add', () => {
  it('#120 imports of another VRF', async () => {
    const routers = [
      { asn: 64512, neighbors: [], imports: [{ vrf: 'red' }] },
      { asn: 64512, vrf: 'red', prefixes: ['100.64.3.0/24'] },
    ];
    await k8s.apply(frrConfiguration('imports', { ...onNode(1), bgp: { routers } }));
    await eventually(async () => expect(await k8s.running(1)).toContain('import vrf red'), LONG);
    const missing = { bgp: { routers: [{ asn: 64512, neighbors: [], imports: [{ vrf: 'blue' }] }] } };
    expect((await k8s.tryApply(frrConfiguration('missing', missing))).stderr).toContain('not defined');
  });

  it('#121 raw lines in the order of their priority', async () => {
    const raw = (priority: number, rawConfig: string) => ({ ...onNode(1), raw: { priority, rawConfig } });
    await k8s.apply(
      frrConfiguration('a', raw(10, 'ip prefix-list second seq 5 permit 192.0.2.0/24')),
      frrConfiguration('b', raw(5, 'ip prefix-list first seq 5 permit 192.0.2.0/24')),
    );
    await eventually(() => {
      const text = k8s.rendered(1);
      expect(text).toContain('prefix-list second');
      expect(text.indexOf('prefix-list first')).toBeGreaterThan(0);
      expect(text.indexOf('prefix-list first')).toBeLessThan(text.indexOf('prefix-list second'));
    }, LONG);
  });

  it('#122 a password from a Secret that is missing is no denial, but a failed conversion until it is there', async () => {
    const state = async (): Promise<string> => {
      const [found] = (await k8s.list('frrnodestates')).filter(({ metadata }) => metadata.name === 'node2');
      return String(found?.status['lastConversionResult']);
    };
    const session = { address: '10.90.0.99', asn: 64999, passwordSecret: { name: 'later' } };
    await k8s.apply(frrConfiguration('secret', { ...onNode(2), ...bgp([session]) }));
    await eventually(async () => expect(await state()).toMatch(/^failed/), POLLED);
    const stringData = { password: 'x' };
    const metadata = { name: 'later', namespace: FRRK8S };
    await k8s.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/basic-auth',
      metadata,
      stringData,
    });
    await eventually(async () => expect(await state()).toBe('success'), POLLED);
  }, 240_000);

  it('#123 in another namespace has no effect', async () => {
    const spec = { ...onNode(1), ...bgp([receive({ mode: 'all' })]) };
    await k8s.apply(
      frrConfiguration('elsewhere', spec, 'default'),
      frrConfiguration('here', { ...onNode(2), ...spec }),
    );
    const here = { ...spec, ...onNode(2) };
    await k8s.apply(frrConfiguration('here', here));
    await eventually(
      async () => expect(await k8s.received(2)).toEqual(expect.arrayContaining(OFFERED)),
      LONG,
    );
    expect(await k8s.received(1)).toEqual([]);
    await k8s.lab.kubectl(['-n', 'default', 'delete', 'frrconfiguration', 'elsewhere']);
  });

  it('#124 a selector that is changed: the node it leaves drops the configuration', async () => {
    const spec = (index: number) => ({ ...onNode(index), ...bgp([receive({ mode: 'all' })]) });
    await k8s.apply(frrConfiguration('moving', spec(1)));
    await eventually(async () => expect(await k8s.received(1)).not.toEqual([]), LONG);
    await k8s.apply(frrConfiguration('moving', spec(2)));
    await expectReceived(1, []);
    await eventually(async () => expect(await k8s.received(2)).not.toEqual([]), LONG);
  });
});

describe('what frr-k8s tells', () => {
  it('#125 BGPSessionState of our sessions, and of one that nobody answers', async () => {
    const states = async () => {
      const found = await k8s.list('bgpsessionstates.frrk8s.metallb.io');
      const fields = ['node', 'peer', 'bgpStatus', 'bfdStatus'];
      return found.map(({ status }) => fields.map((field) => status[field]).join(' ')).sort();
    };
    const ours = [
      'node1 10.90.0.254 Established Up',
      'node1 fd90-0000-0000-0000-0000-0000-0000-0254 Established Up',
    ];
    await eventually(async () => expect(await states()).toEqual(expect.arrayContaining(ours)), LONG);
    const nobody = { address: '10.90.0.99', asn: 64999 };
    await k8s.apply(frrConfiguration('nobody', { ...onNode(1), ...bgp([nobody]) }));
    const silent = expect.stringMatching(/^node1 10\.90\.0\.99 (Idle|Connect|Active) N\/A$/);
    await eventually(async () => expect(await states()).toContainEqual(silent), LONG);
    const bfd = bgp([{ ...nobody, bfdProfile: 'slow' }], {}, { bfdProfiles: [{ name: 'slow' }] });
    await k8s.apply(frrConfiguration('nobody', { ...onNode(1), ...bfd }));
    const down = expect.stringMatching(/^node1 10\.90\.0\.99 (Idle|Connect|Active) Down$/);
    await eventually(async () => expect(await states()).toContainEqual(down), LONG);
    await k8s.remove('nobody');
    await eventually(async () => {
      expect((await states()).filter((text) => text.includes('10.90.0.99'))).toEqual([]);
    }, LONG);
  });

  it('#126 the state of a node goes with its daemon’s pod, and comes back with the daemon', async () => {
    const names = async () => (await k8s.list('frrnodestates')).map(({ metadata }) => metadata.name);
    await eventually(async () => expect(await names()).toEqual(['node1', 'node2']), LONG);
    await k8s.stopDaemon(2);
    await eventually(async () => expect(await names()).toEqual(['node1']), LONG);
    await k8s.startDaemon(2);
    await eventually(async () => expect(await names()).toEqual(['node1', 'node2']), LONG);
  });
});
