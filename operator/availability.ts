/**
 * Are the workloads what the CR asked for? Pure: from what the API server says about Deployment, DaemonSet and pods
 * to the verdict that becomes the CR's conditions (operator-packaging.md §2.6, items 74–77).
 */
import type { MetalLBVerdict } from '#core/status/metallb-conditions.ts';

export interface DeploymentView {
  readonly generation: number;
  readonly observedGeneration: number;
  /** `spec.replicas`; absent counts as 1. */
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly updatedReplicas: number;
  /** Pods of the old template, which stay until enough new ones are ready. */
  readonly oldReplicas: number;
}

export interface DaemonSetView {
  readonly generation: number;
  readonly observedGeneration: number;
  readonly desired: number;
  readonly current: number;
  readonly ready: number;
  readonly updated: number;
}

/** A container that waits or keeps ending, in the kubelet's words. */
export interface ContainerTrouble {
  readonly container: string;
  readonly reason: string;
  readonly message: string;
}

export interface PodView {
  readonly name: string;
  readonly component: string;
  readonly node: string;
  readonly ready: boolean;
  /** Why the scheduler found no place; empty otherwise. */
  readonly unschedulable: string;
  readonly troubles: readonly ContainerTrouble[];
}

export interface Workloads {
  readonly controller: DeploymentView | undefined;
  readonly speaker: DaemonSetView | undefined;
  readonly pods: readonly PodView[];
}

/** Waiting reasons that do not go away by waiting. */
const failing: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImageNeverPull',
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'RunContainerError',
]);

/** The verdict once everything is applied; `message` is what Available says. */
export function availability(workloads: Workloads, message: string): MetalLBVerdict {
  const waiting = [...speakerWaits(workloads.speaker), ...controllerWaits(workloads.controller)];
  if (waiting.length === 0) return noNodes(workloads.speaker) ?? { kind: 'available', message };
  const pods = workloads.pods.filter((pod) => !pod.ready).map(podText);
  const text = [...waiting.map((wait) => wait.text), ...pods].join('; ');
  if (workloads.pods.some((pod) => pod.troubles.some(({ reason }) => failing.has(reason)))) {
    return { kind: 'degraded', reason: 'PodsFailing', message: text };
  }
  const reason = waiting[0]?.reason ?? 'Progressing';
  return { kind: 'progressing', reason, message: text };
}

interface Wait {
  readonly reason: 'ControllerNotReady' | 'SpeakerNotReady';
  readonly text: string;
}

function speakerWaits(view: DaemonSetView | undefined): Wait[] {
  const reason = 'SpeakerNotReady';
  if (view === undefined) return [{ reason, text: 'DaemonSet speaker does not exist yet' }];
  if (view.generation !== view.observedGeneration) {
    return [{ reason, text: 'DaemonSet speaker: the latest change is not taken up yet' }];
  }
  const { desired, current, ready, updated } = view;
  if (current === desired && ready === desired && updated === desired) return [];
  const text = `DaemonSet speaker: ${ready} of ${desired} pods ready, ${updated} of them updated`;
  return [{ reason, text }];
}

function controllerWaits(view: DeploymentView | undefined): Wait[] {
  const reason = 'ControllerNotReady';
  if (view === undefined) return [{ reason, text: 'Deployment controller does not exist yet' }];
  if (view.generation !== view.observedGeneration) {
    return [{ reason, text: 'Deployment controller: the latest change is not taken up yet' }];
  }
  const { replicas, readyReplicas, updatedReplicas, oldReplicas } = view;
  if (readyReplicas === replicas && updatedReplicas === replicas && oldReplicas === 0) return [];
  const old = oldReplicas === 0 ? '' : `, ${oldReplicas} not updated yet`;
  const text = `Deployment controller: ${readyReplicas} of ${replicas} pods ready, ${updatedReplicas} updated${old}`;
  return [{ reason, text }];
}

/** A DaemonSet without nodes is "ready" and serves nobody: say so instead of being content. */
function noNodes(view: DaemonSetView | undefined): MetalLBVerdict | undefined {
  if (view === undefined || view.desired > 0) return undefined;
  const message =
    'No node runs a speaker, so no address is announced: check spec.nodeSelector, spec.speakerTolerations and the nodes.';
  return { kind: 'degraded', reason: 'NoNodes', message };
}

function podText(pod: PodView): string {
  const where = pod.node === '' ? '' : ` on ${pod.node}`;
  const why = [
    ...(pod.unschedulable === '' ? [] : [pod.unschedulable]),
    ...pod.troubles.map(
      ({ container, reason, message }) =>
        `container ${container}: ${reason}${message === '' ? '' : ` (${message})`}`,
    ),
  ];
  return `pod ${pod.name}${where}: ${why.length === 0 ? 'not ready' : why.join(', ')}`;
}
