/** Projections: what the operator keeps of the objects it watches. */
import type { MetalLBSpec } from '#core/config/metallb.ts';
import type { Condition } from '#core/status/metallb-conditions.ts';
import type { ContainerTrouble, DaemonSetView, DeploymentView, PodView } from '#operator/availability.ts';
import type { KubeObject } from '#runtime/kube/types.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The whole object without the bookkeeping of server-side apply. */
export function wholeObject(raw: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = raw.metadata;
  return { ...raw, metadata };
}

/** The CR's spec. Its structure is the CRD's schema, which the API server enforced. */
export function specOf(raw: KubeObject): MetalLBSpec {
  return fieldsOf(raw['spec']);
}

/** The CR's stored conditions; what is not one is left out. */
export function conditionsOf(raw: KubeObject): Condition[] {
  return listOf(fieldsOf(raw['status'])['conditions']).map((item) => {
    const status = textOf(item['status']);
    return {
      type: textOf(item['type']),
      status: status === 'True' || status === 'False' ? status : 'Unknown',
      reason: textOf(item['reason']),
      message: textOf(item['message']),
      lastTransitionTime: textOf(item['lastTransitionTime']),
      observedGeneration: numberOf(item['observedGeneration']),
    };
  });
}

export function deploymentView(raw: KubeObject): DeploymentView {
  const status = fieldsOf(raw['status']);
  const replicas = fieldsOf(raw['spec'])['replicas'];
  const updatedReplicas = numberOf(status['updatedReplicas']);
  return {
    generation: raw.metadata.generation ?? 0,
    observedGeneration: numberOf(status['observedGeneration']),
    replicas: typeof replicas === 'number' ? replicas : 1,
    readyReplicas: numberOf(status['readyReplicas']),
    updatedReplicas,
    oldReplicas: Math.max(0, numberOf(status['replicas']) - updatedReplicas),
  };
}

export function daemonSetView(raw: KubeObject): DaemonSetView {
  const status = fieldsOf(raw['status']);
  return {
    generation: raw.metadata.generation ?? 0,
    observedGeneration: numberOf(status['observedGeneration']),
    desired: numberOf(status['desiredNumberScheduled']),
    current: numberOf(status['currentNumberScheduled']),
    ready: numberOf(status['numberReady']),
    updated: numberOf(status['updatedNumberScheduled']),
  };
}

export function podView(raw: KubeObject): PodView {
  const status = fieldsOf(raw['status']);
  const conditions = listOf(status['conditions']);
  const scheduled = conditions.find((condition) => condition['type'] === 'PodScheduled');
  return {
    name: raw.metadata.name,
    component: raw.metadata.labels?.['component'] ?? '',
    node: textOf(fieldsOf(raw['spec'])['nodeName']),
    ready: conditions.some((condition) => condition['type'] === 'Ready' && condition['status'] === 'True'),
    unschedulable: scheduled?.['status'] === 'False' ? textOf(scheduled['message']) : '',
    troubles: listOf(status['containerStatuses']).flatMap(troubleOf),
  };
}

/** Starting is no trouble; everything else that a container waits for is. */
function troubleOf(status: Fields): ContainerTrouble[] {
  const waiting = fieldsOf(fieldsOf(status['state'])['waiting']);
  const reason = textOf(waiting['reason']);
  if (reason === '' || reason === 'ContainerCreating' || reason === 'PodInitializing') return [];
  const message = textOf(waiting['message']);
  return [{ container: textOf(status['name']), reason, message }];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
