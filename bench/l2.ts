/**
 * How fast the responder answers ARP and NDP on the wire: idle, in a storm of foreign requests, while it answers a storm,
 * while the main thread digests 10,000 Services, and with 10,000 addresses; what it costs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { distribution, type Figure } from '#bench/figures.ts';
import { cpuSeconds } from '#bench/process-figures.ts';
import type { Reporter } from '#lab/report.ts';
import { addressOf } from '#tests/support/digest.ts';
import {
  startProbe,
  startResponder,
  type Probe,
  type ResponderProcess,
} from '#tests/support/l2-processes.ts';
import { Segment } from '#tests/support/netns.ts';

const V4 = '192.0.2.77';
const V6 = '2001:db8::77';
const HELD = [V4, V6];
const FOREIGN = '192.0.2.200';
const REQUESTS = 2_000;
const STORM = 20_000;
const MANY = 10_000;
/** Time for the measurements while Services are digested. */
const DIGEST_MS = 20_000;
const BURST_MS = 6_000;

interface Stage {
  readonly client: Probe;
  readonly other: Probe;
  readonly responder: ResponderProcess;
  readonly priority: string;
}

export async function l2(report: Reporter): Promise<Figure[]> {
  const segment = new Segment('bench');
  const processes: { kill(signal: NodeJS.Signals): Promise<void> }[] = [];
  try {
    await segment.up();
    await segment.host('node', '192.0.2.11/24', '2001:db8::11/64');
    await segment.host('client', '192.0.2.1/24', '2001:db8::1/64');
    await segment.host('other', '192.0.2.2/24', '2001:db8::2/64');
    const client = await startProbe(segment.netns('client'), { realTime: true });
    const other = await startProbe(segment.netns('other'), { realTime: false });
    processes.push(client, other);
    const figures: Figure[] = [];
    for (const realTime of [true, false]) {
      const responder = await startHolder(segment, realTime);
      processes.push(responder);
      const priority = realTime ? 'real-time' : 'normal priority';
      const stage = { client, other, responder, priority };
      figures.push(...(await latencies(stage, report)));
      if (realTime) figures.push(...(await costs(stage, report)));
      await responder.kill('SIGKILL');
    }
    return figures;
  } finally {
    await Promise.all(processes.map((process) => process.kill('SIGKILL')));
    await segment.down();
  }
}

async function startHolder(segment: Segment, realTime: boolean): Promise<ResponderProcess> {
  const responder = await startResponder(segment.netns('node'), { realTime });
  responder.send({ kind: 'plan', entries: HELD.map((ip) => ({ ip, interfaces: undefined })) });
  // The burst of a gained address is over; nothing else is on the wire then.
  await sleep(BURST_MS);
  return responder;
}

async function latencies(stage: Stage, report: Reporter): Promise<Figure[]> {
  const { other, responder, priority } = stage;
  const figures: Figure[] = [];
  const both = async (when: string): Promise<void> => {
    report.step(`${priority}, ${when}`);
    figures.push(...(await measure(stage, 'ARP', when)), ...(await measure(stage, 'NDP', when)));
  };
  await both('idle');
  other.send({ kind: 'storm', ip: FOREIGN, perSecond: STORM });
  await both(`${STORM} foreign requests/s`);
  await stopStorm(stage);
  other.send({ kind: 'storm', ip: V4, perSecond: STORM });
  await both(`${STORM} requests/s answered`);
  const sent = await stopStorm(stage);
  figures.push({
    figure: `requests sent in that storm, ${priority}`,
    unit: '1/s',
    size: '',
    value: sent.perSecond,
  });
  responder.send({ kind: 'digest', services: MANY, ms: DIGEST_MS, held: HELD });
  await both(`main thread digests ${MANY} Services`);
  const digested = await responder.expect(({ kind }) => kind === 'digested', 3 * DIGEST_MS);
  const passes = digested.kind === 'digested' ? digested.passes : 0;
  figures.push({
    figure: `passes over ${MANY} Services meanwhile, ${priority}`,
    unit: '',
    size: '',
    value: passes,
  });
  return figures;
}

async function measure(
  { client, priority }: Stage,
  protocol: 'ARP' | 'NDP',
  when: string,
): Promise<Figure[]> {
  client.forget();
  client.send({ kind: 'measure', ip: protocol === 'ARP' ? V4 : V6, count: REQUESTS });
  const measured = await client.expect(({ kind }) => kind === 'measured', 120_000);
  if (measured.kind !== 'measured') throw new Error('unreachable');
  const name = `${protocol} answer, ${priority}, ${when}`;
  const goal = priority === 'real-time' ? { goal99: '<= 1' } : {};
  const about = { unit: 'ms', size: `${REQUESTS} requests`, ...goal };
  const times = measured.micros.map((micros) => micros / 1_000);
  const lost: Figure = {
    figure: `${name}, lost`,
    unit: '',
    size: about.size,
    value: measured.lost,
    goal: '<= 0',
  };
  return [...distribution(name, about, times), lost];
}

async function stopStorm({ other }: Stage): Promise<{ readonly sent: number; readonly perSecond: number }> {
  other.forget();
  other.send({ kind: 'storm', ip: V4, perSecond: 0 });
  const stormed = await other.expect(({ kind }) => kind === 'stormed', 10_000);
  if (stormed.kind !== 'stormed') throw new Error('unreachable');
  return { sent: stormed.sent, perSecond: Math.round((1_000 * stormed.sent) / stormed.ms) };
}

/** CPU and memory: foreign storms, answers, and a large plan. */
async function costs(stage: Stage, report: Reporter): Promise<Figure[]> {
  report.step('costs');
  const few = HELD.map((ip) => ({ ip, interfaces: undefined }));
  stage.responder.send({ kind: 'plan', entries: few });
  await sleep(BURST_MS);
  const foreign = await cpuOf(stage, FOREIGN, STORM);
  const own = await cpuOf(stage, V4, STORM);
  const before = await memory(stage);
  const many = Array.from({ length: MANY }, (_, index) => ({
    ip: addressOf(16 * index),
    interfaces: undefined,
  }));
  stage.responder.send({ kind: 'plan', entries: [...few, ...many] });
  await sleep(2 * BURST_MS);
  const after = await memory(stage);
  const answers = await measure(stage, 'ARP', `${MANY} addresses held`);
  const perCore = own.percent === 0 ? 0 : Math.round((own.perSecond / own.percent) * 100);
  return [
    {
      figure: 'CPU of a foreign storm',
      unit: '%',
      size: `${foreign.perSecond} requests/s`,
      value: foreign.percent,
    },
    { figure: 'CPU of answering', unit: '%', size: `${own.perSecond} requests/s`, value: own.percent },
    {
      figure: 'answers per second of one core',
      unit: '1/s',
      size: 'extrapolated from the row above',
      value: perCore,
    },
    { figure: 'memory of the process', unit: 'MB', size: '2 addresses', value: before },
    { figure: 'memory of the process', unit: 'MB', size: `${MANY} addresses`, value: after },
    ...answers,
  ];
}

async function cpuOf(
  stage: Stage,
  ip: string,
  perSecond: number,
): Promise<{ readonly percent: number; readonly perSecond: number }> {
  const [before, started] = [cpuSeconds(stage.responder.child.pid), performance.now()];
  stage.other.send({ kind: 'storm', ip, perSecond });
  await sleep(4_000);
  const storm = await stopStorm(stage);
  const seconds = (performance.now() - started) / 1_000;
  const used = cpuSeconds(stage.responder.child.pid) - before;
  return { percent: Math.round((used / seconds) * 1_000) / 10, perSecond: storm.perSecond };
}

async function memory({ responder }: Stage): Promise<number> {
  responder.forget();
  responder.send({ kind: 'stats' });
  const answer = await responder.expect(({ kind }) => kind === 'stats', 10_000);
  return answer.kind === 'stats' ? Math.round(answer.rss / 1e5) / 10 : 0;
}
