/** The speaker's loops and Layer 2: status objects and metrics (speaker-l2.md §9). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { PATIENCE_MS } from '#speaker/loops/service-status.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeSpeaker, HERS, MINE, NAMESPACE } from '#tests/support/fake-speaker.ts';

let lab: FakeSpeaker;
beforeEach(async () => {
  lab = await FakeSpeaker.start();
});
afterEach(() => lab[Symbol.asyncDispose]());

describe('status objects', () => {
  const labels = (node: string) => ({
    'metallb.io/node': node,
    'metallb.io/service-name': 'web',
    'metallb.io/service-namespace': 'default',
  });
  const foreign = (name: string, node: string): void => {
    const status = { node, serviceName: 'web', serviceNamespace: 'default', interfaces: [] };
    lab.fake.put(metallbResources.ServiceL2Status, {
      metadata: { name, namespace: NAMESPACE, labels: labels(node) },
      spec: {},
      status,
    });
  };

  it('112, 117: one, in our namespace, owned by the speaker pod of this node alone', async () => {
    lab.serving('web', [MINE]);
    await eventually(() =>
      expect(lab.statuses).toMatchObject([
        { status: { node: 'iris1', serviceName: 'web', serviceNamespace: 'default' } },
      ]),
    );
    expect(lab.statuses[0]?.metadata).toMatchObject({
      namespace: NAMESPACE,
      labels: labels('iris1'),
      ownerReferences: [{ kind: 'Pod', name: 'speaker-iris1', uid: 'pod-iris1' }],
    });
    expect(lab.statuses[0]?.metadata['ownerReferences']).toHaveLength(1);
  });

  it('113, 114: the interfaces are those that are asked for, none means all; the same object follows changes', async () => {
    lab.serving('web', [MINE]);
    const interfaces = () =>
      (lab.statuses[0]?.['status'] as { interfaces?: unknown } | undefined)?.interfaces;
    await eventually(() => expect(interfaces()).toEqual([]));
    const { name } = lab.statuses[0]?.metadata ?? {};
    lab.put('L2Advertisement', 'ad', { interfaces: ['eth0'] });
    await eventually(() => expect(interfaces()).toEqual([{ name: 'eth0' }]));
    expect(lab.statuses).toHaveLength(1);
    expect(lab.statuses[0]?.metadata.name).toBe(name);
  });

  it('115: a new leader removes what another node left', async () => {
    foreign('l2-old', 'iris2');
    await eventually(() => expect(lab.statuses).toHaveLength(1));
    lab.serving('web', [MINE]);
    await eventually(() =>
      expect(lab.statuses.map(({ metadata }) => metadata.labels?.['metallb.io/node'])).toEqual(['iris1']),
    );
  });

  it('116: who does not lead leaves the objects of others alone', async () => {
    foreign('l2-hers', 'iris2');
    lab.serving('web', [HERS]);
    lab.serving('mine', [MINE]);
    await eventually(() => expect(lab.statuses).toHaveLength(2));
    lab.fake.remove(kinds.Service, 'default/mine');
    await eventually(() => expect(lab.statuses.map(({ metadata }) => metadata.name)).toEqual(['l2-hers']));
  });

  it('B22: the object of a silent speaker is left alone for a while, and for good when it comes back', async () => {
    foreign('l2-hers', 'iris2');
    lab.serving('web', [HERS]);
    await eventually(() => expect(lab.statuses).toHaveLength(1));
    const { resourceVersion } = lab.statuses[0]?.metadata ?? {};
    lab.members.setAlive('iris1');
    await lab.expectHeld(HERS);
    await lab.clock.advance(PATIENCE_MS - 1);
    lab.members.setAlive('iris1', 'iris2');
    lab.members.report('iris2', { held: [HERS] });
    await lab.expectHeld();
    await lab.clock.advance(2 * PATIENCE_MS);
    expect(lab.statuses.map(({ metadata }) => [metadata.name, metadata.resourceVersion])).toEqual([
      ['l2-hers', resourceVersion],
    ]);
    lab.members.setAlive('iris1');
    await lab.expectHeld(HERS);
    await lab.clock.advance(PATIENCE_MS);
    await eventually(() =>
      expect(lab.statuses.map(({ metadata }) => metadata.labels?.['metallb.io/node'])).toEqual(['iris1']),
    );
  });

  it('B22: a speaker that starts leaves its own objects alone until it takes part and knows', async () => {
    await lab[Symbol.asyncDispose]();
    lab = await FakeSpeaker.create();
    foreign('l2-mine', 'iris1');
    lab.put('L2Advertisement', 'ad');
    lab.serving('web', [MINE]);
    lab.members.setAlive();
    await lab.speaker.start();
    await lab.clock.advance(1_000);
    const { resourceVersion } = lab.statuses[0]?.metadata ?? {};
    lab.members.setAlive('iris1', 'iris2');
    await lab.expectHeld(MINE);
    await lab.clock.advance(1_000);
    expect(lab.statuses.map(({ metadata }) => metadata.resourceVersion)).toEqual([resourceVersion]);
    // What it does not announce any more goes as soon as it knows.
    lab.members.setAlive();
    await lab.expectHeld();
    lab.fake.remove(kinds.Service, 'default/web');
    lab.members.setAlive('iris1', 'iris2');
    await eventually(() => expect(lab.statuses).toEqual([]));
  });

  it('118: the metric exists on the node that announces and on no other', async () => {
    lab.serving('mine', [MINE]);
    lab.serving('hers', [HERS]);
    await lab.expectHeld(MINE);
    expect(await lab.series('metallb_speaker_announced{')).toEqual([
      `metallb_speaker_announced{service="default/mine",protocol="layer2",node="iris1",ip="${MINE}"} 1`,
    ]);
  });

  it('119: the counters of an address have the names of MetalLB', async () => {
    lab.serving('web', [MINE]);
    await lab.expectHeld(MINE);
    expect(lab.l2.ask(MINE)).toBe(true);
    for (const [name, value] of [
      ['requests_received', 1],
      ['responses_sent', 1],
      ['gratuitous_sent', 2],
    ] as const)
      expect(await lab.series(`metallb_layer2_${name}`)).toEqual([
        `metallb_layer2_${name}{ip="${MINE}"} ${value}`,
      ]);
  });
});
