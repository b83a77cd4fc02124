/** Readiness of the workloads (operator-packaging.md §10.7, items 74–77). */
import { describe, expect, it } from 'vitest';
import {
  availability,
  type DaemonSetView,
  type DeploymentView,
  type PodView,
} from '#operator/availability.ts';
import { deploymentView } from '#operator/loops/views.ts';

const controller: DeploymentView = {
  generation: 2,
  observedGeneration: 2,
  replicas: 1,
  readyReplicas: 1,
  updatedReplicas: 1,
  oldReplicas: 0,
};
const speaker: DaemonSetView = {
  generation: 3,
  observedGeneration: 3,
  desired: 3,
  current: 3,
  ready: 3,
  updated: 3,
};
const pod: PodView = {
  name: 'speaker-x',
  component: 'speaker',
  node: 'node2',
  ready: false,
  unschedulable: '',
  troubles: [],
};

describe('availability', () => {
  it('all ready: available, with the engine', () => {
    expect(availability({ controller, speaker, pods: [] }, 'engine')).toEqual({
      kind: 'available',
      message: 'engine',
    });
  });

  it.each([
    ['74: stale DaemonSet', { observedGeneration: 2 }],
    ['75: ready below desired', { ready: 2 }],
    ['75: updated below desired', { updated: 2 }],
    ['75: current below desired', { current: 2 }],
  ])('%s', (_, change) => {
    const verdict = availability({ controller, speaker: { ...speaker, ...change }, pods: [] }, '');
    expect(verdict).toMatchObject({ kind: 'progressing', reason: 'SpeakerNotReady' });
  });

  it.each([
    ['76: stale Deployment', { observedGeneration: 1 }],
    ['76: too few ready', { readyReplicas: 0 }],
    ['76: too few updated', { replicas: 2, readyReplicas: 2 }],
  ])('%s', (_, change) => {
    const verdict = availability({ controller: { ...controller, ...change }, speaker, pods: [] }, '');
    expect(verdict).toMatchObject({ kind: 'progressing', reason: 'ControllerNotReady' });
  });

  it('an old controller that stands in for one that does not come up is not the one that was asked for', () => {
    const live = {
      metadata: { name: 'controller', generation: 2 },
      spec: { replicas: 1 },
      status: { observedGeneration: 2, replicas: 2, readyReplicas: 1, updatedReplicas: 1 },
    };
    expect(availability({ controller: deploymentView(live), speaker, pods: [] }, '')).toEqual({
      kind: 'progressing',
      reason: 'ControllerNotReady',
      message: 'Deployment controller: 1 of 1 pods ready, 1 updated, 1 not updated yet',
    });
  });

  it('77: missing workloads', () => {
    const verdict = availability({ controller: undefined, speaker: undefined, pods: [] }, '');
    expect(verdict).toMatchObject({
      kind: 'progressing',
      message: 'DaemonSet speaker does not exist yet; Deployment controller does not exist yet',
    });
  });

  it('names the pod and what it waits for', () => {
    const troubles = [{ container: 'frr', reason: 'ImagePullBackOff', message: 'no such image' }];
    const verdict = availability(
      { controller, speaker: { ...speaker, ready: 2 }, pods: [{ ...pod, troubles }] },
      '',
    );
    expect(verdict).toEqual({
      kind: 'degraded',
      reason: 'PodsFailing',
      message:
        'DaemonSet speaker: 2 of 3 pods ready, 3 of them updated; ' +
        'pod speaker-x on node2: container frr: ImagePullBackOff (no such image)',
    });
    const waiting = availability({ controller, speaker: { ...speaker, ready: 2 }, pods: [pod] }, '');
    expect(waiting).toMatchObject({ kind: 'progressing' });
    expect(waiting.message).toContain('pod speaker-x on node2: not ready');
  });

  it('a DaemonSet without nodes is not available (weak spot 4)', () => {
    const none = { ...speaker, desired: 0, current: 0, ready: 0, updated: 0 };
    expect(availability({ controller, speaker: none, pods: [] }, '')).toMatchObject({
      kind: 'degraded',
      reason: 'NoNodes',
    });
  });
});
