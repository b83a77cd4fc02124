/** Figures of a bench part: what was measured, with which goal, and the check against it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Figure {
  readonly figure: string;
  readonly unit: string;
  /** The size of the case, e.g. `200 changes`. */
  readonly size: string;
  readonly value: number;
  /** A comparison such as `<= 300`; absent where no issue states a goal. */
  readonly goal?: string;
  /** When it was measured (ISO 8601, to the minute), where parts of a bench are measured at different times. */
  readonly at?: string;
}

/** Nearest-rank percentile; `p` in 0..100. Throws on an empty list: a figure without samples is a lie. */
export function percentile(samples: readonly number[], p: number): number {
  if (samples.length === 0) throw new Error('no samples: nothing was measured');
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length) - 1))] ?? 0;
}

/** p50, p90, p99 and the maximum of samples in one unit; `goal99` applies to p99. */
export function distribution(
  name: string,
  about: { unit: string; size: string; goal99?: string },
  samples: readonly number[],
): Figure[] {
  const { unit, size, goal99 } = about;
  const round = (value: number): number => Math.round(value * 100) / 100;
  return [
    ...[50, 90].map((p): Figure => ({
      figure: `${name} p${p}`,
      unit,
      size,
      value: round(percentile(samples, p)),
    })),
    {
      figure: `${name} p99`,
      unit,
      size,
      value: round(percentile(samples, 99)),
      ...(goal99 === undefined ? {} : { goal: goal99 }),
    },
    { figure: `${name} max`, unit, size, value: round(Math.max(...samples)) },
  ];
}

const comparisons: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '<=': (value, bound) => value <= bound,
  '>=': (value, bound) => value >= bound,
  '<': (value, bound) => value < bound,
  '>': (value, bound) => value > bound,
};

/** True when the figure has no goal or meets it. An unreadable goal throws. */
export function meetsGoal(figure: Figure): boolean {
  if (figure.goal === undefined) return true;
  const match = /^(<=|>=|<|>) *(\d+(?:\.\d+)?)$/.exec(figure.goal);
  const compare = match?.[1] === undefined ? undefined : comparisons[match[1]];
  if (compare === undefined)
    throw new Error(`the goal "${figure.goal}" of "${figure.figure}" is not a comparison such as "<= 300"`);
  return compare(figure.value, Number(match?.[2]));
}

export function saveFigures(file: string, figures: readonly Figure[]): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
}

/** Figures of earlier runs; none when there is no file. */
export function readFigures(file: string): readonly Figure[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as readonly Figure[]) : [];
}

/** Figures that were measured now. */
export function measuredAt(figures: readonly Figure[], now: Date): Figure[] {
  return figures.map((each) => ({ ...each, at: `${now.toISOString().slice(0, 16)}Z` }));
}

/** What was known, with newly measured figures in the place of those with the same name and size. */
export function withNewer(known: readonly Figure[], measured: readonly Figure[]): Figure[] {
  const idOf = ({ figure, size }: Figure): string => `${figure} of ${size}`;
  const newer = new Map(measured.map((each) => [idOf(each), each]));
  const kept = known.map((each) => newer.get(idOf(each)) ?? each);
  const ids = new Set(known.map(idOf));
  return [...kept, ...[...newer].filter(([id]) => !ids.has(id)).map(([, each]) => each)];
}

/** Reads figures and says which of them miss their goal. */
export function missedGoals(figures: readonly Figure[]): Figure[] {
  return figures.filter((figure) => !meetsGoal(figure));
}

export function formatFigure(figure: Figure): string {
  const goal =
    figure.goal === undefined ? '' : `   goal ${figure.goal}: ${meetsGoal(figure) ? 'met' : 'MISSED'}`;
  return `${figure.figure.padEnd(48)} ${String(figure.value).padStart(12)} ${figure.unit.padEnd(6)} ${figure.size}${goal}`;
}
