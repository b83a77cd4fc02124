/**
 * From an endpoint that becomes ready to the UPDATE at the routers, and what large changes cost, with our speaker as
 * the image runs it, a real API server and a real FRR. The times are those at which listening routers read.
 */
import { burst } from '#bench/bgp-burst.ts';
import { attributeChanges, endpointChanges, makeProbes } from '#bench/bgp-changes.ts';
import { massChanges } from '#bench/bgp-mass.ts';
import { restarts } from '#bench/bgp-restart.ts';
import { BgpStage, PEERS } from '#bench/bgp-stage.ts';
import { bundledSpeaker } from '#bench/bundled-speaker.ts';
import { measuredAt, type Figure } from '#bench/figures.ts';
import type { Reporter } from '#lab/report.ts';

/** What can be measured alone; Services are made in any case. */
export const BGP_PARTS = ['burst', 'changes', 'attributes', 'mass', 'restarts'] as const;
/** Numbers of prefixes beside the one that changes. */
export const BGP_SIZES: readonly number[] = [0, 1000, 5000];
export type BgpPart = (typeof BGP_PARTS)[number];

export interface BgpBench {
  /** Numbers of prefixes beside the one that changes, ascending. */
  readonly sizes: readonly number[];
  /** How often an endpoint comes and goes in each case. */
  readonly changes: number;
  readonly parts: readonly BgpPart[];
  /** Told all figures so far after each part: what was measured is not lost when the next one fails. */
  readonly save: (figures: readonly Figure[]) => void;
}

export async function bgp(report: Reporter, options: BgpBench): Promise<Figure[]> {
  report.step('bundling the speaker');
  await using speaker = await bundledSpeaker();
  await using stage = await BgpStage.start(speaker, report);
  await makeProbes(stage);
  return await measure(stage, report, options);
}

async function measure(
  stage: BgpStage,
  report: Reporter,
  { sizes, changes, parts, save }: BgpBench,
): Promise<Figure[]> {
  const has = (part: BgpPart): boolean => parts.includes(part);
  const figures: Figure[] = [];
  const add = (more: readonly Figure[]): void => {
    figures.push(...measuredAt(more, new Date()));
    save(figures);
  };
  for (const [at, prefixes] of sizes.entries()) {
    report.step(`${prefixes} prefixes`);
    const from = sizes[at - 1] ?? 0;
    if (prefixes > from) {
      const grown = await grow(stage, from, prefixes);
      if (has('burst')) add(grown);
    }
    if (has('changes')) add(await endpoints(stage, report, { prefixes, changes }));
  }
  const all = { prefixes: sizes.at(-1) ?? 0, peers: await stage.peerWith(PEERS) };
  const size = `${all.prefixes} prefixes, ${PEERS} peers`;
  const attributes = { ...all, changes: Math.ceil(changes / 2), size };
  const recolour = (): Promise<Figure[]> => attributeChanges(stage, attributes, report);
  if (has('attributes')) add(await withResets(stage, 'community changed', size, recolour));
  if (has('mass')) add(await massChanges(stage, all, report));
  if (has('restarts')) add(await restarts(stage, all.prefixes, report));
  return figures;
}

async function grow(stage: BgpStage, from: number, prefixes: number): Promise<Figure[]> {
  const size = `${prefixes - from} Services more, ${PEERS} peers`;
  const peers = await stage.peerWith(PEERS);
  await stage.peers.filled(peers, from);
  return withResets(stage, 'burst', size, () => burst(stage, { from, prefixes, peers, size }));
}

async function endpoints(
  stage: BgpStage,
  report: Reporter,
  { prefixes, changes }: { readonly prefixes: number; readonly changes: number },
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const count of [1, PEERS]) {
    const peers = await stage.peerWith(count);
    await stage.peers.filled(peers, prefixes);
    await stage.quiet();
    const size = `${prefixes} prefixes, ${count} ${count === 1 ? 'peer' : 'peers'}`;
    const one = (): Promise<Figure[]> => endpointChanges(stage, { prefixes, peers, changes, size }, report);
    figures.push(...(await withResets(stage, 'endpoint changes', size, one)));
  }
  return figures;
}

/** What was measured, and how many sessions ended meanwhile. */
async function withResets(
  stage: BgpStage,
  what: string,
  size: string,
  act: () => Promise<Figure[]>,
): Promise<Figure[]> {
  const before = await stage.resets();
  const figures = await act();
  const value = (await stage.resets()) - before;
  return [...figures, { figure: `${what}: sessions reset`, unit: '', size, value, goal: '<= 0' }];
}
