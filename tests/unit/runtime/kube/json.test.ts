import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from '#runtime/kube/json.ts';

describe('JSON with int64', () => {
  it('keeps integers beyond the safe range as bigint, both ways', () => {
    const text =
      '{"status":{"assignedIPv6":3,"availableIPv6":18446744073709551615},"n":-9223372036854775808}';
    const value = parseJson(text);
    expect(value).toEqual({
      status: { assignedIPv6: 3, availableIPv6: 18446744073709551615n },
      n: -9223372036854775808n,
    });
    expect(stringifyJson(value)).toBe(text);
  });

  it('leaves digits inside texts, fractions and safe numbers alone', () => {
    const text = '{"a":"id: 12345678901234567890","b":0.1234567890123456,"c":9007199254740991,"d":1e300}';
    expect(parseJson(text)).toEqual({
      a: 'id: 12345678901234567890',
      b: 0.1234567890123456,
      c: 9007199254740991,
      d: 1e300,
    });
  });

  it('finds them at the top level and in lists', () => {
    expect(parseJson('12345678901234567890')).toBe(12345678901234567890n);
    expect(parseJson('[1, 12345678901234567890]')).toEqual([1, 12345678901234567890n]);
  });

  it('still refuses what is no JSON, and cycles', () => {
    expect(() => parseJson('{"a":')).toThrow(SyntaxError);
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(() => stringifyJson(cycle)).toThrow(TypeError);
  });

  it('gives back every int64', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (number) => {
        const safe = number >= Number.MIN_SAFE_INTEGER && number <= Number.MAX_SAFE_INTEGER;
        expect(parseJson(stringifyJson({ number }))).toEqual({ number: safe ? Number(number) : number });
      }),
    );
  });
});
