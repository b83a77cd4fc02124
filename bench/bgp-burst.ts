/** Many Services at once, while the sessions are up: what many changes cost that come one by one, and who is busy. */
import { cpus } from 'node:os';
import type { BgpStage, Cpu } from '#bench/bgp-stage.ts';
import type { Figure } from '#bench/figures.ts';
import { nowMs } from '#tests/support/bgp-peers.ts';

export interface Burst {
  readonly from: number;
  /** How many there are afterwards. */
  readonly prefixes: number;
  readonly peers: readonly string[];
  readonly size: string;
}

export async function burst(stage: BgpStage, { from, prefixes, peers, size }: Burst): Promise<Figure[]> {
  await stage.quiet();
  const before = stage.cpu();
  const started = nowMs();
  await stage.services(prefixes);
  const created = nowMs();
  const last = await stage.peers.filled(peers, prefixes);
  const seen = stage.cpu();
  const seconds = (last - started) / 1000;
  await stage.quiet();
  const written = stage.cpu();
  const round = (value: number): number => Math.round(value * 100) / 100;
  const figure = (what: string, unit: string, value: number): Figure => ({
    figure: `burst: ${what}`,
    unit,
    size,
    value: round(value),
  });
  const share = (which: keyof Cpu): number =>
    (100 * (seen[which] - before[which])) / (seconds * cpus().length);
  return [
    figure('first request → last prefix at the last peer', 's', seconds),
    figure('last request answered → last prefix at the last peer', 'ms', Math.max(0, last - created)),
    figure('Services', '/s', (prefixes - from) / seconds),
    figure('share of the machine, control plane', '%', share('plane')),
    figure('share of the machine, speaker', '%', share('speaker')),
    figure('share of the machine, bgpd', '%', share('bgpd')),
    figure('share of the machine, bench', '%', share('bench')),
    figure('CPU until the last prefix, speaker', 's', seen.speaker - before.speaker),
    figure('CPU with all status written, speaker', 's', written.speaker - before.speaker),
    figure('CPU with all status written, bgpd', 's', written.bgpd - before.bgpd),
  ];
}
