/** Durations in Go's notation (api.md §3.3), as whole nanoseconds. */

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  '\u00b5s': 1000n,
  '\u03bcs': 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const LIMIT = 2n ** 63n;
const SECOND = 1_000_000_000n;
const TERM = /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;

/**
 * Parses `90s`, `1m30s`, `1.5h`, `-2ms`, `0`. Returns undefined for anything else (a number without a unit, blanks)
 * and for values beyond 64 bits. Fractions below a nanosecond are cut off.
 */
export function parseDuration(text: string): bigint | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  const body = text.slice(sign.length);
  const total = body === '0' ? 0n : sumOfTerms(body);
  if (total === undefined) return undefined;
  const value = sign === '-' ? -total : total;
  return value >= LIMIT || value < -LIMIT ? undefined : value;
}

function sumOfTerms(body: string): bigint | undefined {
  if (body === '') return undefined;
  let total = 0n;
  let at = 0;
  while (at < body.length) {
    TERM.lastIndex = at;
    const match = TERM.exec(body);
    if (match === null) return undefined;
    const [, whole = '', fraction = '', unit = ''] = match;
    if (whole === '' && fraction === '') return undefined;
    const size = UNITS[unit] ?? 0n;
    total += BigInt(whole === '' ? 0 : whole) * size;
    if (fraction !== '') total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
    at = TERM.lastIndex;
  }
  return total;
}

/** Whole seconds, cut towards zero. */
export function wholeSeconds(nanoseconds: bigint): number {
  return Number(nanoseconds / SECOND);
}

/** True when the duration is a whole number of seconds. */
export function isWholeSeconds(nanoseconds: bigint): boolean {
  return nanoseconds % SECOND === 0n;
}
