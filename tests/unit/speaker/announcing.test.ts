/** The speaker's loops and Layer 2: speaker-l2.md §9 from the objects of the API to what is held, told and counted. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXCLUDE_FROM_LOAD_BALANCERS } from '#core/api/labels.ts';
import { metallbResources } from '#core/api/resources.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { LASTING_MS } from '#speaker/loops/unannounced.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeSpeaker, HERS, MINE, NAMESPACE } from '#tests/support/fake-speaker.ts';

const label = (app: string) => [{ matchLabels: { app } }];
let lab: FakeSpeaker;
beforeEach(async () => {
  lab = await FakeSpeaker.start();
});
afterEach(() => lab[Symbol.asyncDispose]());

/** Waits until exactly so many more decisions were asked for than `before`. */
const updatesGrow = (before: number, by: number): Promise<void> =>
  eventually(async () => expect((await lab.updates()) - before).toBe(by));

async function restart(start: () => Promise<FakeSpeaker>): Promise<void> {
  await lab[Symbol.asyncDispose]();
  lab = await start();
}

describe('what makes it decide again', () => {
  beforeEach(async () => {
    lab.serving('web', [MINE]);
    await lab.expectHeld(MINE);
  });

  /** A change of a label of the other node: the same watch, so what came before it was seen. */
  const barrier = (): void => lab.node('iris2', { barrier: String(Math.random()) });

  it.each([
    ['22: a cordon does not', { spec: { unschedulable: true } }],
    [
      '23: heartbeats of conditions do not',
      {
        status: {
          conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:01Z' }],
        },
      },
    ],
    [
      '25: NotReady does not, as long as its speaker is heard',
      { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
    ],
  ])('%s', async (_, more) => {
    const before = await lab.updates();
    lab.node('iris1', {}, more);
    barrier();
    await updatesGrow(before, 1);
    expect(lab.held).toEqual([MINE]);
  });

  it('24: a label of a node does', async () => {
    lab.node('iris1', { [EXCLUDE_FROM_LOAD_BALANCERS]: '' });
    await lab.expectHeld();
    lab.node('iris1');
    await lab.expectHeld(MINE);
  });

  it('121: a member that comes or goes does, for all Services', async () => {
    lab.serving('hers', [HERS]);
    await eventually(() => expect(lab.fake.find(kinds.Service, 'default/hers')).toBeDefined());
    expect(lab.held).toEqual([MINE]);
    lab.members.setAlive('iris1');
    await lab.expectHeld(HERS, MINE);
    lab.members.setAlive('iris1', 'iris2');
    lab.members.report('iris2', { held: [HERS] });
    await lab.expectHeld(MINE);
  });

  it('76: a configuration that is the same in effect changes nothing that is announced', async () => {
    const burst = lab.l2.announced.length;
    lab.put('L2Advertisement', 'ad', { interfaces: [] });
    const before = await lab.updates();
    lab.put('L2Advertisement', 'second');
    await eventually(async () => expect(await lab.updates()).toBeGreaterThan(before));
    expect(lab.l2.announced).toHaveLength(burst);
    expect(lab.reasons('web')).toEqual(['nodeAssigned']);
  });
});

describe('life of an announcement', () => {
  it('66: before there is a Node object for it nothing is decided and nothing fails', async () => {
    await restart(async () => {
      const fresh = await FakeSpeaker.create();
      fresh.fake.remove(kinds.Node, 'iris1');
      fresh.put('L2Advertisement', 'ad');
      fresh.serving('web', [MINE]);
      void fresh.speaker.start();
      return fresh;
    });
    await eventually(() =>
      expect(lab.lines.map(({ message }) => message).join()).toContain('does not exist yet'),
    );
    lab.service('more', [HERS]);
    expect(lab.held).toEqual([]);
    expect(lab.speaker.notReady()).toBeDefined();
    lab.node('iris1');
    await lab.expectHeld(MINE);
    expect(lab.speaker.notReady()).not.toMatch(/first pass/);
  });

  it('tells the others that it holds an address until the one that takes it over does', async () => {
    lab.members.setAlive('iris1');
    lab.serving('web', [HERS]);
    await lab.expectHeld(HERS);
    lab.members.setAlive('iris1', 'iris2');
    await eventually(() => expect(lab.withdrawn).toEqual(['notOwner']));
    expect([lab.held, lab.members.heldBy(HERS)]).toEqual([[HERS], ['iris1']]);
    lab.members.report('iris2', { held: [HERS] });
    await lab.expectHeld();
    expect(lab.members.heldBy(HERS)).toEqual(['iris2']);
  });

  it('67: BGP goes on when Layer 2 stops; the address is withdrawn when both have stopped', async () => {
    const prefix = `${MINE}/32`;
    const routes = () => lab.frr.lines.some((line) => line.includes(prefix));
    lab.put('BGPPeer', 'router', { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' });
    lab.put('BGPAdvertisement', 'ad');
    lab.serving('web', [MINE]);
    await lab.expectHeld(MINE);
    await eventually(() => expect(routes()).toBe(true));
    lab.remove('L2Advertisement', 'ad');
    await lab.expectHeld();
    expect(routes()).toBe(true);
    expect(await lab.series('metallb_speaker_announced{')).toEqual([
      expect.stringContaining('protocol="bgp"'),
    ]);
    lab.remove('BGPAdvertisement', 'ad');
    await eventually(() => expect(routes()).toBe(false));
    expect(await lab.series('metallb_speaker_announced{')).toEqual([]);
  });

  it.each([
    [
      '68: another type',
      'notLoadBalancer',
      () => lab.service('web', [MINE], { spec: { type: 'ClusterIP' } }),
    ],
    ['71: no address left', 'noIPAllocated', () => lab.service('web', [])],
    ['72: a host name without address', 'invalidIP', () => lab.service('web', [''])],
    ['73: an address in no pool', 'ipNotAllowed', () => lab.service('web', ['192.0.2.1'])],
    ['69: deleted', 'serviceDeleted', () => lab.fake.remove(kinds.Service, 'default/web')],
  ])('%s: withdrawn with the reason %s', async (_, reason, change) => {
    lab.serving('web', [MINE]);
    await lab.expectHeld(MINE);
    await eventually(() => expect(lab.statuses).toHaveLength(1));
    change();
    await lab.expectHeld();
    expect(lab.withdrawn).toEqual([reason]);
    expect(await lab.series('metallb_speaker_announced{')).toEqual([]);
    await eventually(() => expect(lab.statuses).toEqual([]));
  });

  it('70: when the address changes the old one is given up in the same pass in which the new one is taken', async () => {
    lab.serving('web', ['10.20.30.3']);
    await lab.expectHeld('10.20.30.3');
    const before = lab.l2.plans.length;
    lab.service('web', [MINE]);
    await lab.expectHeld(MINE);
    expect(lab.l2.plans[before]).toEqual([MINE]);
    const series = await lab.series('metallb_speaker_announced{');
    expect(series).toEqual([expect.stringContaining(`ip="${MINE}"`)]);
  });

  it('74 (better): a pool without an announced address is used at once; only that Service stops', async () => {
    lab.serving('web', [MINE]);
    lab.serving('other', ['10.20.30.3']);
    await lab.expectHeld(MINE, '10.20.30.3');
    lab.put('IPAddressPool', 'pool', { addresses: ['10.20.30.3/32'] });
    await lab.expectHeld('10.20.30.3');
    expect(lab.withdrawn).toEqual(['ipNotAllowed']);
  });

  it('75: what an edit makes invalid stays in force as it was, and the stale gauge says so', async () => {
    lab.serving('web', [MINE]);
    await lab.expectHeld(MINE);
    lab.put('L2Advertisement', 'ad', { ipAddressPools: ['pool', 'pool'] });
    await eventually(async () =>
      expect(await lab.series('metallb_k8s_client_config_stale_bool')).toEqual([
        expect.stringMatching(/ 1$/),
      ]),
    );
    expect(lab.held).toEqual([MINE]);
    lab.serving('new', ['10.20.30.3']);
    await lab.expectHeld(MINE, '10.20.30.3');
    expect(await lab.series('metallb_k8s_client_update_errors_total')).toEqual([
      expect.stringMatching(/ 0$/),
    ]);
  });

  it('124 (better): an invalid object that is removed again leaves everything announced and nothing stale', async () => {
    lab.serving('web', [MINE]);
    await lab.expectHeld(MINE);
    const state = () =>
      lab.fake.find(metallbResources.ConfigurationState, `${NAMESPACE}/speaker-iris1`)?.['status'];
    lab.put('L2Advertisement', 'bad', { ipAddressPools: ['pool', 'pool'] });
    await eventually(() => expect(state()).toMatchObject({ result: 'Invalid' }));
    lab.remove('L2Advertisement', 'bad');
    await eventually(() => expect(state()).toMatchObject({ result: 'Valid' }));
    expect(await lab.series('metallb_k8s_client_config_stale_bool')).toEqual([expect.stringMatching(/ 0$/)]);
    expect(lab.withdrawn).toEqual([]);
    expect(lab.held).toEqual([MINE]);
  });

  it('77: a Service with a class is ignored by a speaker without one, and the other way round', async () => {
    lab.serving('foo', [MINE], { spec: { loadBalancerClass: 'foo' } });
    lab.serving('plain', ['10.20.30.3']);
    await lab.expectHeld('10.20.30.3');
    await restart(async () => {
      const fresh = await FakeSpeaker.create({ lbClass: 'foo' });
      fresh.put('L2Advertisement', 'ad');
      fresh.serving('foo', [MINE], { spec: { loadBalancerClass: 'foo' } });
      fresh.serving('plain', ['10.20.30.3']);
      fresh.serving('bar', ['10.20.30.5'], { spec: { loadBalancerClass: 'bar' } });
      await fresh.speaker.start();
      return fresh;
    });
    expect(lab.held).toEqual([MINE]);
  });

  it('78 (better): nothing is handed over before every Service was decided on, then all of them at once', async () => {
    await restart(() => FakeSpeaker.create());
    lab.put('L2Advertisement', 'ad');
    const ips = Array.from({ length: 600 }, (_, index) => `10.20.30.${index % 250}`);
    for (const [index, ip] of ips.entries()) lab.serving(`s${index}`, [ip]);
    await lab.speaker.start();
    expect(lab.l2.plans[0]?.length).toBeGreaterThan(80);
    expect(new Set(lab.l2.plans.map(String)).size).toBe(1);
  });

  it('42: changing the labels away from the selector withdraws, and back announces again', async () => {
    lab.put('L2Advertisement', 'ad', { ipAddressPools: ['pool'], serviceSelectors: label('nginx') });
    lab.serving('web', [MINE], { labels: { app: 'nginx' } });
    await eventually(() => expect(lab.statuses).toHaveLength(1));
    lab.service('web', [MINE], { labels: { app: 'other' } });
    await eventually(() => expect(lab.statuses).toEqual([]));
    expect(lab.held).toEqual([]);
    lab.service('web', [MINE], { labels: { app: 'nginx' } });
    await eventually(() => expect(lab.statuses).toHaveLength(1));
    expect(lab.held).toEqual([MINE]);
  });
});

describe('accounting', () => {
  it('122: a shared address is held until its last Service goes', async () => {
    lab.serving('foo', [MINE, 'fc00::7']);
    lab.serving('bar', [MINE]);
    await lab.expectHeld(MINE, 'fc00::7');
    await eventually(async () => expect(await lab.series('metallb_speaker_announced{')).toHaveLength(3));
    lab.fake.remove(kinds.Service, 'default/foo');
    await lab.expectHeld(MINE);
    lab.fake.remove(kinds.Service, 'default/bar');
    await lab.expectHeld();
  });

  it('123: another choice of interfaces replaces the one before and announces again', async () => {
    const card = (name: string) => ({ name, mac: '02:00:00:00:00:0b', up: true });
    lab.l2.setInterfaces([card('eth0'), card('eth1')]);
    lab.put('L2Advertisement', 'ad', { interfaces: ['eth0'] });
    lab.serving('web', [MINE]);
    await eventually(() => expect(lab.l2.plan.get(MINE)).toEqual(['eth0']));
    const before = lab.l2.announced.length;
    lab.put('L2Advertisement', 'ad', { interfaces: ['eth1'] });
    await eventually(() => expect(lab.l2.plan.get(MINE)).toEqual(['eth1']));
    expect(lab.l2.announced.slice(before)).toEqual([MINE]);
    expect(lab.held).toEqual([MINE]);
  });

  it('ICMP echo is answered where an advertisement for this node asks for it, and not without', async () => {
    lab.serving('web', [MINE]);
    lab.serving('other', ['10.20.30.3'], { labels: { app: 'other' } });
    await lab.expectHeld(MINE, '10.20.30.3');
    expect(lab.l2.pings).toEqual([]);
    lab.put('L2Advertisement', 'ping', { answerPing: true, serviceSelectors: label('other') });
    await eventually(() => expect(lab.l2.pings).toEqual(['10.20.30.3']));
    lab.service('web', [MINE], { labels: { app: 'other' } });
    await eventually(() => expect(lab.l2.pings).toEqual([MINE, '10.20.30.3']));
    lab.put('L2Advertisement', 'ping', {
      answerPing: true,
      nodeSelectors: [{ matchLabels: { host: 'iris2' } }],
    });
    await eventually(() => expect(lab.l2.pings).toEqual([]));
    lab.put('L2Advertisement', 'ad', { answerPing: true });
    await eventually(() => expect(lab.l2.pings).toEqual([MINE, '10.20.30.3']));
  });

  it('102 (better): a reconcile that changes nothing starts no burst and no event', async () => {
    lab.serving('web', [MINE]);
    await lab.expectHeld(MINE);
    const before = [lab.l2.announced.length, await lab.updates()] as const;
    lab.slice('web', 'iris1');
    lab.service('web', [MINE], { annotations: { 'metallb.io/x': 'y' } });
    await eventually(async () => expect((await lab.updates()) - before[1]).toBeGreaterThanOrEqual(1));
    expect(lab.l2.announced).toHaveLength(before[0]);
    expect(lab.reasons('web')).toEqual(['nodeAssigned']);
  });
});

describe('interfaces that are not there', () => {
  const failed = (ip: string) =>
    `the interfaces specified by LB IP "${ip}" doesn't exist in assigned node "iris1" with protocol "layer2": nowhere`;

  it('84, 85: no node has it: announceFailed, and nodeAssigned and the metric all the same', async () => {
    lab.put('L2Advertisement', 'ad', { interfaces: ['nowhere'] });
    lab.members.links.set('iris1', new Set(['eth0'])).set('iris2', new Set(['eth0']));
    lab.serving('web', [MINE]);
    await eventually(() => expect(lab.reasons('web')).toEqual(['nodeAssigned', 'announceFailed']));
    expect(lab.events.at(-1)).toMatchObject({ type: 'Warning', message: failed(MINE) });
    expect(await lab.series('metallb_speaker_announced{')).toEqual([expect.stringMatching(/ 1$/)]);
    expect(lab.l2.ask(MINE)).toBe(false);
  });

  it('87: one that is excluded counts as not there', async () => {
    // The responder does not list what is excluded.
    lab.l2.setInterfaces([{ name: 'eth0', mac: '02:00:00:00:00:0b', up: true }]);
    lab.members.links.set('iris2', new Set());
    lab.put('L2Advertisement', 'ad', { interfaces: ['veth1'] });
    lab.serving('web', [MINE]);
    await eventually(() => expect(lab.reasons('web')).toContain('announceFailed'));
  });

  it('88: one that exists and is down is no announceFailed; nothing answers there', async () => {
    lab.l2.setInterfaces([{ name: 'eth0', mac: '02:00:00:00:00:0b', up: false }]);
    lab.members.links.set('iris2', new Set());
    lab.put('L2Advertisement', 'ad', { interfaces: ['eth0'] });
    lab.serving('web', [MINE]);
    await lab.expectHeld(MINE);
    expect(lab.reasons('web')).toEqual(['nodeAssigned']);
    expect(lab.l2.ask(MINE)).toBe(false);
  });

  it('A10 E5, 84 (better): the node that is passed over for want of an interface says so, once', async () => {
    lab.members.links.set('iris1', new Set(['eth0'])).set('iris2', new Set(['eth0', 'nowhere']));
    lab.put('L2Advertisement', 'ad', { interfaces: ['nowhere'] });
    lab.serving('web', [MINE]);
    lab.serving('more', ['10.20.30.3']);
    await eventually(() => expect(lab.clock.pending).toBeGreaterThan(2));
    await lab.clock.advance(LASTING_MS);
    expect(lab.held).toEqual([]);
    expect(lab.events.filter(({ name }) => name === 'web')).toEqual([
      expect.objectContaining({
        type: 'Warning',
        reason: 'announceFailed',
        message: `${failed(MINE)}; node "iris2" announces instead`,
      }),
    ]);
    lab.service('web', [MINE], { annotations: { 'metallb.io/x': 'y' } });
    await lab.clock.advance(LASTING_MS);
    expect(lab.reasons('web')).toEqual(['announceFailed']);
  });
});

describe('why nobody announces (A22, A26, B30)', () => {
  const told = async (ms = LASTING_MS): Promise<string[]> => {
    await lab.clock.advance(ms);
    return lab.events.filter(({ reason }) => reason === 'notAnnounced').map(({ message }) => message);
  };
  const nobody = 'no node announces the Service by Layer 2: ';

  it('no endpoint; told once, and only when it lasts', async () => {
    lab.service('web', [MINE]);
    await eventually(() => expect(lab.clock.pending).toBeGreaterThan(1));
    expect(await told(LASTING_MS - 1)).toEqual([]);
    expect(await told(1)).toEqual([`${nobody}no endpoint of the Service can serve`]);
    lab.slice('web', 'iris1');
    await lab.expectHeld(MINE);
    lab.slice('web');
    await lab.expectHeld();
    lab.slice('web', 'iris1');
    await lab.expectHeld(MINE);
    expect(await told(10 * LASTING_MS)).toHaveLength(1);
  });

  it('every candidate is excluded by label', async () => {
    lab.serving('web', [MINE]);
    await lab.expectHeld(MINE);
    for (const name of ['iris1', 'iris2']) lab.node(name, { [EXCLUDE_FROM_LOAD_BALANCERS]: '' });
    await lab.expectHeld();
    await eventually(async () =>
      expect(await told()).toEqual([
        `${nobody}no node may announce: label node.kubernetes.io/exclude-from-external-load-balancers (2)`,
      ]),
    );
  });

  it('the same words on a node that no advertisement selects', async () => {
    lab.put('L2Advertisement', 'ad', { nodeSelectors: [{ matchLabels: { host: 'iris2' } }] });
    lab.slice('web', 'iris1');
    lab.service('web', [MINE], { spec: { externalTrafficPolicy: 'Local' } });
    await eventually(async () =>
      expect(await told()).toEqual([
        `${nobody}no node may announce: no local endpoint that can serve (externalTrafficPolicy Local) (1), not selected by an L2Advertisement (1)`,
      ]),
    );
    lab.slice('web', 'iris2');
    await eventually(async () => expect((await told()).length).toBe(1));
  });

  it('not where no L2Advertisement reaches the Service, nor while this node takes no part', async () => {
    lab.remove('L2Advertisement', 'ad');
    lab.service('web', [MINE]);
    lab.members.isolate();
    lab.put('L2Advertisement', 'other');
    lab.serving('served', ['10.20.30.3']);
    await eventually(async () => expect(await lab.updates()).toBeGreaterThan(3));
    expect((await told(10 * LASTING_MS)).filter((text) => text.includes('speaker'))).toEqual([]);
  });
});
