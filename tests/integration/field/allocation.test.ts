/** field-cases.md A06, A08, A20, B04, B06: who gets which address, why not, and who answers for it, on real parts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '#tests/support/eventually.ts';
import { FieldLab } from '#tests/support/field-lab.ts';

let field: FieldLab;
beforeAll(async () => {
  field = await FieldLab.start('mlb-t-field');
});
afterAll(() => field?.[Symbol.asyncDispose]());

const share = (key: string) => ({ 'metallb.io/allow-shared-ip': key });
const ports = (...list: readonly string[]) => ({
  ports: list.map((text) => {
    const [protocol, port] = text.split('/');
    return { name: text.toLowerCase().replace('/', '-'), protocol, port: Number(port), targetPort: 8080 };
  }),
});
const policy = (ipFamilyPolicy: string) => ({ spec: { ipFamilyPolicy } });

describe('A06: a two-address dual-stack pool and an L2Advertisement without spec', () => {
  afterAll(() => field.reset());
  const s1 = ['192.0.2.32', '2001:db8:0:1::32'] as const;
  const s2 = ['192.0.2.33', '2001:db8:0:1::33'] as const;
  const status = (four: number, six: number) =>
    eventually(async () =>
      expect(await field.poolStatus('tiny')).toMatchObject({ assignedIPv4: four, assignedIPv6: six }),
    );

  it('A06 E1: both ends of a /31 and a /127 are ordinary addresses', async () => {
    await field.pool('tiny', ['192.0.2.32/31', '2001:db8:0:1::32/127']);
    await field.apply('L2Advertisement', 'everything');
    await field.service('s1', policy('PreferDualStack'));
    await field.expectIps('s1', s1);
    await field.service('s2', policy('RequireDualStack'));
    await field.expectIps('s2', s2);
    await status(2, 2);
  });

  it('A06 E2: the third waits, with one Warning that says that the pool is exhausted', async () => {
    await field.service('s3', policy('SingleStack'));
    await field.expectEvent(
      's3',
      'AllocationFailed',
      /no available IPs in pool "tiny" \(all 2 IPv4 addresses are in use/,
    );
    expect(await field.ips('s3')).toEqual([]);
    expect((await field.events('s3')).filter(({ type }) => type === 'Warning')).toHaveLength(1);
  });

  it('A06 E3: all four addresses are answered for, each by one node', async () => {
    for (const ip of [...s1, ...s2]) await field.responder(ip);
  });

  it('A06 E4: what is deleted goes to who waits, without any other trigger', async () => {
    await field.delete('s1');
    await field.expectIps('s3', ['192.0.2.32']);
    await status(2, 1);
    await field.silent('2001:db8:0:1::32');
    await field.responder('192.0.2.32');
  });
});

describe('A08: gateway addresses reserved by namespace and label', () => {
  afterAll(() => field.reset());
  const gateway = (name: string) => ({ labels: { app: name } });

  it('A08 E1, A08 E2: reserved addresses for those that match in both; everything else from the open pool', async () => {
    for (const name of ['admin-gw', 'tenant-gw']) {
      await field.lab.api.create('/api/v1/namespaces', { metadata: { name } });
      const serviceSelectors = [{ matchLabels: { app: name } }];
      const serviceAllocation = { priority: 50, namespaces: [name], serviceSelectors };
      await field.pool(name, [name === 'admin-gw' ? '192.0.2.50/32' : '192.0.2.51/32'], {
        serviceAllocation,
      });
    }
    await field.pool('default', ['192.0.2.160/29']);
    await field.apply('L2Advertisement', 'all', {
      ipAddressPools: ['default', 'admin-gw', 'tenant-gw'],
      interfaces: ['eth0'],
    });
    const wanted = [
      ['a', 'admin-gw', gateway('admin-gw'), '192.0.2.50'],
      ['t', 'tenant-gw', gateway('tenant-gw'), '192.0.2.51'],
      ['plain', 'admin-gw', {}, '192.0.2.160'],
      ['a2', 'admin-gw', gateway('admin-gw'), '192.0.2.161'],
      ['x', 'default', gateway('admin-gw'), '192.0.2.162'],
    ] as const;
    for (const [name, namespace, options, ip] of wanted) {
      await field.service(name, { ...options, namespace });
      await field.expectIps(name, [ip], namespace);
    }
    for (const [, , , ip] of wanted) await field.responder(ip);
  });

  it('A08 E3: who asks for a reserved address is told which pool it is, and which conditions fail', async () => {
    await field.service('thief', { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.51' } });
    await field.expectEvent(
      'thief',
      'AllocationFailed',
      /pool "tenant-gw" is reserved for other Services.*namespace "default" is not listed in serviceAllocation\.namespaces, and the Service's labels \(none\) match none of serviceAllocation\.serviceSelectors \(app=tenant-gw\)/,
    );
    expect(await field.ips('thief')).toEqual([]);
  });

  it('A08 E4: an address is not moved to a better pool', async () => {
    await field.delete('a', 'admin-gw');
    await field.silent('192.0.2.50');
    expect(await field.ips('a2', 'admin-gw')).toEqual(['192.0.2.161']);
  });
});

describe('A20: one single address for everything', () => {
  afterAll(() => field.reset());
  const one = '192.0.2.120';

  it('A20 E1, A20 E6: three Services, two protocols, one address, counted once', async () => {
    await field.pool('default', [`${one}/32`]);
    await field.apply('L2Advertisement', 'default', { ipAddressPools: ['default'] });
    await field.apply('BGPAdvertisement', 'default', { ipAddressPools: ['default'], peers: ['nobody'] });
    await field.service('web', { annotations: share('one'), spec: ports('TCP/80', 'TCP/443') });
    await field.service('dns', { annotations: share('one'), spec: ports('UDP/53', 'TCP/53') });
    await field.service('mqtt', { annotations: share('one'), spec: ports('TCP/1883') });
    for (const name of ['web', 'dns', 'mqtt']) await field.expectIps(name, [one]);
    await eventually(async () =>
      expect(await field.poolStatus('default')).toMatchObject({ assignedIPv4: 1, availableIPv4: 0 }),
    );
  });

  it('A20 E2, A20 E3: who has no key, and whose port is taken, is told so with the other Service', async () => {
    await field.service('late', { spec: ports('TCP/8080') });
    await field.expectEvent(
      'late',
      'AllocationFailed',
      /in use by default\/dns,default\/mqtt,default\/web, and "default\/late" has no sharing key/,
    );
    await field.service('clash', { annotations: share('one'), spec: ports('TCP/443') });
    await field.expectEvent(
      'clash',
      'AllocationFailed',
      /port TCP\/443 is already in use on "192\.0\.2\.120" by default\/web/,
    );
  });

  it('A20 E4, A20 E5: nobody to announce to is no error, and one node answers', async () => {
    await eventually(async () => {
      const states = await field.states();
      expect(states).toHaveLength(4);
      for (const state of states) expect(state).toMatch(/ Valid$/);
    });
    await field.responder(one);
    await field.expectPaths(one, 0);
  });

  it('A20 E7: the one whose port is free gets the address, the one without key still waits', async () => {
    await field.delete('web');
    await field.expectIps('clash', [one]);
    expect(await field.ips('late')).toEqual([]);
  });
});

describe('B04: pool annotation and requested address changed in one update', () => {
  afterAll(() => field.reset());

  it('B04 E1: each step has the one right outcome, and the controller lives', async () => {
    await field.pool('red', ['198.51.100.10-198.51.100.19'], { autoAssign: false });
    await field.pool('blue', ['203.0.113.10-203.0.113.19'], { autoAssign: false });
    const controller = field.lab.daemons.find('controller');
    const pid = controller?.pid;
    const asks = (pool: string | null, loadBalancerIP?: string | null) =>
      field.patch('s', {
        metadata: { annotations: { 'metallb.io/address-pool': pool } },
        spec: { loadBalancerIP },
      });
    await field.service('s', { annotations: { 'metallb.io/address-pool': 'red' } });
    await field.expectIps('s', ['198.51.100.10']);
    await asks('blue', '203.0.113.15');
    await field.expectIps('s', ['203.0.113.15']);
    expect(await field.poolOf('s')).toBe('blue');
    await field.service('t', { spec: { loadBalancerIP: '198.51.100.10' } });
    await field.expectIps('t', ['198.51.100.10']);
    await asks('red', '203.0.113.15');
    await field.expectIps('s', []);
    await field.expectEvent(
      's',
      'AllocationFailed',
      /203\.0\.113\.15.* of pool "blue", not of the requested pool "red"/,
    );
    await asks(null, null);
    await field.expectEvent(
      's',
      'AllocationFailed',
      /pool "blue": autoAssign is false; pool "red": autoAssign is false/,
    );
    expect(await field.ips('s')).toEqual([]);
    await asks('blue');
    await field.expectIps('s', ['203.0.113.10']);
    expect([controller?.alive, field.lab.daemons.find('controller')?.pid]).toEqual([true, pid]);
  });
});

describe('B06: four Services of one proxy under policy Local', () => {
  afterAll(() => field.reset());
  const local = (key: string, family: 'IPv4' | 'IPv6', port: string, app = 'web') => ({
    annotations: share(key),
    spec: {
      externalTrafficPolicy: 'Local',
      ipFamilyPolicy: 'SingleStack',
      ipFamilies: [family],
      selector: { app },
      ...ports(port),
    },
  });

  it('B06 E1, B06 E2: TCP and UDP share without asking, in each family; one node answers for each', async () => {
    await field.pool('p', ['192.0.2.64-192.0.2.68', '2001:db8:0:1::64-2001:db8:0:1::68']);
    await field.apply('L2Advertisement', 'l2');
    for (const name of ['t6t', 't4u', 't6u', 't4t']) {
      const family = name.startsWith('t4') ? 'IPv4' : 'IPv6';
      await field.service(name, local(name.slice(0, 2), family, name.endsWith('u') ? 'UDP/443' : 'TCP/443'));
    }
    for (const name of ['t4u', 't4t']) await field.expectIps(name, ['192.0.2.64']);
    for (const name of ['t6u', 't6t']) await field.expectIps(name, ['2001:db8:0:1::64']);
    await field.responder('192.0.2.64');
    await field.responder('2001:db8:0:1::64');
  });

  it('B06 E3, B06 E4, B06 E5: other pods do not share under Local; the event names Services and rule', async () => {
    await field.service('odd', local('t4', 'IPv4', 'TCP/8443', 'other'));
    await field.expectIps('odd', ['192.0.2.65']);
    const asking = local('t4', 'IPv4', 'TCP/8443', 'other');
    await field.service('odd2', { ...asking, spec: { ...asking.spec, loadBalancerIP: '192.0.2.64' } });
    await field.expectEvent(
      'odd2',
      'AllocationFailed',
      /in use by default\/t4t,default\/t4u, and with externalTrafficPolicy Local only Services with the same selector can share: theirs has policy Local and selector app=web, "default\/odd2" has policy Local and selector app=other/,
    );
    expect(await field.ips('odd2')).toEqual([]);
  });
});
