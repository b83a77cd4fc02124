/**
 * `MetalLB.status.conditions` (operator-packaging.md §1.3): always the same four, in this order. The one that is
 * current is True and says why; the others are False, with their own type as reason and no message. Unlike the
 * original, every reason is valid for the schema, and a transition time changes only with its condition's status.
 */
import { transitionTime } from '#core/status/transition.ts';

/** metav1.Condition with observedGeneration. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

/** What the operator found out about one MetalLB object. */
export type MetalLBVerdict =
  | { readonly kind: 'available'; readonly message: string }
  | { readonly kind: 'progressing'; readonly reason: ProgressReason; readonly message: string }
  | { readonly kind: 'degraded'; readonly reason: DegradedReason; readonly message: string };

export type ProgressReason = 'Progressing' | 'ControllerNotReady' | 'SpeakerNotReady';

export type DegradedReason =
  | 'IncorrectMetalLBResourceName'
  | 'WrongNamespace'
  | 'InvalidSpec'
  | 'ApplyFailed'
  | 'NoNodes'
  | 'PodsFailing';

export interface ConditionsContext {
  readonly generation: number;
  /** RFC 3339 with seconds. */
  readonly now: string;
}

const order = ['Available', 'Upgradeable', 'Progressing', 'Degraded'] as const;

/** metav1.Condition allows 32768 characters; we stay far below. */
const longestMessage = 4096;

/**
 * The four conditions for a verdict. `previous` are the stored ones: a condition whose status did not change keeps
 * its transition time.
 */
export function metallbConditions(
  verdict: MetalLBVerdict,
  previous: readonly Condition[],
  context: ConditionsContext,
): Condition[] {
  const raised = raisedBy(verdict);
  return order.map((type) => {
    const entry = raised.get(type);
    const status = entry === undefined ? 'False' : 'True';
    const before = previous.find((condition) => condition.type === type);
    return {
      type,
      status,
      reason: entry?.reason ?? type,
      message: (entry?.message ?? '').slice(0, longestMessage),
      lastTransitionTime: transitionTime(before, status, context.now),
      observedGeneration: context.generation,
    };
  });
}

function raisedBy(verdict: MetalLBVerdict): Map<string, { reason: string; message: string }> {
  switch (verdict.kind) {
    case 'available':
      return new Map([
        ['Available', { reason: 'Available', message: verdict.message }],
        ['Upgradeable', { reason: 'Upgradeable', message: '' }],
      ]);
    case 'progressing':
      return new Map([['Progressing', { reason: verdict.reason, message: verdict.message }]]);
    case 'degraded':
      return new Map([['Degraded', { reason: verdict.reason, message: verdict.message }]]);
  }
}

/** True when both say the same, transition times included: nothing has to be written. */
export function sameConditions(a: readonly Condition[], b: readonly Condition[]): boolean {
  return (
    a.length === b.length &&
    a.every((condition, index) => {
      const other = b[index];
      return other !== undefined && fields.every((field) => condition[field] === other[field]);
    })
  );
}

const fields = [
  'type',
  'status',
  'reason',
  'message',
  'lastTransitionTime',
  'observedGeneration',
] as const satisfies readonly (keyof Condition)[];
