/**
 * Does a live object still say what we applied? Pure comparison: what we rendered must be found in the object; what
 * others added (defaults of the API server, foreign annotations, injected containers) is none of our business.
 */

/**
 * Lists that the API merges by key (`listType=map`): others may add elements. All other lists belong to one owner as
 * a whole, so they have to be equal in length.
 */
const sharedLists: ReadonlySet<string> = new Set([
  'containers',
  'env',
  'imagePullSecrets',
  'initContainers',
  'ownerReferences',
  'ports',
  'volumeMounts',
  'volumes',
]);

/**
 * The path of the first place where `live` deviates from `desired` (`spec.template.spec.containers[0].image`), or
 * undefined. Values that the API server writes in another form (`0.1` CPU becomes `100m`) count as a deviation;
 * applying them again changes nothing.
 */
export function deviation(desired: unknown, live: unknown, path = ''): string | undefined {
  if (Array.isArray(desired)) return listDeviation(desired, live, path);
  if (typeof desired === 'object' && desired !== null) return objectDeviation(desired, live, path);
  if (desired === live) return undefined;
  return isAbsent(desired) && isAbsent(live) ? undefined : path;
}

/** The API server drops empty texts, zeros and nulls of optional fields. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === false || value === 0;
}

function objectDeviation(desired: object, live: unknown, path: string): string | undefined {
  const entries = Object.entries(desired);
  if (typeof live !== 'object' || live === null) return entries.length === 0 ? undefined : path;
  const fields = new Map<string, unknown>(Object.entries(live));
  for (const [name, value] of entries) {
    const found = deviation(value, fields.get(name), path === '' ? name : `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function listDeviation(desired: readonly unknown[], live: unknown, path: string): string | undefined {
  const elements: readonly unknown[] = Array.isArray(live) ? live : [];
  const shared = sharedLists.has(path.slice(path.lastIndexOf('.') + 1));
  if (!shared && elements.length !== desired.length) return path;
  for (const [index, value] of desired.entries()) {
    const at = `${path}[${index}]`;
    const found = shared ? anyMatches(value, elements, at) : deviation(value, elements[index], at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function anyMatches(value: unknown, elements: readonly unknown[], path: string): string | undefined {
  let nearest: string | undefined = path;
  for (const element of elements) {
    const found = deviation(value, element, path);
    if (found === undefined) return undefined;
    if (sameName(value, element)) nearest = found;
  }
  return nearest;
}

function sameName(a: unknown, b: unknown): boolean {
  return nameOf(a) !== undefined && nameOf(a) === nameOf(b);
}

function nameOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
}
