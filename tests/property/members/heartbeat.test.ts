import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeHeartbeat,
  encodeHeartbeat,
  nameId,
  PAGE,
  pagesOf,
  type Heartbeat,
} from '#core/members/heartbeat.ts';

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
  pagesSeen: fc.integer({ min: 0, max: 65_535 }),
  report: fc.option(
    fc.record({
      page: fc.integer({ min: 0, max: 65_535 }),
      pages: fc.integer({ min: 0, max: 65_535 }),
      cards: fc.array(id, { maxLength: 10 }),
      holds: fc.array(id, { maxLength: 40 }),
    }),
    { nil: undefined },
  ),
});

/** With as many suspects as a report may be sent beside, and long names. */
const beat: Heartbeat = {
  from: 'n'.repeat(255),
  token: '0'.repeat(16),
  echo: '0'.repeat(16),
  sequence: 1,
  interval: 100,
  ready: true,
  leaving: false,
  suspects: Array.from({ length: 1_000 }, (_, index) => index),
  links: Array.from({ length: 64 }, (_, index) => `interface-${index}`),
  reportVersion: 1,
  reportSeen: 0,
  pagesSeen: 0,
  report: undefined,
};

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

  it('the pages of a report are the report, each in a datagram', () => {
    for (const count of [0, 1, PAGE, PAGE + 1, 3 * PAGE]) {
      const holds = Array.from({ length: count }, (_, index) => index);
      const pages = pagesOf({ cards: [7], holds });
      expect(pages.flatMap((page) => page.holds)).toEqual(holds);
      expect(pages.flatMap((page) => page.cards)).toEqual([7]);
      expect(pages.map(({ page, pages: all }) => [page, all])).toEqual(
        pages.map((_, index) => [index, pages.length]),
      );
      for (const report of pages)
        expect(encodeHeartbeat({ ...beat, report }).length).toBeLessThan(65_507 - 16);
    }
  });

  it('has different identifiers for the names of 20,000 nodes', () => {
    const ids = new Set(Array.from({ length: 20_000 }, (_, n) => nameId(`worker-${n}.example.com`)));
    expect(ids.size).toBe(20_000);
  });
});
