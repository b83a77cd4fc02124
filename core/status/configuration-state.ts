/** The verdict of a component on the configuration, as its ConfigurationState shows it (api.md §8.5). */
import { COMPONENT_TYPE, NODE_NAME } from '#core/api/labels.ts';
import type { Problem } from '#core/model/config.ts';
import { transitionTime, wholeSeconds } from '#core/status/transition.ts';

/** Who reports, and under which names (api.md §8.5, contract.md). */
export type Component = { readonly kind: 'controller' } | { readonly kind: 'speaker'; readonly node: string };

export interface ComponentNames {
  readonly objectName: string;
  /** The object's labels; no other label may stand there. */
  readonly labels: Readonly<Record<string, string>>;
  readonly conditionType: string;
  readonly fieldManager: string;
}

export function namesOf(component: Component): ComponentNames {
  return component.kind === 'controller'
    ? {
        objectName: 'controller',
        labels: { [COMPONENT_TYPE]: 'controller' },
        conditionType: 'poolReconcilerValid',
        fieldManager: 'poolReconciler',
      }
    : {
        objectName: `speaker-${component.node}`,
        labels: { [COMPONENT_TYPE]: 'speaker', [NODE_NAME]: component.node },
        conditionType: 'configReconcilerValid',
        fieldManager: 'configReconciler',
      };
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** RFC 3339, whole seconds. */
  readonly lastTransitionTime: string;
}

export interface ConfigurationStateStatus {
  readonly result: 'Valid' | 'Invalid' | 'Unknown';
  readonly errorSummary: string;
  readonly conditions: readonly Condition[];
}

/** What is off while the kind is not installed, for the log. */
export const STATE_FEATURE = 'the verdict on the configuration (ConfigurationState) is';

const PREFIX = 'configuration error: ';
/** Longest condition message that the schema takes. */
const MAX_MESSAGE = 32768;

/** Text for `errorSummary`: the first problem only, in the original's words (contract.md, "Texts"); empty when valid. */
export function errorSummary(problems: readonly Problem[]): string {
  const [first] = problems;
  return first === undefined ? '' : `${PREFIX}${first.summary}`.slice(0, MAX_MESSAGE);
}

/**
 * The status to write. `previous` is what the object shows now: the time of the last transition is kept while the
 * condition's status stays the same, also when the reason for it changes.
 */
export function configurationStateStatus(
  component: Component,
  problems: readonly Problem[],
  previous: { readonly conditions?: readonly Partial<Condition>[] | undefined } | undefined,
  now: Date,
): ConfigurationStateStatus {
  const type = namesOf(component).conditionType;
  const message = errorSummary(problems);
  const status = message === '' ? 'True' : 'False';
  const before = previous?.conditions?.find((condition) => condition.type === type);
  const condition: Condition = {
    type,
    status,
    reason: status === 'True' ? 'Reconciled' : 'ConfigurationError',
    message,
    lastTransitionTime: transitionTime(before, status, wholeSeconds(now)),
  };
  return { result: resultOf([condition]), errorSummary: message, conditions: [condition] };
}

/** Verdict of the conditions: Unknown without any, Invalid with a configuration error, else Valid. */
export function resultOf(
  conditions: readonly Pick<Condition, 'status' | 'reason'>[],
): ConfigurationStateStatus['result'] {
  if (conditions.length === 0) return 'Unknown';
  return conditions.some(({ status, reason }) => status === 'False' && reason === 'ConfigurationError')
    ? 'Invalid'
    : 'Valid';
}
