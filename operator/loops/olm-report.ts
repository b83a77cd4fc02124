/**
 * Tells the Operator Lifecycle Manager whether the operator may be replaced, by the OperatorCondition that OLM made for
 * our ClusterServiceVersion. OLM names it to us and grants the rights on it (`get`, `patch`); elsewhere this is not used.
 */
import {
  toldOlm,
  upgradeability,
  type OperatorCondition,
  type Upgradeability,
} from '#core/status/operator-condition.ts';
import type { Condition } from '#core/status/metallb-conditions.ts';
import { fieldManager } from '#operator/loops/sync.ts';
import { KubeError, type KubeClient, type KubeObject, type ResourceType } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { done, type Outcome } from '#runtime/queue/types.ts';

export const operatorConditionType: ResourceType = {
  group: 'operators.coreos.com',
  version: 'v2',
  plural: 'operatorconditions',
  kind: 'OperatorCondition',
  namespaced: true,
};

/** OLM makes object and rights beside our Deployment, perhaps a moment after we start. */
const askAgainMs = 5000;

export interface OlmReportParts {
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly namespace: string;
  /** Name of the OperatorCondition (`OPERATOR_CONDITION_NAME`). */
  readonly name: string;
  readonly logger: Logger;
  /** Has `write` called, soon and as often as it fails. */
  readonly enqueue: () => void;
  /** RFC 3339 with seconds. */
  readonly now: () => string;
}

export class OlmReport {
  readonly #parts: OlmReportParts;
  #wanted: Upgradeability | undefined;

  constructor(parts: OlmReportParts) {
    this.#parts = parts;
  }

  /** What the MetalLB object's conditions are now; undefined: there is no object. */
  say(conditions: readonly Condition[] | undefined): void {
    this.#wanted = upgradeability(conditions);
    this.#parts.enqueue();
  }

  /** Writes what was said last, if OLM has not been told. Throws KubeError. */
  async write(signal: AbortSignal): Promise<Outcome> {
    const { client, namespace, name, logger, now } = this.#parts;
    const wanted = this.#wanted;
    if (wanted === undefined) return done;
    const ref = { type: operatorConditionType, namespace, name };
    try {
      const object = await client.get(ref, signal);
      const conditions = toldOlm(storedConditions(object), wanted, now());
      if (conditions === undefined) return done;
      const { resourceVersion } = object.metadata;
      const body = { metadata: { resourceVersion }, spec: { conditions } };
      await client.patch(ref, body, { fieldManager, signal });
      logger.info('OLM is told', { operatorCondition: name, ...wanted });
      return done;
    } catch (error) {
      if (!(error instanceof KubeError) || (error.status !== 403 && error.status !== 404)) throw error;
      logger.warn('OLM cannot be told yet', { operatorCondition: name, error });
      return { kind: 'after', ms: askAgainMs };
    }
  }
}

function storedConditions(object: KubeObject): readonly OperatorCondition[] {
  const { conditions = [] } = (object['spec'] ?? {}) as { conditions?: readonly OperatorCondition[] };
  return conditions;
}
