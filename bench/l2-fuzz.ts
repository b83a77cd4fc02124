/** Ten million mutated frames through everything that reads the wire: no crash, no answer to anything malformed. */
import type { Figure } from '#bench/figures.ts';
import type { Reporter } from '#lab/report.ts';
import { fuzzFrames } from '#tests/support/frame-fuzzer.ts';

const FRAMES = 10_000_000;

export function l2Fuzz(report: Reporter): Promise<Figure[]> {
  const seed = Number(process.env['FUZZ_FROM'] ?? 1);
  report.step(`${FRAMES} frames`);
  const started = performance.now();
  const { frames, answers, wrong } = fuzzFrames(FRAMES, seed);
  const size = `seed ${seed}`;
  return Promise.resolve([
    { figure: 'mutated frames', unit: '', size, value: frames },
    { figure: 'mutated frames answered', unit: '', size, value: answers },
    { figure: 'answers to what was no question', unit: '', size, value: wrong, goal: '<= 0' },
    { figure: 'time', unit: 's', size, value: Math.round((performance.now() - started) / 1_000) },
  ]);
}
