/** Telling OLM, over the real client and queue against the fake API server: what is written, when, and what does not matter. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { metallbConditions, type MetalLBVerdict } from '#core/status/metallb-conditions.ts';
import { OlmReport, operatorConditionType } from '#operator/loops/olm-report.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { silent } from '#runtime/log/logger.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeApiServer } from '#tests/support/fake-apiserver/server.ts';
import { VirtualClock } from '#tests/support/virtual-clock.ts';

const namespace = 'metallb-system';
const name = 'metallb-operator.v0.1.0';
const key = `${namespace}/${name}`;
const deployments = ['metallb-operator-controller-manager'];

let fake: FakeApiServer;
let clock: VirtualClock;
let scope: AsyncDisposableStack;
let report: OlmReport;

beforeEach(async () => {
  scope = new AsyncDisposableStack();
  fake = scope.use(await FakeApiServer.start());
  clock = new VirtualClock();
  const credentials = scope.use(plainCredentials(fake.url));
  const client = createKubeClient(createTransport(credentials, { logger: silent }));
  const queue = createQueue({
    name: 'olm',
    handler: (_, signal) => report.write(signal),
    logger: silent,
    clock,
  });
  report = new OlmReport({
    client,
    namespace,
    name,
    logger: silent,
    enqueue: () => queue.add('report'),
    now: () => '2026-01-01T00:00:00Z',
  });
});

afterEach(() => scope.disposeAsync());

/** As OLM makes it. */
function putCondition(): void {
  fake.put(operatorConditionType, { metadata: { name, namespace }, spec: { deployments } });
}

function say(verdict: MetalLBVerdict): void {
  report.say(metallbConditions(verdict, [], { generation: 1, now: '2026-01-01T00:00:00Z' }));
}

const spec = () => fake.find(operatorConditionType, key)?.['spec'];
const patches = () => fake.seen.filter(({ method }) => method === 'PATCH').length;

const progressing: MetalLBVerdict = { kind: 'progressing', reason: 'SpeakerNotReady', message: 'waiting' };

it('writes the condition beside what OLM keeps there, once for each change', async () => {
  putCondition();
  say(progressing);
  await eventually(() =>
    expect(spec()).toEqual({
      deployments,
      conditions: [
        {
          type: 'Upgradeable',
          status: 'False',
          reason: 'SpeakerNotReady',
          message: 'waiting',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    }),
  );
  const reads = () => fake.seen.filter(({ method }) => method === 'GET').length;
  const before = reads();
  say(progressing);
  await eventually(() => expect(reads()).toBe(before + 1));
  say({ kind: 'available', message: 'engine' });
  await eventually(() => expect(spec()).toMatchObject({ conditions: [{ status: 'True' }] }));
  expect(patches()).toBe(2);
});

it('waits for rights and object, which OLM makes a moment later', async () => {
  fake.fail({ kind: 'status', code: 403, reason: 'Forbidden' });
  say(progressing);
  for (const reads of [1, 2]) {
    await eventually(() => expect(fake.seen).toHaveLength(reads));
    await eventually(() => expect(clock.nextIn).toBe(5000));
    if (reads === 2) putCondition();
    await clock.advance(5000);
  }
  await eventually(() => expect(spec()).toMatchObject({ conditions: [{ status: 'False' }] }));
  expect(patches()).toBe(1);
});

it('writes what was said last, the absence of a MetalLB object too', async () => {
  putCondition();
  say(progressing);
  report.say(undefined);
  await eventually(() =>
    expect(spec()).toMatchObject({ conditions: [{ status: 'True', reason: 'NoMetalLB' }] }),
  );
  expect(patches()).toBe(1);
});

it('a write that met another one is done again on the newer object', async () => {
  putCondition();
  fake.fail({ kind: 'status', code: 409, reason: 'Conflict' }, ({ method }) => method === 'PATCH');
  say(progressing);
  await eventually(() => expect(patches()).toBe(1));
  await eventually(() => expect(clock.pending).toBe(1));
  await clock.advance(1000);
  await eventually(() => expect(spec()).toMatchObject({ conditions: [{ status: 'False' }] }));
});
