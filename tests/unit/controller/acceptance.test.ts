/** The condition Accepted against a fake API server: what is written, and when nothing may be. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import type { AcceptedKind } from '#core/status/accepted.ts';
import { NAMESPACE } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeController } from '#tests/support/fake-controller.ts';

let lab: FakeController;
beforeEach(async () => {
  lab = await FakeController.create();
});
afterEach(() => lab[Symbol.asyncDispose]());

const peer = { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1', bfdProfile: 'fast' };

function put(kind: AcceptedKind, name: string, spec: object = {}): void {
  lab.fake.put(metallbResources[kind], { metadata: { name, namespace: NAMESPACE }, spec });
}

function conditionOf(kind: AcceptedKind, name: string): object | undefined {
  const status = lab.fake.find(metallbResources[kind], `${NAMESPACE}/${name}`)?.['status'];
  return (status as { conditions?: readonly object[] } | undefined)?.conditions?.[0];
}

const becomes = (kind: AcceptedKind, name: string, wanted: object): Promise<void> =>
  eventually(() => expect(conditionOf(kind, name)).toMatchObject({ type: 'Accepted', ...wanted }));

const writes = (name: string): number =>
  lab.requests(({ method, url }) => method === 'PATCH' && url.includes(`/${name}/status`)).length;

it('nobody is judged by half of what is there: one write, however late the other kinds come', async () => {
  put('BGPPeer', 'tor', peer);
  put('BFDProfile', 'fast');
  // Two tries wait for 2.4 s at most (full jitter); three would for up to 5.6, longer than is waited here.
  lab.fake.fail({ kind: 'status', code: 500 }, ({ url }) => url.includes('/bfdprofiles'), 2);
  await lab.start();
  await becomes('BGPPeer', 'tor', { status: 'True', reason: 'Accepted' });
  expect(writes('tor')).toBe(1);
});

it('C04: a kind that is not installed is as good as empty; when it comes, all are judged again', async () => {
  put('BGPPeer', 'tor', peer);
  lab.fake.fail({ kind: 'status', code: 404 }, ({ url }) => url.includes('/bfdprofiles'), 1);
  await lab.start();
  await becomes('BGPPeer', 'tor', { status: 'False', reason: 'Invalid' });
  put('BFDProfile', 'fast');
  await becomes('BGPPeer', 'tor', { status: 'True' });
});

it('with a role that does not cover it: tried once, told once, and addresses are given as ever', async () => {
  lab.fake.fail(
    { kind: 'status', code: 403 },
    ({ method, url }) => method === 'PATCH' && url.includes('/bgppeers/'),
    100,
  );
  put('BGPPeer', 'tor', { ...peer, bfdProfile: '' });
  await lab.start();
  const told = (): number =>
    lab.warnings.filter((text) => text.includes('Accepted is off for a kind')).length;
  await eventually(() => expect(told()).toBe(1));
  put('BGPPeer', 'tor', peer);
  put('L2Advertisement', 'all');
  await becomes('L2Advertisement', 'all', { status: 'True' });
  lab.pool('p', '192.0.2.0/28');
  lab.service('a');
  await lab.expectIps('a', ['192.0.2.0']);
  expect([told(), writes('tor')]).toEqual([1, 1]);
});
