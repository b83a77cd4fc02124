/** A node that is emptied: from its label, or the end of its speaker, to what FRR is given. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DRAIN, NODE } from '#core/api/labels.ts';
import { statusLabels } from '#core/status/service-status.ts';
import { metallbResources } from '#core/api/resources.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeSpeaker, NAMESPACE } from '#tests/support/fake-speaker.ts';

const WAIT_MS = 5_000;
const IP = '10.20.30.1';

let lab: FakeSpeaker;
beforeEach(async () => {
  lab = await FakeSpeaker.create({ gracefulShutdownSeconds: WAIT_MS / 1000 });
  lab.put('BGPPeer', 'tor', { myASN: 64512, peerASN: 64513, peerAddress: '10.0.0.1' });
  lab.put('BGPPeer', 'inner', { myASN: 64512, peerASN: 64512, peerAddress: '10.0.0.2' });
  lab.put('BGPAdvertisement', 'all', { localPref: 200 });
  lab.serving('web', [IP]);
  await lab.speaker.start();
  await eventually(() => expect(state()).toBe('as ever'));
});
afterEach(() => lab[Symbol.asyncDispose]());

function state(ip = IP): 'nothing' | 'marked' | 'as ever' {
  const { lines } = lab.frr;
  const network = lines.find((line) => line.includes(`network ${ip}/32`));
  if (network === undefined) return 'nothing';
  const tag = /CLASS-(\d+)/.exec(network)?.[1];
  const entry = lines.filter((line) => line.startsWith(`route-map 10.0.0.1-out permit ${tag} > `));
  return entry.some((line) => line.endsWith('set community graceful-shutdown')) ? 'marked' : 'as ever';
}

/** Another node announces a Service, as its speaker says; its session is up, unless told. */
function announced(node: string, service: string, { isUp = true } = {}): void {
  const labels = {
    [statusLabels.node]: node,
    [statusLabels.serviceName]: service,
    [statusLabels.serviceNamespace]: 'default',
  };
  const status = { node, serviceName: service, serviceNamespace: 'default', peers: ['tor'] };
  const metadata = { name: `bgp-${node}-${service}`, namespace: NAMESPACE, labels };
  lab.fake.put(metallbResources.ServiceBGPStatus, { metadata, status });
  session(node, isUp);
}

function session(node: string, isUp: boolean): void {
  const metadata = { name: `${node}-tor`, namespace: NAMESPACE, labels: { [NODE]: node } };
  const status = { node, peer: 'tor', bgpStatus: isUp ? 'Established' : 'Active' };
  lab.fake.put(metallbResources.BGPSessionState, { metadata, status });
}

const goesOn = (node: string, service = 'web'): void =>
  lab.fake.remove(metallbResources.ServiceBGPStatus, `${NAMESPACE}/bgp-${node}-${service}`);

/** Moves time on while the network catches up. */
async function pass(ms: number): Promise<void> {
  await lab.clock.advance(ms);
}

const becomes = (wanted: ReturnType<typeof state>, ip?: string) =>
  eventually(() => expect(state(ip)).toBe(wanted));

describe('the label metallb.io/drain', () => {
  it('marks the routes, waits, and withdraws them; without it they are back at once', async () => {
    announced('iris2', 'web');
    lab.node('iris1', { [DRAIN]: '' });
    await becomes('marked');
    await pass(WAIT_MS - 1);
    expect(state()).toBe('marked');
    await pass(1);
    await becomes('nothing');
    expect(lab.withdrawn).toEqual(['nodeDraining']);
    lab.node('iris1');
    await becomes('as ever');
  });

  it('inside our AS the preference goes down to 0 as well', async () => {
    announced('iris2', 'web');
    lab.node('iris1', { [DRAIN]: '' });
    await becomes('marked');
    const inner = lab.frr.lines.filter((line) => line.startsWith('route-map 10.0.0.2-out permit'));
    expect(inner.filter((line) => line.includes('local-preference'))).toEqual([
      expect.stringMatching(/set local-preference 0$/),
    ]);
  });

  it('the ServiceBGPStatus stays while the routes do, and goes with them; the event of an announcement is not repeated', async () => {
    const own = () =>
      lab.fake
        .objects(metallbResources.ServiceBGPStatus)
        .filter(({ metadata }) => metadata.labels?.[NODE] === 'iris1');
    await eventually(() => expect(own()).toHaveLength(1));
    const events = lab.events.length;
    announced('iris2', 'web');
    lab.node('iris1', { [DRAIN]: '' });
    await becomes('marked');
    expect(own()).toHaveLength(1);
    expect(lab.events).toHaveLength(events);
    await pass(WAIT_MS);
    await eventually(() => expect(own()).toEqual([]));
  });

  it('the last path stays, unmarked, however long; it is told', async () => {
    lab.node('iris1', { [DRAIN]: '' });
    await eventually(() => expect(lab.lines.map(({ fields }) => fields['event'])).toContain('serviceKept'));
    await pass(10 * WAIT_MS);
    expect(state()).toBe('as ever');
    expect(await lab.series('metallb_bgp_draining_services')).toEqual([
      'metallb_bgp_draining_services{state="leaving"} 0',
      'metallb_bgp_draining_services{state="withdrawn"} 0',
      'metallb_bgp_draining_services{state="kept"} 1',
    ]);
  });

  it('each Service for itself', async () => {
    lab.serving('other', ['10.20.30.2']);
    await becomes('as ever', '10.20.30.2');
    announced('iris2', 'other');
    lab.node('iris1', { [DRAIN]: '' });
    await becomes('marked', '10.20.30.2');
    await pass(WAIT_MS);
    await becomes('nothing', '10.20.30.2');
    expect(state()).toBe('as ever');
  });
});

describe('who counts as another path', () => {
  beforeEach(async () => {
    announced('iris2', 'web');
    lab.node('iris1', { [DRAIN]: '' });
    await becomes('marked');
    await pass(WAIT_MS);
    await becomes('nothing');
  });

  it('a node that no longer announces the Service does not: the route is back', async () => {
    goesOn('iris2');
    await becomes('as ever');
  });
  it('a node that is emptied itself does not', async () => {
    lab.node('iris2', { [DRAIN]: '' });
    await becomes('as ever');
  });
  it('a node whose speaker is not heard does not', async () => {
    lab.members.setAlive('iris1');
    await becomes('as ever');
  });
  it('a Node that is deleted does not', async () => {
    lab.fake.remove(kinds.Node, 'iris2');
    await becomes('as ever');
  });
  it('with policy Local a node without an endpoint does not, whatever its status still says', async () => {
    lab.serving('web', [IP], { spec: { externalTrafficPolicy: 'Local' } });
    await pass(1);
    expect(state()).toBe('nothing');
    lab.slice('web', 'iris1');
    await becomes('as ever');
  });
  it('a node whose session with the router is down does not', async () => {
    session('iris2', false);
    await eventually(async () => {
      await pass(2_000);
      expect(state()).toBe('as ever');
    });
    session('iris2', true);
    await eventually(async () => {
      await pass(2_000);
      expect(state()).toBe('nothing');
    });
  });
});

describe('the end of the speaker', () => {
  it('has the traffic go elsewhere first, and takes no longer than needed', async () => {
    announced('iris2', 'web');
    let isOver = false;
    const end = lab.speaker.drain().then(() => (isOver = true));
    await becomes('marked');
    await eventually(async () => {
      await pass(500);
      expect(isOver).toBe(true);
    });
    await end;
    expect(state()).toBe('nothing');
    expect(lab.clock.now()).toBeLessThan(WAIT_MS + 4_000);
  });

  it('the last path is left as it is, and not waited for', async () => {
    let isOver = false;
    const end = lab.speaker.drain().then(() => (isOver = true));
    await eventually(async () => {
      await pass(100);
      expect(isOver).toBe(true);
    });
    await end;
    expect(state()).toBe('as ever');
    expect(lab.clock.now()).toBeLessThan(WAIT_MS);
  });
});
