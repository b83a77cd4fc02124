/** One change at a time: an endpoint that comes and goes, and an attribute that becomes another one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { addressOf, type BgpStage } from '#bench/bgp-stage.ts';
import { distribution, type Figure } from '#bench/figures.ts';
import type { Reporter } from '#lab/report.ts';
import { nowMs } from '#tests/support/bgp-peers.ts';

const GOAL = '<= 300';
/** The Service whose endpoint comes and goes, and the one whose community does. */
const PROBE = { name: 'probe', ip: addressOf(0), prefix: `${addressOf(0)}/32` };
const MARKED = { name: 'marked', ip: '198.18.255.1', prefix: '198.18.255.1/32' };

/** Makes the Services that the measurements change. */
export async function makeProbes(stage: BgpStage): Promise<void> {
  await stage.service(PROBE.name, PROBE.ip, false);
  await stage.service(MARKED.name, MARKED.ip, false, { bench: 'marked' });
}

export interface Case {
  readonly prefixes: number;
  readonly peers: readonly string[];
  readonly changes: number;
  readonly size: string;
}

/** The endpoint of a Service becomes ready and unready again, from the request to the UPDATE at the last router. */
export async function endpointChanges(stage: BgpStage, given: Case, report: Reporter): Promise<Figure[]> {
  const { size } = given;
  const before = stage.cpu();
  const [up, down, answered]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; i < given.changes; i += 1) {
    report.progress(`${size}: ${i} of ${given.changes}`);
    for (const ready of [true, false]) {
      // Not in step with anything that happens every so often.
      await sleep(Math.random() * 100);
      const there = stage.peers.next(given.peers, ready ? 'announced' : 'withdrawn', PROBE.prefix);
      there.catch(() => undefined);
      const started = nowMs();
      await stage.setReady(PROBE.name, ready);
      answered.push(nowMs() - started);
      (ready ? up : down).push(Math.max(...(await there)) - started);
    }
  }
  const after = stage.cpu();
  const perChange = (which: 'speaker' | 'bgpd'): number =>
    Math.round(((after[which] - before[which]) / (2 * given.changes)) * 10_000) / 10;
  const about = { unit: 'ms', size };
  const { speaker, bgpd } = stage.memory();
  return [
    ...distribution('endpoint ready → UPDATE at the last peer', { ...about, goal99: GOAL }, up),
    ...distribution('last endpoint gone → UPDATE at the last peer', { ...about, goal99: GOAL }, down),
    ...distribution('of which until the API server answers', about, answered),
    { figure: 'CPU per change, speaker', ...about, value: perChange('speaker') },
    { figure: 'CPU per change, bgpd', ...about, value: perChange('bgpd') },
    { figure: 'resident memory, speaker', unit: 'MB', size, value: speaker },
    { figure: 'resident memory, bgpd', unit: 'MB', size, value: bgpd },
  ];
}

/** A BGPAdvertisement of one Service gets another community: one UPDATE per router, never a withdrawal. */
export async function attributeChanges(stage: BgpStage, given: Case, report: Reporter): Promise<Figure[]> {
  const { size } = given;
  const mark = (n: number): Promise<void> =>
    stage.apply('BGPAdvertisement', 'marked', {
      ipAddressPools: ['bench'],
      serviceSelectors: [{ matchLabels: { bench: 'marked' } }],
      communities: [`64512:${1000 + n}`],
    });
  const told = async (change: () => Promise<void>): Promise<number> => {
    const there = stage.peers.next(given.peers, 'announced', MARKED.prefix);
    there.catch(() => undefined);
    const started = nowMs();
    await change();
    return Math.max(...(await there)) - started;
  };
  await mark(0);
  await told(() => stage.setReady(MARKED.name, true));
  stage.peers.forget();
  const samples: number[] = [];
  for (let n = 1; n <= given.changes; n += 1) {
    report.progress(`attribute changes: ${n} of ${given.changes}`);
    await sleep(Math.random() * 100);
    samples.push(await told(() => mark(n)));
  }
  // What bgpd sends when it looks at changed maps once more (delay-timer) belongs to the changes.
  await sleep(3000);
  const tallies = (await stage.peers.tallies()).filter(({ peer }) => given.peers.includes(peer));
  const sum = (field: 'updates' | 'withdrawals'): number =>
    tallies.reduce((total, tally) => total + tally[field], 0);
  await stage.setReady(MARKED.name, false);
  await stage.remove('BGPAdvertisement', 'marked');
  const each = sum('updates') / given.peers.length / given.changes;
  const of = `${size}, ${given.changes} changes`;
  return [
    ...distribution(
      'community changed → UPDATE at the last peer',
      { unit: 'ms', size, goal99: GOAL },
      samples,
    ),
    { figure: 'UPDATEs per change of a community and peer', unit: '', size: of, value: each, goal: '<= 1' },
    { figure: 'withdrawals by it', unit: '', size: of, value: sum('withdrawals'), goal: '<= 0' },
  ];
}
