/** field-cases.md A13 and B23: whole sets of objects as people apply them, and sessions that must not notice. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NAMESPACE } from '#lab/demo/stage.ts';
import { nodeAddresses } from '#lab/net/plan.ts';
import { deleteService } from '#lab/workload/service.ts';
import { eventually } from '#tests/support/eventually.ts';
import { LONG_MS, R1, RouterLab } from '#tests/support/router-lab.ts';

let field: RouterLab;
beforeAll(async () => {
  field = await RouterLab.up('mlb-f-sets', 3);
  for (const step of field.stage.deploy) await step.run(() => undefined);
});
afterAll(() => field?.down());
afterEach(() => field.clear());

const manifest = (kind: string, name: string, spec: string, version = 'v1beta1'): string =>
  `apiVersion: metallb.io/${version}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${NAMESPACE}}\nspec: {${spec}}\n---\n`;
const apply = async (text: string): Promise<void> => {
  expect(await field.kubectl(['apply', '-f', '-'], text)).toMatchObject({ code: 0, stderr: '' });
};
const programs = (): string[] => ['controller', ...field.stage.nodes.map((index) => `speaker-node${index}`)];
const allValid = (withinMs = LONG_MS): Promise<void> =>
  eventually(async () => {
    for (const name of programs())
      expect(await field.state(name), name).toMatchObject({ result: 'Valid', errorSummary: '' });
  }, withinMs);

describe('A13: the telco reference set', () => {
  const NODE = nodeAddresses(1).ipv4;
  const PREFIX = '198.51.100.0/32';
  const timers = 'receiveInterval: 150, transmitInterval: 150, detectMultiplier: 10';
  const set = [
    manifest('BFDProfile', 'bfdp', `${timers}, passiveMode: true, minimumTtl: 5`),
    manifest(
      'BGPPeer',
      'peer-one',
      `peerAddress: ${R1}, peerASN: 64501, myASN: 64500, routerID: ${NODE}, bfdProfile: bfdp, passwordSecret: {}, ` +
        'disableMP: false, peerPort: 179, nodeSelectors: [{matchLabels: {kubernetes.io/hostname: node1}}]',
      'v1beta2',
    ),
    manifest('Community', 'community-set', 'communities: [{name: bgpcommunity, value: "64500:100"}]'),
    manifest('IPAddressPool', 'addresspool3', 'addresses: ["198.51.100.0/24"]'),
    manifest(
      'BGPAdvertisement',
      'bgpadvertisement-1',
      'ipAddressPools: [addresspool3], peers: [peer-one], communities: [bgpcommunity, "65535:65282"], ' +
        'aggregationLength: 32, aggregationLengthV6: 128, localPref: 100',
    ),
  ];
  const bfdAtRouter = (...lines: readonly string[]): Promise<void> =>
    field.r1.load(`router bgp 64501\n${lines.map((line) => ` ${line}\n`).join('')}`);
  const session = () => field.neighbor(field.r1);
  interface SessionState {
    readonly bgpStatus: string;
    readonly bfdStatus: string;
    readonly lastError: string;
    readonly conditions: readonly { readonly type: string; readonly reason: string }[];
  }
  /** What the product says of the session of node1. */
  async function told(): Promise<SessionState | undefined> {
    const argv = [
      '-n',
      NAMESPACE,
      'get',
      'bgpsessionstates.metallb.io',
      '-l',
      'metallb.io/node=node1',
      '-o',
      'json',
    ];
    return (JSON.parse(await field.lab.kubectl(argv)) as { items: { status?: SessionState }[] }).items[0]
      ?.status;
  }
  /** The route at the router is as the set wants it. */
  const expectRoute = (withinMs = LONG_MS): Promise<void> =>
    eventually(async () => {
      expect(await field.nextHops(field.r1, PREFIX)).toEqual([NODE]);
      const route = JSON.stringify(await field.r1.json(`show bgp ipv4 unicast ${PREFIX} json`));
      for (const word of ['64500:100', 'no-advertise']) expect(route).toContain(word);
      expect(route).not.toContain('locPrf":100');
    }, withinMs);
  const bfdIs = (status: string): Promise<void> =>
    eventually(async () => {
      const peers = await field.r1.json<readonly Record<string, unknown>[]>('show bfd peers json');
      expect(peers.find(({ peer }) => peer === NODE)).toMatchObject({ status });
    }, LONG_MS);

  it('A13 E1, E2, E3: all states Valid, the route with its communities from n1, BFD up with the timers of the profile', async () => {
    await field.route(field.r1, { asn: 64501, nodeAsn: 64500, bfd: true });
    await apply(set.join(''));
    await field.service('a');
    await allValid();
    await eventually(async () => expect(await field.addresses('a')).toEqual(['198.51.100.0']), LONG_MS);
    await expectRoute();
    await bfdIs('up');
    const peers = await field.r1.json<readonly Record<string, unknown>[]>('show bfd peers json');
    expect(peers.find(({ peer }) => peer === NODE)).toMatchObject({
      'remote-receive-interval': 150,
      'remote-transmit-interval': 150,
      'remote-detect-multiplier': 10,
    });
  });

  it('A13 E4: a router without BFD: BGP is established, BFD down, and both are told', async () => {
    await field.route(field.r1, { asn: 64501, nodeAsn: 64500 });
    await apply(set.join(''));
    await field.service('a');
    await expectRoute();
    await eventually(async () => {
      expect(await told()).toMatchObject({ bgpStatus: 'Established', bfdStatus: 'Down' });
    }, LONG_MS);
    const { connectionsDropped } = await session();
    await bfdAtRouter(`neighbor ${NODE} bfd`);
    await bfdIs('up');
    expect(await session()).toMatchObject({ bgpState: 'Established', connectionsDropped });
  });

  it('A13 E5: a router that becomes passive as well: BGP goes down with BFD, which is named as the reason', async () => {
    await field.route(field.r1, { asn: 64501, nodeAsn: 64500, bfd: true });
    await apply(set.join(''));
    await field.service('a');
    await expectRoute();
    await bfdIs('up');
    await field.r1.load('bfd\n profile quiet\n  passive-mode\n exit\nexit\n');
    await bfdAtRouter(`neighbor ${NODE} bfd profile quiet`);
    // Two silent ends never find each other again once they lost each other.
    await field.lab.cutNode(1);
    await eventually(async () => expect((await session()).bgpState).not.toBe('Established'), LONG_MS);
    await field.lab.healNode(1);
    await eventually(async () => {
      const state = await told();
      expect(state?.bgpStatus).not.toBe('Established');
      expect(state?.bfdStatus).toBe('Down');
      expect(state?.conditions.find(({ type }) => type === 'Established')?.reason).toBe('BFDDown');
    }, LONG_MS);
  });

  it('A13 E6: applied in any order the end is the same, within 10 s, and nothing is restarted', async () => {
    await field.route(field.r1, { asn: 64501, nodeAsn: 64500, bfd: true });
    await field.service('a');
    const pids = programs().map((name) => field.lab.daemons.find(name)?.pid);
    for (const object of set.toReversed()) {
      await apply(object);
      // Each is there for a while before what it refers to.
      await eventually(async () => expect((await field.state('speaker-node1'))?.result).toBeDefined());
    }
    await allValid(10_000);
    await expectRoute(10_000);
    expect(programs().map((name) => field.lab.daemons.find(name)?.pid)).toEqual(pids);
    for (const name of programs()) expect(field.lab.daemons.find(name)?.alive, name).toBe(true);
  });
});

describe('B23: the first and the last Service must not disturb the session', () => {
  const peer = (name: string, address: string, more = ''): string =>
    manifest('BGPPeer', name, `myASN: 64500, peerASN: 64501, peerAddress: "${address}"${more}`, 'v1beta2');
  const rest =
    manifest('IPAddressPool', 'p', 'addresses: ["198.51.100.0/28", "2001:db8:ff::/124"]') +
    manifest('BGPAdvertisement', 'all', '');
  const variants: readonly (readonly [string, string, readonly ('ipv4' | 'ipv6')[]])[] = [
    ['a session of each family', peer('r1', R1) + peer('r1-six', 'fd90::254'), ['ipv4', 'ipv6']],
    ['one session for both', peer('r1', R1, ', dualStackAddressFamily: true'), ['ipv4']],
  ];
  const single = (family: string) => ({ ipFamilyPolicy: 'SingleStack', ipFamilies: [family] });
  const services: readonly (readonly [spec: object, prefixes: readonly string[]])[] = [
    [single('IPv4'), ['198.51.100.0/32']],
    [single('IPv6'), ['2001:db8:ff::/128']],
    [
      { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] },
      ['198.51.100.0/32', '2001:db8:ff::/128'],
    ],
  ];
  /** Everything that the router has from the nodes. */
  async function received(): Promise<readonly string[]> {
    const tables = await Promise.all(
      ['ipv4', 'ipv6'].map((family) => field.r1.json<{ routes?: object }>(`show bgp ${family} unicast json`)),
    );
    return tables.flatMap(({ routes = {} }) => Object.keys(routes)).sort();
  }
  /** Each of the sessions: it is up, and how often it was opened and dropped. */
  async function history(families: readonly ('ipv4' | 'ipv6')[]): Promise<readonly unknown[]> {
    const sessions = field.stage.nodes.flatMap((index) =>
      families.map((family) => field.neighbor(field.r1, index, family)),
    );
    return (await Promise.all(sessions)).map(({ bgpState, connectionsDropped, messageStats }) => [
      bgpState,
      connectionsDropped,
      messageStats.opensRecv,
    ]);
  }

  it.each(variants)(
    'B23 E1, E2, E3, E4: five rounds of first and last Services, with %s',
    async (_, peers, families) => {
      await field.route(field.r1, { asn: 64501, nodeAsn: 64500, families });
      await apply(peers + rest);
      await eventually(async () => {
        for (const [state] of (await history(families)) as [string][]) expect(state).toBe('Established');
      }, LONG_MS);
      expect(await received()).toEqual([]);
      const before = await history(families);
      for (let round = 1; round <= 5; round += 1)
        for (const [spec, prefixes] of services) {
          await field.service('s', spec);
          await eventually(async () => expect(await received()).toEqual(prefixes), 2_000);
          await deleteService(field.lab.api, 's');
          await field.lab.kubectl(['delete', 'endpointslices', '-l', 'kubernetes.io/service-name=s']);
          await eventually(async () => expect(await received()).toEqual([]), 2_000);
        }
      expect(await history(families)).toEqual(before);
    },
  );
});
