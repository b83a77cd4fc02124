/**
 * Random resource sets through everything that reads configuration: nothing throws, nothing hangs. `FUZZ_SETS` says how
 * many (the default suits each run of the tests); `npm run bench -- fuzz` runs a million and measures them.
 */
import { describe, expect, it } from 'vitest';
import { judge } from '#cli/validate/command.ts';
import { parseManifests } from '#cli/validate/documents.ts';
import type { LastGood } from '#core/config/keep.ts';
import { NAMESPACE } from '#tests/support/config-factories.ts';
import { compileEverywhere, manifestText, setOf } from '#tests/support/config-fuzzer.ts';

const SETS = Number(process.env['FUZZ_SETS'] ?? 1500);

describe('random configuration', () => {
  it(`${SETS} sets through compile`, { timeout: 3_600_000 }, () => {
    let lastGood: LastGood = new Map();
    let inForce = 0;
    for (let seed = 1; seed <= SETS; seed += 1) {
      try {
        const objects = setOf(seed);
        lastGood = compileEverywhere(objects, lastGood);
        inForce += lastGood.size / objects.length;
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    // Enough of it must be sound, or the rules between objects were never asked.
    expect(inForce / SETS).toBeGreaterThan(0.25);
  });

  it(`${Math.ceil(SETS / 10)} sets through metallb validate`, { timeout: 3_600_000 }, () => {
    for (let seed = 1; seed <= SETS / 10; seed += 1) {
      const documents = parseManifests(manifestText(setOf(seed)), 'f');
      const lines = judge(documents, [], { namespace: NAMESPACE, complete: true });
      expect(lines.every(({ place }) => place !== undefined && place.line > 0)).toBe(true);
    }
  });
});
