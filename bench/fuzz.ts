/**
 * A million random resource sets through compile and through the path of `metallb validate`: no crash, no hang.
 * `FUZZ_SETS` takes fewer, `FUZZ_FROM` starts at another seed. A crash names the seed.
 */
import { distribution, type Figure } from '#bench/figures.ts';
import { judge } from '#cli/validate/command.ts';
import { parseManifests } from '#cli/validate/documents.ts';
import { compile } from '#core/config/compile.ts';
import type { LastGood } from '#core/config/keep.ts';
import type { Reporter } from '#lab/report.ts';
import { NAMESPACE, resources, type TestObject } from '#tests/support/config-factories.ts';
import { compileEverywhere, ConfigFuzzer, manifestText, setOf } from '#tests/support/config-fuzzer.ts';

const HUNDRED = 2000;

export function fuzz(report: Reporter): Promise<Figure[]> {
  const sets = Number(process.env['FUZZ_SETS'] ?? 1_000_000);
  const from = Number(process.env['FUZZ_FROM'] ?? 1);
  const seeds = { from, to: from + sets - 1 };
  let lastGood: LastGood = new Map();
  const compiled = through('compile', seeds, report, (seed) => {
    lastGood = compileEverywhere(setOf(seed), lastGood);
  });
  const validated = through('metallb validate', seeds, report, (seed) => {
    const documents = parseManifests(manifestText(setOf(seed)), 'f');
    const lines = judge(documents, [], { namespace: NAMESPACE, complete: true });
    if (!lines.every(({ place }) => place !== undefined && place.line > 0))
      throw new Error('a verdict without a place');
  });
  return Promise.resolve([...compiled, ...validated, ...hundred(report)]);
}

/** Runs `each` for all seeds; the slowest counts, since a hang is a single one. */
function through(
  name: string,
  { from, to }: { from: number; to: number },
  report: Reporter,
  each: (seed: number) => void,
): Figure[] {
  let slowest = { seed: from, ms: 0 };
  const started = performance.now();
  for (let seed = from; seed <= to; seed += 1) {
    if ((seed - from) % 100_000 === 0)
      report.step(`${name}: seed ${seed}, slowest ${slowest.ms.toFixed(1)} ms`);
    const before = performance.now();
    try {
      each(seed);
    } catch (error) {
      throw new Error(`${name}, seed ${seed}: ${String(error)}`, { cause: error });
    }
    const ms = performance.now() - before;
    if (ms > slowest.ms) slowest = { seed, ms };
  }
  const sets = to - from + 1;
  const mean = (performance.now() - started) / sets;
  const before = performance.now();
  each(slowest.seed);
  const again = performance.now() - before;
  return [
    { figure: `fuzz, ${name}, sets`, unit: 'sets', size: `seeds ${from} to ${to}`, value: sets },
    { figure: `fuzz, ${name}, mean`, unit: 'ms', size: 'a set', value: Math.round(mean * 1000) / 1000 },
    {
      figure: `fuzz, ${name}, slowest`,
      unit: 'ms',
      size: `seed ${slowest.seed}`,
      value: Math.round(slowest.ms * 10) / 10,
    },
    {
      figure: `fuzz, ${name}, that set again`,
      unit: 'ms',
      size: `seed ${slowest.seed}`,
      value: Math.round(again * 10) / 10,
      goal: '<= 50',
    },
  ];
}

const hundredOf = (seed: number): TestObject[] => new ConfigFuzzer(seed).set(150).slice(0, 100);

const ON_HUNDRED: Readonly<Record<string, (objects: readonly TestObject[]) => () => unknown>> = {
  'parse and compile': (objects) => () => compile(resources(objects), { kind: 'cluster' }),
  'metallb validate': (objects) => {
    const text = manifestText(objects);
    return () => judge(parseManifests(text, 'f'), [], { namespace: NAMESPACE, complete: true });
  },
};

/** Sets of 100 objects, once each; the slowest seed again, alone, so that a pause of the machine shows as one. */
function hundred(report: Reporter): Figure[] {
  return Object.entries(ON_HUNDRED).flatMap(([name, prepare]) => {
    report.step(`${name}: ${HUNDRED} sets of 100 objects`);
    const time = (seed: number): number => {
      const run = prepare(hundredOf(seed));
      const started = performance.now();
      run();
      return performance.now() - started;
    };
    const times = Array.from({ length: HUNDRED }, (_, seed) => time(seed));
    const slowest = times.indexOf(Math.max(...times));
    const again = Array.from({ length: 5 }, () => time(slowest));
    const about = { unit: 'ms', size: `${HUNDRED} sets`, goal99: '<= 50' };
    return [
      ...distribution(`fuzz, ${name} of 100 objects`, about, times),
      {
        figure: `fuzz, ${name} of 100 objects, slowest again`,
        unit: 'ms',
        size: `seed ${slowest}, slowest of 5`,
        value: Math.round(Math.max(...again) * 100) / 100,
        goal: '<= 50',
      },
    ];
  });
}
