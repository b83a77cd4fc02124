/** Log fields as plain JSON values: errors spelled out, secrets removed, sets and big numbers readable. */

/** Names of fields whose text is never logged. Objects under such a name are looked into. */
const secretName =
  /^(password|passwd|secret|secretkey|token|bearertoken|authorization|apikey|privatekey|tls\.key)$/i;
const deepest = 12;
export const redacted = '[redacted]';

export function toPlain(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  return depth >= deepest ? '[deeper]' : plainObject(value, depth);
}

function plainObject(value: object, depth: number): unknown {
  if (value instanceof Error) return plainError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Map) return plainRecord(Object.fromEntries(value), depth);
  if (Array.isArray(value) || value instanceof Set) return [...value].map((item) => toPlain(item, depth + 1));
  if ('toJSON' in value && typeof value.toJSON === 'function') return toPlain(value.toJSON(), depth + 1);
  return plainRecord(value, depth);
}

function plainRecord(record: object, depth: number): Record<string, unknown> {
  // The payload of a Kubernetes Secret, whatever its keys are called.
  const isSecret = 'kind' in record && record.kind === 'Secret';
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record)) {
    const hidden =
      (isSecret && (name === 'data' || name === 'stringData')) ||
      (secretName.test(name) &&
        (typeof value === 'string' || value instanceof Uint8Array) &&
        value.length > 0);
    plain[name] = hidden ? redacted : toPlain(value, depth + 1);
  }
  return plain;
}

function plainError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const own = plainRecord(Object.fromEntries(Object.entries(error)), depth);
  return {
    name,
    message,
    ...own,
    // An expected failure says enough by its message; only bugs need the place.
    ...('code' in error && error.code !== 'BUG' ? {} : { stack }),
    ...(cause === undefined ? {} : { cause: toPlain(cause, depth + 1) }),
  };
}
