/**
 * What the Operator Lifecycle Manager is told about upgrades (OperatorCondition of operators.coreos.com/v2, condition
 * `Upgradeable`): what the MetalLB object's conditions say. While it is False, OLM does not replace the operator.
 */
import type { Condition } from '#core/status/metallb-conditions.ts';
import { transitionTime } from '#core/status/transition.ts';

/** The condition without its time. */
export interface Upgradeability {
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
}

/** One entry of `spec.conditions` of an OperatorCondition. */
export type OperatorCondition = Pick<
  Condition,
  'type' | 'status' | 'reason' | 'message' | 'lastTransitionTime'
>;

export const upgradeableType = 'Upgradeable';

/** Without a MetalLB object there is nothing that an upgrade could disturb. */
const nothingInstalled: Upgradeability = {
  status: 'True',
  reason: 'NoMetalLB',
  message: 'There is no MetalLB object.',
};

/**
 * The status of the object's own condition `Upgradeable`, with reason and message of the one that is raised beside it:
 * `Upgradeable` itself has no message. `conditions` are those of the one MetalLB object that counts; undefined when
 * there is none.
 */
export function upgradeability(conditions: readonly Condition[] | undefined): Upgradeability {
  if (conditions === undefined) return nothingInstalled;
  const status = conditions.find(({ type }) => type === upgradeableType)?.status ?? 'Unknown';
  const raised = conditions.find((each) => each.type !== upgradeableType && each.status === 'True');
  return { status, reason: raised?.reason ?? upgradeableType, message: raised?.message ?? '' };
}

/**
 * The new `spec.conditions`, or undefined when the stored ones say it already: every write makes OLM look again. Entries
 * of other types stay as they are. `now` is RFC 3339 with seconds.
 */
export function toldOlm(
  stored: readonly OperatorCondition[],
  wanted: Upgradeability,
  now: string,
): OperatorCondition[] | undefined {
  const before = stored.find(({ type }) => type === upgradeableType);
  const { status, reason, message } = wanted;
  if (before?.status === status && before.reason === reason && before.message === message) return undefined;
  const lastTransitionTime = transitionTime(before, status, now);
  const others = stored.filter(({ type }) => type !== upgradeableType);
  return [...others, { type: upgradeableType, status, reason, message, lastTransitionTime }];
}
