/** Kubernetes label selectors as values (api.md §3.1): terms ANDed; a list of selectors is ORed. */

export type Labels = Readonly<Record<string, string>>;

export interface SelectorRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

/** A compiled selector; without requirements it matches everything. `matchLabels` became `In` with one value. */
export interface Selector {
  readonly requirements: readonly SelectorRequirement[];
}

function satisfies(requirement: SelectorRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && requirement.values.includes(value);
    case 'NotIn':
      return value === undefined || !requirement.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** True when every requirement holds for the labels. */
export function selects(selector: Selector, labels: Labels): boolean {
  return selector.requirements.every((requirement) => satisfies(requirement, labels));
}

/** True when one of the selectors matches; an empty list means "no restriction". */
export function selectsAny(selectors: readonly Selector[], labels: Labels): boolean {
  return selectors.length === 0 || selectors.some((selector) => selects(selector, labels));
}

/** The selector of exactly these labels, in the API's words: `app=web,tier=front`. */
export function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** As kubectl writes selectors: `app=web,tier in (a,b),!canary`; an empty selector is `everything`. */
export function formatSelector({ requirements }: Selector): string {
  return requirements.length === 0 ? 'everything' : requirements.map(formatRequirement).join(',');
}

function formatRequirement({ key, operator, values }: SelectorRequirement): string {
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(',')})`;
    case 'NotIn':
      return `${key} notin (${values.join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
  }
}
