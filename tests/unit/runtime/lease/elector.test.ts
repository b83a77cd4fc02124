import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { leaseType, startElector, type Elector } from '#runtime/lease/elector.ts';
import { silent } from '#runtime/log/logger.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeApiServer } from '#tests/support/fake-apiserver/server.ts';
import { VirtualClock } from '#tests/support/virtual-clock.ts';

let fake: FakeApiServer;
let clock: VirtualClock;
let abort: AbortController;
let lost: string[];

beforeEach(async () => {
  fake = await FakeApiServer.start();
  clock = new VirtualClock();
  abort = new AbortController();
  lost = [];
});
afterEach(async () => {
  abort.abort();
  await fake.close();
});

function compete(identity: string, deployment = ''): Elector {
  return startElector({
    client: createKubeClient(createTransport(plainCredentials(fake.url), { logger: silent })),
    namespace: 'metallb-system',
    name: 'controller',
    identity,
    deployment,
    logger: silent,
    signal: abort.signal,
    onLost: () => lost.push(identity),
    clock,
    random: () => 0,
    unixMicros: () => (clock.now() + 1) * 1000,
  });
}

const spec = () =>
  fake.find(leaseType, 'metallb-system/controller')?.['spec'] as Record<string, unknown> | undefined;
/** Moves time on in steps of a second, letting requests end in between. */
const passing = (ms: number, check: () => void) =>
  eventually(async () => {
    if (clock.now() < ms) await clock.advance(1000);
    check();
  });

describe('elector', () => {
  it('takes a free lease and keeps renewing it', async () => {
    const elector = compete('a');
    await elector.leading;
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
    const first = spec()?.['renewTime'];
    await passing(60_000, () => expect(spec()?.['renewTime']).not.toBe(first));
    expect(elector.isLeading).toBe(true);
    expect(lost).toEqual([]);
  });

  it('makes a Lease that goes with its Deployment, and no new one when both are gone', async () => {
    fake.put(kinds.Deployment, { metadata: { namespace: 'metallb-system', name: 'controller' } });
    const elector = compete('a', 'controller');
    await elector.leading;
    const uid = fake.find(kinds.Deployment, 'metallb-system/controller')?.metadata.uid;
    const lease = fake.find(leaseType, 'metallb-system/controller');
    expect(lease?.metadata['ownerReferences']).toMatchObject([
      { kind: 'Deployment', name: 'controller', uid },
    ]);
    fake.remove(kinds.Deployment, 'metallb-system/controller');
    fake.remove(leaseType, 'metallb-system/controller');
    await passing(60_000, () => expect(lost).toEqual(['a']));
    expect(fake.find(leaseType, 'metallb-system/controller')).toBeUndefined();
  });

  it('leads without an owner when its Deployment cannot be found', async () => {
    await compete('a', 'nowhere').leading;
    const lease = fake.find(leaseType, 'metallb-system/controller');
    expect(lease?.metadata).not.toHaveProperty('ownerReferences');
  });

  it('hands over within one retry when the leader stops cleanly', async () => {
    const first = compete('a');
    await first.leading;
    const second = compete('b');
    await clock.advance(5000);
    expect(second.isLeading).toBe(false);
    await first.stop();
    expect(spec()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    await passing(20_000, () => expect(second.isLeading).toBe(true));
    expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    expect(lost).toEqual([]);
  });

  it('takes over from a leader that fell silent, after its lease and not before', async () => {
    fake.put(leaseType, {
      metadata: { namespace: 'metallb-system', name: 'controller' },
      spec: {
        holderIdentity: 'dead',
        leaseDurationSeconds: 15,
        renewTime: 'x',
        acquireTime: 'x',
        leaseTransitions: 0,
      },
    });
    const elector = compete('b');
    await eventually(() => expect(clock.pending).toBeGreaterThan(0));
    await clock.advance(14_000);
    expect(elector.isLeading).toBe(false);
    await passing(40_000, () => expect(elector.isLeading).toBe(true));
  });

  it('gives up after the renew deadline without the API server, once', async () => {
    const elector = compete('a');
    await elector.leading;
    await fake.close();
    await passing(60_000, () => expect(lost).toEqual(['a']));
    expect(elector.isLeading).toBe(false);
    await clock.advance(60_000);
    expect(lost).toEqual(['a']);
  });

  it('survives a shorter outage', async () => {
    const elector = compete('a');
    await elector.leading;
    fake.fail({ kind: 'reset' }, () => true, 3);
    const before = fake.seen.length;
    await passing(9000, () => expect(fake.seen.length).toBeGreaterThan(before + 4));
    expect(elector.isLeading).toBe(true);
    expect(lost).toEqual([]);
  });

  it('gives up at once when somebody else holds the lease', async () => {
    const elector = compete('a');
    await elector.leading;
    const lease = fake.find(leaseType, 'metallb-system/controller');
    fake.put(leaseType, {
      metadata: { namespace: 'metallb-system', name: 'controller' },
      spec: { ...(lease?.['spec'] as object), holderIdentity: 'thief' },
    });
    await passing(10_000, () => expect(lost).toEqual(['a']));
    expect(spec()).toMatchObject({ holderIdentity: 'thief' });
  });
});
