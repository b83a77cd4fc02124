/** How fast the responder answers on the wire: idle, in a storm, while the main thread works; what it costs. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { distribution, type Figure } from '#bench/figures.ts';
import type { Reporter } from '#lab/report.ts';
import {
  startProbe,
  startResponder,
  type Probe,
  type ResponderProcess,
} from '#tests/support/l2-processes.ts';
import { Segment } from '#tests/support/netns.ts';

const IP = '192.0.2.77';
const FOREIGN = '192.0.2.200';
const REQUESTS = 2_000;
const STORM = 20_000;
const MANY = 10_000;
const BUSY = 3_000;
const TICKS_PER_SECOND = 100;

interface Stage {
  readonly segment: Segment;
  readonly client: Probe;
  readonly other: Probe;
  readonly responder: ResponderProcess;
}

export async function l2(report: Reporter): Promise<Figure[]> {
  const segment = new Segment('bench');
  const processes: { kill(signal: NodeJS.Signals): Promise<void> }[] = [];
  try {
    await segment.up();
    await segment.host('node', '192.0.2.11/24');
    await segment.host('client', '192.0.2.1/24');
    await segment.host('other', '192.0.2.2/24');
    const client = await startProbe(segment.netns('client'), { realTime: true });
    const other = await startProbe(segment.netns('other'), { realTime: true });
    processes.push(client, other);
    const figures: Figure[] = [];
    for (const realTime of [true, false]) {
      const responder = await startHolder(segment, realTime);
      processes.push(responder);
      const stage = { segment, client, other, responder };
      figures.push(...(await latencies(stage, realTime, report)));
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
  responder.send({ kind: 'plan', entries: [{ ip: IP, interfaces: undefined }] });
  // The burst of a gained address is over; nothing else is on the wire then.
  await sleep(5_000);
  return responder;
}

async function latencies(stage: Stage, realTime: boolean, report: Reporter): Promise<Figure[]> {
  const priority = realTime ? 'real-time' : 'normal priority';
  report.step(`answers, ${priority}`);
  const idle = await measure(stage, `ARP reply, ${priority}, idle`);
  stage.other.send({ kind: 'storm', ip: FOREIGN, perSecond: STORM });
  const storm = await measure(stage, `ARP reply, ${priority}, ${STORM} foreign requests/s`);
  await stopStorm(stage);
  stage.other.send({ kind: 'storm', ip: IP, perSecond: STORM / 4 });
  const asked = await measure(stage, `ARP reply, ${priority}, ${STORM / 4} requests/s answered`);
  await stopStorm(stage);
  stage.responder.send({ kind: 'busy', ms: BUSY });
  const busy = await measure(stage, `ARP reply, ${priority}, main thread busy`);
  await sleep(BUSY);
  return [...idle, ...storm, ...asked, ...busy];
}

async function measure({ client }: Stage, name: string): Promise<Figure[]> {
  client.forget();
  client.send({ kind: 'measure', ip: IP, count: REQUESTS });
  const measured = await client.expect(({ kind }) => kind === 'measured', 120_000);
  if (measured.kind !== 'measured') throw new Error('unreachable');
  const goal = name.includes('real-time') ? { goal99: '<= 1' } : {};
  const about = { unit: 'ms', size: `${REQUESTS} requests`, ...goal };
  const lost: Figure = {
    figure: `${name}, lost`,
    unit: '',
    size: about.size,
    value: measured.lost,
    goal: '<= 0',
  };
  return [
    ...distribution(
      name,
      about,
      measured.micros.map((micros) => micros / 1_000),
    ),
    lost,
  ];
}

async function stopStorm({ other }: Stage): Promise<number> {
  other.forget();
  other.send({ kind: 'storm', ip: IP, perSecond: 0 });
  const stormed = await other.expect(({ kind }) => kind === 'stormed', 10_000);
  return stormed.kind === 'stormed' ? stormed.sent : 0;
}

/** CPU and memory: foreign storms, answers, and a large plan. */
async function costs(stage: Stage, report: Reporter): Promise<Figure[]> {
  report.step('costs');
  const foreign = await cpuOf(stage, FOREIGN, STORM);
  const own = await cpuOf(stage, IP, STORM);
  const before = await stats(stage);
  const entries = Array.from({ length: MANY }, (_, n) => ({
    ip: n === 0 ? IP : `10.${n >> 12}.${(n >> 4) & 0xff}.${(n & 15) * 16}`,
    interfaces: undefined,
  }));
  stage.responder.send({ kind: 'plan', entries });
  await sleep(8_000);
  const after = await stats(stage);
  const many = await measure(stage, `ARP reply, real-time, ${MANY} addresses held`);
  return [
    { figure: 'CPU of a foreign storm', unit: '%', size: `${STORM} requests/s`, value: foreign.percent },
    {
      figure: 'CPU of answering',
      unit: '%',
      size: `${Math.round(own.perSecond)} requests/s`,
      value: own.percent,
    },
    {
      figure: 'answers per second of one core',
      unit: '1/s',
      size: 'extrapolated from the row above',
      value: own.percent === 0 ? 0 : Math.round((own.perSecond / own.percent) * 100),
    },
    { figure: 'memory of the process', unit: 'MB', size: '1 address', value: before },
    { figure: 'memory of the process', unit: 'MB', size: `${MANY} addresses`, value: after },
    ...many,
  ];
}

async function cpuOf(
  stage: Stage,
  ip: string,
  perSecond: number,
): Promise<{ percent: number; perSecond: number }> {
  const [ticks, started] = [cpuTicks(stage.responder), performance.now()];
  stage.other.send({ kind: 'storm', ip, perSecond });
  await sleep(4_000);
  const sent = await stopStorm(stage);
  const seconds = (performance.now() - started) / 1_000;
  const used = (cpuTicks(stage.responder) - ticks) / TICKS_PER_SECOND;
  return { percent: Math.round((used / seconds) * 1_000) / 10, perSecond: sent / seconds };
}

/** User and system time of the process in clock ticks. */
function cpuTicks(responder: ResponderProcess): number {
  const stat = readFileSync(`/proc/${responder.child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function stats({ responder }: Stage): Promise<number> {
  responder.forget();
  responder.send({ kind: 'stats' });
  const answer = await responder.expect(({ kind }) => kind === 'stats');
  return answer.kind === 'stats' ? Math.round(answer.rss / 1e5) / 10 : 0;
}
