/** Label and field selectors: equality, inequality, `in`, `notin`, existence. */
import type { KubeObject } from '#runtime/kube/types.ts';

type Matcher = (object: KubeObject) => boolean;

export function selectorOf(query: URLSearchParams): Matcher {
  const labels = parts(query.get('labelSelector')).map((part) =>
    requirement(part, (object, key) => object.metadata.labels?.[key]),
  );
  const fields = parts(query.get('fieldSelector')).map((part) => requirement(part, fieldOf));
  return (object) => [...labels, ...fields].every((matches) => matches(object));
}

/** Splits at commas that are not inside parentheses. */
function parts(selector: string | null): string[] {
  return (selector ?? '').split(/,(?![^(]*\))/).filter((part) => part !== '');
}

function requirement(text: string, get: (object: KubeObject, key: string) => string | undefined): Matcher {
  const set = /^\s*(\S+)\s+(in|notin)\s+\((.*)\)\s*$/.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (object) => values.includes(get(object, key) ?? '') === (operator === 'in');
  }
  const equality = /^(.*?)(!=|==|=)(.*)$/.exec(text);
  if (equality !== null) {
    const [, key = '', operator, value] = equality;
    return (object) => ((get(object, key.trim()) ?? '') === value?.trim()) === (operator !== '!=');
  }
  const negated = text.startsWith('!');
  const key = text.replace(/^!/, '').trim();
  return (object) => (get(object, key) === undefined) === negated;
}

function fieldOf(object: KubeObject, path: string): string | undefined {
  let value: unknown = object;
  for (const name of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value : undefined;
}
