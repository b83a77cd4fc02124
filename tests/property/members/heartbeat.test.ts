import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHeartbeat, encodeHeartbeat, nameId, type Heartbeat } from '#core/members/heartbeat.ts';

const token = fc
  .bigInt({ min: 0n, max: 2n ** 64n - 1n })
  .map((value) => value.toString(16).padStart(16, '0'));
const name = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,60}$/);
const id = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const heartbeat: fc.Arbitrary<Heartbeat> = fc.record({
  from: name,
  token,
  echo: token,
  sequence: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  interval: fc.integer({ min: 1, max: 65_535 }),
  ready: fc.boolean(),
  leaving: fc.boolean(),
  suspects: fc.array(fc.integer({ min: 0, max: 2 ** 48 - 1 }), { maxLength: 40 }),
  links: fc.array(name, { maxLength: 10 }),
  reportVersion: number,
  reportSeen: number,
  report: fc.option(
    fc.record({ cards: fc.array(id, { maxLength: 10 }), holds: fc.array(id, { maxLength: 40 }) }),
    { nil: undefined },
  ),
});

describe('heartbeat', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(heartbeat, (beat) => {
        expect(decodeHeartbeat(encodeHeartbeat(beat))).toEqual(beat);
      }),
    );
  });

  it('refuses what is cut short or too long, and never throws', () => {
    fc.assert(
      fc.property(heartbeat, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 }), (beat, cut, more) => {
        const bytes = encodeHeartbeat(beat);
        expect(decodeHeartbeat(bytes.subarray(0, cut % bytes.length))).toBeUndefined();
        expect(decodeHeartbeat(Uint8Array.from([...bytes, ...more]))).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeHeartbeat(bytes)).toBeUndefined();
      }),
    );
  });

  it('has different identifiers for the names of 20,000 nodes', () => {
    const ids = new Set(Array.from({ length: 20_000 }, (_, n) => nameId(`worker-${n}.example.com`)));
    expect(ids.size).toBe(20_000);
  });
});
