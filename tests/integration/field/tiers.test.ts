/** field-cases.md A18: pools by BGP for several purposes, one address by Layer 2, fixed addresses of gateways. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeAddresses } from '#lab/net/plan.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FieldLab } from '#tests/support/field-lab.ts';

const LONG = 30_000;
let field: FieldLab;
beforeAll(async () => {
  field = await FieldLab.start('mlb-f-tiers');
  // The case's own peer, and a router that takes host routes of two ranges only and knows no BFD yet.
  await field.remove('bgppeer', 'router');
  await field.lab.router.load(ROUTER);
  await field.lab.router.vtysh('clear bgp *');
});
afterAll(() => field?.[Symbol.asyncDispose]());

const NODES = [1, 2, 3].map((index) => nodeAddresses(index).ipv4);
const ROUTER = [
  'ip prefix-list tiers seq 5 permit 198.51.100.128/25 ge 32',
  'ip prefix-list tiers seq 10 permit 203.0.113.128/25 ge 32',
  'router bgp 64513',
  ...NODES.map((node) => ` no neighbor ${node} bfd`),
  ' address-family ipv4 unicast',
  ...NODES.map((node) => `  neighbor ${node} prefix-list tiers in`),
  ' exit-address-family',
  'exit',
  '',
].join('\n');

interface Session {
  readonly bgpState: string;
  readonly connectionsDropped: number;
  readonly connectionsEstablished: number;
  readonly lastResetDueTo?: string;
  /** Of the NOTIFICATION that ended it. */
  readonly lastNotificationReason?: string;
}

async function sessions(): Promise<readonly Session[]> {
  const all = await field.lab.router.json<Record<string, Session>>('show bgp neighbors json');
  return NODES.map(
    (node) => all[node] ?? { bgpState: 'none', connectionsDropped: 0, connectionsEstablished: 0 },
  );
}
const history = async () =>
  (await sessions()).map(({ bgpState, connectionsDropped, connectionsEstablished }) => [
    bgpState,
    connectionsDropped,
    connectionsEstablished,
  ]);
const established = (): Promise<void> =>
  eventually(async () => {
    for (const { bgpState, lastResetDueTo } of await sessions())
      expect(bgpState, lastResetDueTo).toBe('Established');
  }, 60_000);

describe('A18: tiered pools by BGP, one address by L2, fixed gateway addresses', () => {
  const single = { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] };
  const asked = (key: string, value: string) => ({
    annotations: { [`metallb.io/${key}`]: value },
    spec: single,
  });
  const [GW, PLAIN, CAM, WILD] = ['198.51.100.129', '198.51.100.130', '203.0.113.130', '192.0.2.111'];

  it('A18 E1, E2, E3: each gets its address, the router three routes by three nodes, the LAN one answer', async () => {
    await field.apply('BFDProfile', 'slow', {
      receiveInterval: 500,
      transmitInterval: 500,
      detectMultiplier: 3,
    });
    const peer = {
      myASN: 64512,
      peerASN: 64513,
      peerAddress: '10.90.0.254',
      bfdProfile: 'slow',
      connectTime: '1s',
    };
    await field.apply('BGPPeer', 'r1', peer);
    await field.pool('trusted', ['198.51.100.130-198.51.100.254'], { autoAssign: true });
    await field.pool('trusted-gw', ['198.51.100.129/32'], { autoAssign: false });
    await field.pool('iot', ['203.0.113.130-203.0.113.254'], { autoAssign: false });
    await field.pool('wildcard', ['192.0.2.111/32'], { autoAssign: false });
    await field.apply('BGPAdvertisement', 'tiers', { ipAddressPools: ['trusted', 'trusted-gw', 'iot'] });
    await field.apply('L2Advertisement', 'wildcard', { ipAddressPools: ['wildcard'] });
    await field.service('gw', asked('loadBalancerIPs', GW));
    await field.service('wild', asked('loadBalancerIPs', WILD));
    await field.service('plain', { spec: single });
    await field.service('cam', asked('address-pool', 'iot'));
    for (const [name, ip] of Object.entries({ gw: GW, wild: WILD, plain: PLAIN, cam: CAM }))
      await field.expectIps(name, [ip]);
    for (const ip of [GW, PLAIN, CAM]) await field.expectAnnouncers(ip, [1, 2, 3], 60_000);
    const { routes } = await field.lab.router.json<{ routes: object }>('show bgp ipv4 unicast json');
    expect(Object.keys(routes).sort()).toEqual([GW, PLAIN, CAM].map((ip) => `${ip}/32`).sort());
    await field.responder(WILD);
    for (const ip of [GW, PLAIN]) await field.silent(ip);
  });

  it('A18 E4: without BFD at the router the sessions are up, and do not notice when it is switched on', async () => {
    await established();
    const before = await history();
    await field.lab.router.load(
      `router bgp 64513\n${NODES.map((node) => ` neighbor ${node} bfd\n`).join('')}`,
    );
    await eventually(async () => {
      const peers =
        await field.lab.router.json<readonly { peer: string; status: string }[]>('show bfd peers json');
      const up = peers.filter(({ status }) => status === 'up').map(({ peer }) => peer);
      expect(NODES.filter((node) => !up.includes(node))).toEqual([]);
    }, LONG);
    expect(await history()).toEqual(before);
  });

  it('A18 E5: a node that dies: its routes go by BFD, long before any timer of BGP; the others stay', async () => {
    const [first, , third] = await history();
    await field.lab.cutNode(2);
    for (const ip of [GW, PLAIN, CAM]) await field.expectAnnouncers(ip, [1, 3], 5_000);
    const [, dead] = await sessions();
    expect(`${dead?.lastResetDueTo} ${dead?.lastNotificationReason}`).toMatch(/bfd/i);
    expect(await history()).toEqual([first, expect.anything(), third]);
    await field.lab.healNode(2);
    await field.expectAnnouncers(GW, [1, 2, 3], 60_000);
  });
});
