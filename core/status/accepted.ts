/**
 * The condition Accepted on what users configure (ours; docs/compatibility.md): whether an object is used as it is. Pure:
 * from the verdict on all objects and what is stored to what has to be written.
 */
import type { Problem } from '#core/model/config.ts';
import { transitionTime } from '#core/status/transition.ts';

/** Kinds that carry it. The status of IPAddressPools is MetalLB's (contract.md). */
export const acceptedKinds = [
  'BFDProfile',
  'BGPAdvertisement',
  'BGPPeer',
  'Community',
  'L2Advertisement',
] as const;
export type AcceptedKind = (typeof acceptedKinds)[number];

export interface AcceptedCondition {
  readonly type: 'Accepted';
  readonly status: 'False' | 'True';
  readonly reason: 'Accepted' | 'Invalid' | 'InvalidChange';
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

/** Of an object: what the verdict is about, and what stands there now. */
export interface AcceptedView {
  readonly generation: number;
  readonly condition: Partial<AcceptedCondition> | undefined;
}

/** Everything that was found out about one object. */
export interface Findings {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** An earlier form of it is in force. */
  readonly isKept: boolean;
}

/** The condition in a status as stored; what other types there are is not ours. */
export function storedAccepted(status: unknown): Partial<AcceptedCondition> | undefined {
  const { conditions } = (status ?? {}) as { readonly conditions?: readonly Partial<AcceptedCondition>[] };
  const stored = conditions?.find(({ type }) => type === 'Accepted');
  return stored === undefined ? undefined : structuredClone(stored);
}

const nothing: Findings = { problems: [], warnings: [], isKept: false };

/** metav1.Condition allows 32768 characters. */
const longestMessage = 8192;

/** Findings by `Kind/name`. */
export function findingsByObject({
  problems,
  warnings,
  kept,
}: {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  readonly kept: readonly Problem['object'][];
}): ReadonlyMap<string, Findings> {
  const keyOf = ({ kind, name }: Problem['object']): string => `${kind}/${name}`;
  const isKept = new Set(kept.map(keyOf));
  const bad = Map.groupBy(problems, ({ object }) => keyOf(object));
  const odd = Map.groupBy(warnings, ({ object }) => keyOf(object));
  const keys = new Set([...bad.keys(), ...odd.keys()]);
  return new Map(
    [...keys].map((key) => [
      key,
      { problems: bad.get(key) ?? [], warnings: odd.get(key) ?? [], isKept: isKept.has(key) },
    ]),
  );
}

/** The condition to write, or undefined when it stands there already. `now`: RFC 3339 in whole seconds. */
export function newAccepted(
  findings: Findings | undefined,
  { generation, condition: before }: AcceptedView,
  now: string,
): AcceptedCondition | undefined {
  // A controller that was not there when the edit came goes by the one that was.
  const wasKept = before?.reason === 'InvalidChange' && before.observedGeneration === generation;
  const { reason, message } = verdict(findings ?? nothing, wasKept);
  const status = reason === 'Accepted' ? 'True' : 'False';
  const same =
    before?.status === status &&
    before.reason === reason &&
    before.message === message &&
    before.observedGeneration === generation;
  if (same) return undefined;
  const lastTransitionTime = transitionTime(before, status, now);
  return { type: 'Accepted', status, reason, message, lastTransitionTime, observedGeneration: generation };
}

function verdict(
  { problems, warnings, isKept }: Findings,
  wasKept: boolean,
): Pick<AcceptedCondition, 'reason' | 'message'> {
  const text = (list: readonly Problem[]): string =>
    list
      .map(({ field, message, remedy }) => `${field}: ${message}. ${remedy}`)
      .join(' ')
      .slice(0, longestMessage);
  if (problems.length === 0) return { reason: 'Accepted', message: text(warnings) };
  if (!isKept && !wasKept) return { reason: 'Invalid', message: text(problems) };
  return {
    reason: 'InvalidChange',
    message: `Speakers use the object as it was before, until they restart. ${text(problems)}`,
  };
}
