import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digest, Digests, elect } from '#core/election/elect.ts';

const candidates = fc.uniqueArray(
  fc.record({ node: fc.string({ minLength: 1, maxLength: 12 }), score: fc.integer({ min: 0, max: 2 }) }),
  { selector: ({ node }) => node, minLength: 1, maxLength: 12 },
);

describe('election', () => {
  it('is the same with a memory, and is the order of scores and full digests', () => {
    const digests = new Digests();
    fc.assert(
      fc.property(candidates, fc.ipV4(), (list, key) => {
        const full = [...list].sort(
          (a, b) => b.score - a.score || (digest(a.node, key) < digest(b.node, key) ? -1 : 1),
        );
        expect(elect(list, key, digests)).toEqual(full);
        expect(elect(list, key, digests)).toEqual(full);
        expect(elect(list, key)).toEqual(full);
      }),
    );
  });

  it('is a permutation of the candidates that does not depend on their order (§3.6)', () => {
    fc.assert(
      fc.property(candidates, fc.ipV4(), fc.infiniteStream(fc.nat()), (list, key, random) => {
        const shuffled = list
          .map((candidate) => ({ candidate, at: random.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ candidate }) => candidate);
        expect(elect(shuffled, key)).toEqual(elect(list, key));
        expect(new Set(elect(list, key))).toEqual(new Set(list));
      }),
    );
  });

  it('moves nothing when a node leaves that does not lead (§3.3)', () => {
    fc.assert(
      fc.property(candidates, fc.ipV6(), fc.nat(), (list, key, pick) => {
        const before = elect(list, key);
        const gone = before[pick % before.length];
        expect(
          elect(
            list.filter((candidate) => candidate !== gone),
            key,
          ),
        ).toEqual(before.filter((candidate) => candidate !== gone));
      }),
    );
  });
});
