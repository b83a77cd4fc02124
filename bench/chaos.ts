/**
 * What a client sees of Layer 2 while things go wrong: speakers are killed and stopped, nodes lose power, packets are
 * lost in one direction, the network is cut in two, links flap, everything restarts at once. Light lab, real speakers,
 * a question every 10 ms.
 */
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { spawn } from 'node:child_process';
import { bundledSpeaker } from '#bench/bundled-speaker.ts';
import { distribution, measuredAt, type Figure } from '#bench/figures.ts';
import { SILENT_BEATS, beatInterval } from '#core/members/timing.ts';
import type { Reporter } from '#lab/report.ts';
import { CHAOS_KINDS, ChaosLab, type ChaosKind, type ChaosRound } from '#tests/support/l2-chaos.ts';

export interface ChaosOptions {
  readonly nodes: number;
  readonly rounds: number;
  readonly kinds: readonly ChaosKind[];
  /** Rounds are added to this file, one a line, and the figures are those of all in it; so a long run can be made in parts. */
  readonly samples: string | undefined;
  /** Name of the lab, so that several can run beside each other. */
  readonly lab: string | undefined;
}

const TITLES: Readonly<Record<ChaosKind, string>> = {
  kill: 'kill -9 of the speaker',
  power: 'power-off of the node',
  oneway: 'loss in one direction',
  partition: 'partition and heal',
  flap: 'link down for 200 ms',
  stop: 'SIGSTOP for 2 s',
  restart: 'restart of everything at once',
};
/** Milliseconds; a client that did not ask for longer was on a machine that stood still, and its nodes with it. */
const CLIENT_PAUSE = 130;
/** Kinds after which another node takes over while the first is gone. */
const FAILOVER: readonly ChaosKind[] = ['kill', 'power', 'oneway', 'partition', 'stop'];

export async function chaos(report: Reporter, options: ChaosOptions): Promise<Figure[]> {
  const { nodes, rounds, kinds, samples } = options;
  const isKnown = samples !== undefined && existsSync(samples);
  const all: ChaosRound[] = isKnown ? readRounds(samples) : [];
  if (rounds === 0) return isKnown ? measuredAt(chaosFigures(all, nodes), statSync(samples).mtime) : [];
  await using speaker = await bundledSpeaker();
  await using lab = await ChaosLab.start(options.lab ?? `mlb-b-chaos${nodes}`, nodes, speaker);
  for (let round = 0; round < rounds; round += 1) {
    report.step(`${nodes} nodes, round ${round + 1} of ${rounds}`);
    for (const kind of kinds) {
      const seen = await lab.round(kind);
      all.push(seen);
      if (samples !== undefined) appendFileSync(samples, `${JSON.stringify(seen)}\n`);
    }
  }
  return measuredAt(chaosFigures(all, nodes), new Date());
}

function readRounds(file: string): ChaosRound[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ChaosRound);
}

/** The figures of all rounds with so many nodes. */
export function chaosFigures(all: readonly ChaosRound[], nodes: number): Figure[] {
  const detection = SILENT_BEATS * beatInterval(nodes);
  return CHAOS_KINDS.flatMap((kind) => {
    const rounds = all.filter((round) => round.kind === kind && round.nodes === nodes);
    if (rounds.length === 0) return [];
    const about = { unit: 'ms', size: `${nodes} nodes` };
    const goal = FAILOVER.includes(kind) ? { goal99: '< 1000' } : {};
    const doubled = rounds.map((round) => Math.round(round.doubleAfterMs));
    return [
      { figure: `${TITLES[kind]}: rounds`, ...about, unit: '', value: rounds.length },
      ...distribution(
        `${TITLES[kind]}: without answer`,
        { ...about, ...goal },
        rounds.map(({ pauseMs }) => pauseMs),
      ),
      ...distribution(
        `${TITLES[kind]}: without answer, afterwards`,
        about,
        rounds.map(({ pauseAfterMs }) => pauseAfterMs),
      ),
      ...distribution(
        `${TITLES[kind]}: two answerers`,
        about,
        rounds.map(({ doubleMs }) => doubleMs),
      ),
      ...distribution(`${TITLES[kind]}: two answerers, afterwards`, about, doubled).slice(0, 3),
      {
        figure: `${TITLES[kind]}: two answerers, afterwards max`,
        ...about,
        value: Math.max(...doubled),
        goal: `<= ${detection}`,
      },
      {
        figure: `${TITLES[kind]}: longest pause of the client itself`,
        ...about,
        value: Math.round(Math.max(...rounds.map(({ clientPauseMs }) => clientPauseMs))),
      },
      ...whereClientAsked(kind, rounds, about),
      ...distribution(
        `${TITLES[kind]}: load average of the machine`,
        { ...about, unit: '' },
        rounds.map(({ load }) => load),
      ),
    ];
  });
}

/** What the worst was while the machine itself did not stand still; nothing where it always did. */
function whereClientAsked(
  kind: ChaosKind,
  rounds: readonly ChaosRound[],
  about: { readonly unit: string; readonly size: string },
): Figure[] {
  const asked = rounds.filter(({ clientPauseMs }) => clientPauseMs <= CLIENT_PAUSE);
  if (asked.length === 0) return [];
  const name = `${TITLES[kind]}, client never silent for ${CLIENT_PAUSE} ms`;
  const worst = (value: (round: ChaosRound) => number): number => Math.round(Math.max(...asked.map(value)));
  return [
    { figure: `${name}: rounds`, ...about, unit: '', value: asked.length },
    { figure: `${name}: without answer max`, ...about, value: worst(({ pauseMs }) => pauseMs) },
    {
      figure: `${name}: without answer, afterwards max`,
      ...about,
      value: worst(({ pauseAfterMs }) => pauseAfterMs),
    },
  ];
}

const CALM_MINUTES = 10;

/** No false move while all cores are busy with something else. */
export async function calm(report: Reporter, nodes: number, minutes = CALM_MINUTES): Promise<Figure[]> {
  await using speaker = await bundledSpeaker();
  await using lab = await ChaosLab.start('mlb-b-calm', nodes, speaker);
  const busy = cpus().map(() => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  try {
    report.step(`${nodes} nodes, ${busy.length} busy cores, ${minutes} minutes`);
    const { others, pauseMs, clientPauseMs } = await lab.calm(minutes * 60_000);
    const about = { size: `${nodes} nodes, ${busy.length} busy cores, ${minutes} minutes` };
    return [
      { figure: 'calm: answers of another node', unit: '', ...about, value: others, goal: '<= 0' },
      { figure: 'calm: longest time without answer', unit: 'ms', ...about, value: Math.round(pauseMs) },
      {
        figure: 'calm: longest pause of the client itself',
        unit: 'ms',
        ...about,
        value: Math.round(clientPauseMs),
      },
    ];
  } finally {
    for (const child of busy) child.kill('SIGKILL');
  }
}
