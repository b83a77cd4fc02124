/** Label selectors of configuration objects: rules SEL-1 to SEL-4 (api.md §6.3). */
import { compareText } from '#core/config/order.ts';
import type { Finding } from '#core/config/problems.ts';
import type { Selector, SelectorRequirement } from '#core/model/selector.ts';

/** A selector as users write it. */
export interface RawSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?:
    | readonly {
        readonly key: string;
        readonly operator: string;
        readonly values?: readonly string[] | undefined;
      }[]
    | undefined;
}

type RawExpression = NonNullable<RawSelector['matchExpressions']>[number];

/** The rules of the kind that stand for SEL-1 to SEL-3 (duplicates) and for SEL-4 (cannot be converted). */
export interface SelectorRules {
  readonly duplicate: string;
  readonly invalid: string;
}

export interface CompiledSelectors {
  readonly selectors: readonly Selector[];
  readonly findings: readonly Finding[];
}

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/');
  if (slash === -1) return NAME.test(key);
  const prefix = key.slice(0, slash);
  return prefix.length <= 253 && PREFIX.test(prefix) && NAME.test(key.slice(slash + 1));
}

const isLabelValue = (value: string): boolean => value === '' || NAME.test(value);

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
type Operator = (typeof OPERATORS)[number];

const isOperator = (text: string): text is Operator => (OPERATORS as readonly string[]).includes(text);

/** What keeps an expression from being a requirement (SEL-4), or undefined. */
function flaw({ key, operator, values = [] }: RawExpression): string | undefined {
  if (!isOperator(operator)) return `${JSON.stringify(operator)} is not a valid label selector operator`;
  if (!isLabelKey(key)) return `${JSON.stringify(key)} is not a valid label key`;
  const takesValues = operator === 'In' || operator === 'NotIn';
  if (takesValues && values.length === 0) return `operator ${operator} needs at least one value`;
  if (!takesValues && values.length > 0) return `operator ${operator} takes no values`;
  const bad = values.find((value) => !isLabelValue(value));
  return bad === undefined ? undefined : `${JSON.stringify(bad)} is not a valid label value`;
}

function expressionsOf(raw: RawSelector): RawExpression[] {
  const labels = Object.entries(raw.matchLabels ?? {}).sort(([a], [b]) => compareText(a, b));
  return [
    ...labels.map(([key, value]) => ({ key, operator: 'In', values: [value] })),
    ...(raw.matchExpressions ?? []),
  ];
}

/** Compiles one selector; the finding is SEL-4. */
export function compileSelector(
  raw: RawSelector,
  code: string,
  field: string,
): { readonly selector: Selector; readonly findings: readonly Finding[] } {
  const requirements: SelectorRequirement[] = [];
  const findings: Finding[] = [];
  for (const expression of expressionsOf(raw)) {
    const message = flaw(expression);
    const { key, operator, values = [] } = expression;
    if (message === undefined) requirements.push({ key, operator: operator as Operator, values });
    else
      findings.push({
        code,
        field,
        message: `invalid label selector in ${field}: ${message}`,
        remedy: 'Use operator In or NotIn with values, or Exists or DoesNotExist without, and valid label names.',
      });
  }
  return { selector: { requirements }, findings };
}

const textOf = ({ key, operator, values = [] }: RawExpression): string =>
  JSON.stringify([key, operator, [...values].sort(compareText)]);

/** The selector as text: values sorted, labels in the order of their keys, expressions as given (SEL-3). */
function selectorText(raw: RawSelector): string {
  const labels = Object.entries(raw.matchLabels ?? {}).sort(([a], [b]) => compareText(a, b));
  return JSON.stringify([labels, (raw.matchExpressions ?? []).map(textOf)]);
}

/** Positions of what occurred before. */
function repeated(texts: readonly string[]): number[] {
  const seen = new Set<string>();
  return texts.flatMap((text, index) => {
    if (seen.has(text)) return [index];
    seen.add(text);
    return [];
  });
}

function duplicatesWithin(raw: RawSelector, code: string, field: string): Finding[] {
  const expressions = raw.matchExpressions ?? [];
  const values = expressions.flatMap(({ values = [] }, index) =>
    repeated(values).map((at) => ({
      code,
      field: `${field}.matchExpressions[${index}].values[${at}]`,
      message: `duplicate value ${JSON.stringify(values[at])} in a label selector expression of ${field}`,
      remedy: 'Remove one of the two values.',
    })),
  );
  const whole = repeated(expressions.map(textOf)).map((at) => ({
    code,
    field: `${field}.matchExpressions[${at}]`,
    message: `duplicate match expression in ${field}`,
    remedy: 'Remove one of the two expressions.',
  }));
  return [...values, ...whole];
}

/**
 * Compiles a list of selectors. All findings are returned: duplicates first (SEL-1, SEL-2, SEL-3), then what
 * cannot be converted (SEL-4), as the original evaluates them.
 */
export function compileSelectors(
  list: readonly RawSelector[] | undefined,
  rules: SelectorRules,
  field: string,
): CompiledSelectors {
  const raws = list ?? [];
  const within = raws.flatMap((raw, index) => duplicatesWithin(raw, rules.duplicate, `${field}[${index}]`));
  const whole = repeated(raws.map(selectorText)).map((index) => ({
    code: rules.duplicate,
    field: `${field}[${index}]`,
    message: `duplicate definition of ${field}`,
    remedy: 'Remove one of the two selectors: they are the same.',
  }));
  const compiled = raws.map((raw, index) => compileSelector(raw, rules.invalid, `${field}[${index}]`));
  return {
    selectors: compiled.map(({ selector }) => selector),
    findings: [...within, ...whole, ...compiled.flatMap(({ findings }) => findings)],
  };
}
