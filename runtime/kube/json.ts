/**
 * JSON as Kubernetes needs it: integers beyond the safe range (int64 counts of an IPv6 pool) stay exact as bigint
 * in both directions. Texts without such a number, nearly all, take the engine's plain path.
 */

/** What ES2026 adds to JSON and the compiler's library does not know yet. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}
const exact = JSON as unknown as ExactJson;

/** A number of 16 digits or more where a value can begin. May also match inside a string: that only costs time. */
const longNumber = /(?:^|[:[,\s])-?\d{16}/;
const integer = /^-?\d+$/;

/** Throws SyntaxError. */
export function parseJson(text: string): unknown {
  if (!longNumber.test(text)) return JSON.parse(text);
  return exact.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && integer.test(source)
      ? BigInt(source)
      : value,
  );
}

/** Bigints are written as plain integers. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Only a bigint or a cycle gets here; the cycle throws again.
    return JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'bigint' ? exact.rawJSON(inner.toString()) : inner,
    );
  }
}
