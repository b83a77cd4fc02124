/** JSON merge patch (RFC 7386) and a simple server-side apply: maps merge, lists are replaced. */

type Json = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const result: Record<string, unknown> = { ...(isMap(target) ? target : {}) };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

/** What the manager said last time and no longer says goes away; what it says now is set. */
export function applyPatch(target: unknown, before: unknown, now: unknown): unknown {
  if (!isMap(now)) return now;
  const result: Record<string, unknown> = { ...(isMap(target) ? target : {}) };
  for (const name of Object.keys(isMap(before) ? before : {})) {
    if (!(name in now)) delete result[name];
  }
  for (const [name, value] of Object.entries(now)) {
    result[name] = applyPatch(result[name], isMap(before) ? before[name] : undefined, value);
  }
  return result;
}
