/** Everything at once: all prefixes announced, changed, withdrawn, and loaded into an FRR that has nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BgpStage } from '#bench/bgp-stage.ts';
import type { Figure } from '#bench/figures.ts';
import type { Reporter } from '#lab/report.ts';
import { nowMs } from '#tests/support/bgp-peers.ts';

const IDLE_SECONDS = 30;

interface Everything {
  readonly prefixes: number;
  readonly peers: readonly string[];
}

type Step = (stage: BgpStage, all: Everything, size: string) => Promise<Figure[]>;

const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

function seconds(figure: string, size: string, ms: number, goal?: string): Figure {
  const value = round(ms / 1000);
  return { figure, unit: 's', size, value, ...(goal === undefined ? {} : { goal }) };
}

/** All of it, in an order in which each begins with all prefixes at all peers. */
export async function massChanges(stage: BgpStage, all: Everything, report: Reporter): Promise<Figure[]> {
  const size = `${all.prefixes} prefixes, ${all.peers.length} peers`;
  const steps: [string, Step][] = [
    ['idle', idle],
    ['another community for all', recolour],
    ['all withdrawn, all announced', withdrawAndAnnounce],
    ['FRR killed and started again', coldFrr],
  ];
  const figures: Figure[] = [];
  for (const [name, step] of steps) {
    report.step(`${size}: ${name}`);
    await stage.peers.filled(all.peers, all.prefixes);
    await stage.quiet();
    figures.push(...(await step(stage, all, size)));
  }
  return figures;
}

async function idle(stage: BgpStage, _: Everything, size: string): Promise<Figure[]> {
  const before = stage.cpu();
  await sleep(IDLE_SECONDS * 1000);
  const after = stage.cpu();
  const perCent = (which: 'speaker' | 'bgpd'): number =>
    round(((after[which] - before[which]) / IDLE_SECONDS) * 100);
  const { speaker, bgpd } = stage.memory();
  return [
    { figure: 'idle: CPU, speaker', unit: '%', size, value: perCent('speaker') },
    { figure: 'idle: CPU, bgpd', unit: '%', size, value: perCent('bgpd') },
    { figure: 'idle: resident memory, speaker', unit: 'MB', size, value: speaker },
    { figure: 'idle: resident memory, bgpd', unit: 'MB', size, value: bgpd },
  ];
}

/** One BGPAdvertisement changes, and with it every prefix. */
async function recolour(stage: BgpStage, { prefixes, peers }: Everything, size: string): Promise<Figure[]> {
  stage.peers.forget();
  const [before, resets] = [stage.cpu(), await stage.resets()];
  const started = nowMs();
  await stage.apply('BGPAdvertisement', 'bench', { ipAddressPools: ['bench'], communities: ['64512:7'] });
  const last = await stage.peers.told(peers, prefixes);
  // What bgpd sends when it looks at changed maps once more (delay-timer) belongs to the change.
  await sleep(3000);
  const after = stage.cpu();
  const tallies = (await stage.peers.tallies()).filter(({ peer }) => peers.includes(peer));
  const most = Math.max(...tallies.map((tally) => tally.most));
  const withdrawals = tallies.reduce((sum, tally) => sum + tally.withdrawals, 0);
  return [
    seconds('mass change: community changed → last UPDATE', size, last - started),
    { figure: 'mass change: UPDATEs of one prefix', unit: '', size, value: most, goal: '<= 1' },
    { figure: 'mass change: withdrawals', unit: '', size, value: withdrawals, goal: '<= 0' },
    {
      figure: 'mass change: sessions reset',
      unit: '',
      size,
      value: (await stage.resets()) - resets,
      goal: '<= 0',
    },
    seconds('mass change: CPU, speaker', size, (after.speaker - before.speaker) * 1000),
    seconds('mass change: CPU, bgpd', size, (after.bgpd - before.bgpd) * 1000),
  ];
}

/** The BGPAdvertisement goes and comes back; the sessions stay. */
async function withdrawAndAnnounce(
  stage: BgpStage,
  { prefixes, peers }: Everything,
  size: string,
): Promise<Figure[]> {
  const started = nowMs();
  await stage.remove('BGPAdvertisement', 'bench');
  const gone = await stage.peers.filled(peers, 0);
  await stage.quiet();
  const again = nowMs();
  await stage.apply('BGPAdvertisement', 'bench', { ipAddressPools: ['bench'] });
  const there = await stage.peers.filled(peers, prefixes);
  return [
    seconds('advertisement deleted → last prefix withdrawn', size, gone - started),
    seconds('advertisement created → last prefix announced', size, there - again, '<= 2'),
  ];
}

/** From the moment at which the daemons of an empty FRR answer to the last prefix at the last peer. */
async function coldFrr(stage: BgpStage, { prefixes, peers }: Everything, size: string): Promise<Figure[]> {
  const before = stage.cpu().speaker;
  await stage.frr.stop();
  await stage.peers.down(peers);
  await stage.frr.start();
  const started = nowMs();
  const up = await stage.peers.sessions(peers);
  const last = await stage.peers.filled(peers, prefixes);
  await stage.quiet();
  return [
    seconds('cold load: FRR answers → last session up', size, up - started),
    seconds('cold load: FRR answers → last prefix at the last peer', size, last - started),
    seconds('cold load: applied and proved, as the speaker says', size, stage.lastApplied(prefixes), '<= 2'),
    seconds(
      'cold load: last session up → last prefix at the last peer',
      size,
      Math.max(0, last - up),
      '<= 2',
    ),
    seconds('cold load: CPU, speaker', size, (stage.cpu().speaker - before) * 1000),
    seconds('cold load: CPU, bgpd', size, stage.cpu().bgpd * 1000),
  ];
}
