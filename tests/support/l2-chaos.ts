/** A cluster on which one address is announced by Layer 2, a client that asks for it all the time, and things that go wrong. */
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { LightStage, type LightSpeakers } from '#lab/demo/light.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import { Lab } from '#lab/lab.ts';
import { nodeName } from '#lab/net/plan.ts';
import { run, tryRun } from '#lab/process/run.ts';
import { quiet } from '#lab/report.ts';
import { createService, ingressOf } from '#lab/workload/service.ts';
import { longestDouble, longestPause, type Answer } from './answers.ts';
import { eventually } from './eventually.ts';
import { HeardBy } from './heard-by.ts';
import { leaderOf } from './l2-field.ts';
import { startProbe, type Probe } from './l2-processes.ts';

/** Milliseconds between two questions. */
export const ASK_EVERY = 10;
/** Two answers that come closer than this are answers to one question. */
const SLOT = 8;
/** For so long nobody but the winner may have answered before a round counts as over. */
const CALM = 500;
const SETTLE_MS = 60_000;
const FLAP_MS = 200;
const STOP_MS = 2_000;

export const CHAOS_KINDS = ['kill', 'power', 'oneway', 'partition', 'flap', 'stop', 'restart'] as const;
export type ChaosKind = (typeof CHAOS_KINDS)[number];

export interface ChaosRound {
  readonly kind: ChaosKind;
  readonly nodes: number;
  /** Longest time without an answer while it was wrong, and after it was mended. */
  readonly pauseMs: number;
  readonly pauseAfterMs: number;
  /** Longest time with two answerers, in the same way. */
  readonly doubleMs: number;
  readonly doubleAfterMs: number;
  /** Somebody other than before answered while it was wrong. */
  readonly moved: boolean;
  /** Longest time in which the client did not ask; more than a little means that the machine was too busy to measure. */
  readonly clientPauseMs: number;
  /** From mending to the end of the round. */
  readonly settledMs: number;
  /** Load average of the machine (1 minute) at its end: nodes that share two cores with much else answer later. */
  readonly load: number;
}

/** How something goes wrong, and how it is mended. */
interface Trouble {
  readonly begin: () => Promise<void>;
  /** Undefined: it goes away by itself within `begin`. */
  readonly mend?: () => Promise<void>;
  /** Wait for another answerer before it is mended; else mend at once. */
  readonly moves: boolean;
}

export class ChaosLab implements AsyncDisposable {
  readonly lab: Lab;
  readonly ip: string;
  /** The node that announces when all are well. */
  readonly winner: string;
  readonly #stage: LightStage;
  readonly #probe: Probe;
  readonly #macs: ReadonlyMap<string, string>;
  readonly #heard = new Map<number, HeardBy>();
  #answers: Answer[] = [];
  #asked: number[] = [];
  #rounds = 0;

  private constructor(
    stage: LightStage,
    probe: Probe,
    about: { ip: string; macs: ReadonlyMap<string, string> },
  ) {
    this.lab = stage.lab;
    this.#stage = stage;
    this.#probe = probe;
    this.#macs = about.macs;
    this.ip = about.ip;
    this.winner = leaderOf(
      about.ip,
      stage.nodes.map((index) => nodeName(index)),
    );
    probe.child.on('message', (message: { kind: string; asked?: number[]; answers?: [number, string][] }) => {
      if (message.kind !== 'watched') return;
      this.#asked.push(...(message.asked ?? []));
      for (const [at, mac] of message.answers ?? [])
        this.#answers.push({ at, by: this.#macs.get(mac) ?? mac });
    });
    probe.send({ kind: 'watch', ip: about.ip, everyMs: ASK_EVERY });
  }

  /** `speakers`: how they are started. */
  static async start(name: string, nodes: number, speakers: LightSpeakers = {}): Promise<ChaosLab> {
    const lab = await Lab.up({ name, level: 'light', nodes, report: quiet });
    try {
      const stage = new LightStage(lab, speakers);
      for (const step of stage.deploy) await step.run(() => undefined);
      const macs = new Map<string, string>();
      for (const index of stage.nodes) macs.set(await lab.at(nodeName(index)).ownMac(), nodeName(index));
      await lab.kubectl(['apply', '-f', '-'], { input: OBJECTS });
      await createService(lab.api, {
        name: 'web',
        nodes: stage.nodes,
        spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] },
      });
      const ip = await eventually(async () => {
        const [found] = await ingressOf(lab.api, 'web');
        if (found === undefined) throw new Error('no address yet');
        return found;
      }, 30_000);
      const probe = await startProbe(lab.netns('lan'), { realTime: true });
      return new ChaosLab(stage, probe, { ip, macs });
    } catch (error) {
      await lab.down();
      throw error;
    }
  }

  /** Waits until the winner, and nobody else, has answered for a while, and all speakers take part. */
  async settled(since = now()): Promise<number> {
    await eventually(() => {
      const from = Math.max(now() - CALM, since);
      const lately = this.#answers.filter(({ at }) => at > from);
      const who = [...new Set(lately.map(({ by }) => by))];
      if (
        now() - since < CALM ||
        who.length !== 1 ||
        who[0] !== this.winner ||
        lately.length < CALM / ASK_EVERY / 2
      )
        throw new Error(`${this.winner} should answer alone; answering: ${who.join(', ') || 'nobody'}`);
    }, SETTLE_MS);
    const last = this.#answers.findLast(({ by }) => by !== this.winner)?.at ?? since;
    return Math.max(0, last - since);
  }

  /** Waits until every speaker hears every other one, as their logs say. */
  async #allTakePart(): Promise<void> {
    await eventually(() => {
      for (const index of this.#stage.nodes) {
        const heard = this.#heardBy(index).look();
        if (heard.size !== this.#stage.nodes.length)
          throw new Error(`${nodeName(index)} hears ${[...heard].join(', ') || 'nobody'}`);
      }
    }, SETTLE_MS);
  }

  /** Makes something go wrong, mends it, and says what the client saw. Rejects when nobody answers again within a minute. */
  async round(kind: ChaosKind): Promise<ChaosRound> {
    await this.#allTakePart();
    await this.settled();
    this.#forget();
    this.#rounds += 1;
    const trouble = this.#trouble(kind);
    const from = now();
    await trouble.begin();
    if (trouble.moves) await this.#another(from);
    const mended = now();
    await trouble.mend?.();
    const settledMs = await this.settled(mended);
    const to = now();
    return {
      kind,
      nodes: this.#stage.nodes.length,
      pauseMs: longestPause(this.#answers, from, mended),
      pauseAfterMs: longestPause(this.#answers, mended, to - CALM / 2),
      doubleMs: longestDouble(this.#answers, { from, to: mended }, SLOT),
      doubleAfterMs: longestDouble(this.#answers, { from: mended, to }, SLOT),
      moved: this.#answers.some(({ at, by }) => at > from && by !== this.winner),
      clientPauseMs: longestPause(
        this.#asked.map((at) => ({ at, by: '' })),
        from,
        to,
      ),
      settledMs,
      load: loadavg()[0] ?? 0,
    };
  }

  /** Answers of others than the winner while nothing goes wrong for so long, and the longest pause. */
  async calm(
    ms: number,
  ): Promise<{ readonly others: number; readonly pauseMs: number; readonly clientPauseMs: number }> {
    await this.settled();
    this.#forget();
    const from = now();
    let others = 0;
    let pauseMs = 0;
    let clientPauseMs = 0;
    while (now() - from < ms) {
      await sleep(Math.min(5_000, ms));
      const answers = this.#answers;
      const asked = this.#asked.map((at) => ({ at, by: '' }));
      const [first, last] = [answers[0]?.at ?? from, answers.at(-1)?.at ?? now()];
      others += answers.filter(({ by }) => by !== this.winner).length;
      pauseMs = Math.max(pauseMs, longestPause(answers, first, last), now() - last);
      clientPauseMs = Math.max(
        clientPauseMs,
        longestPause(asked, asked[0]?.at ?? from, asked.at(-1)?.at ?? from),
      );
      // The last one stays, so that a pause across two looks is seen.
      this.#answers = answers.slice(-1);
      this.#asked = this.#asked.slice(-1);
    }
    return { others, pauseMs, clientPauseMs };
  }

  #heardBy(index: number): HeardBy {
    const found = this.#heard.get(index) ?? new HeardBy(this.#speaker(index).log);
    this.#heard.set(index, found);
    return found;
  }

  #forget(): void {
    this.#answers = [];
    this.#asked = [];
  }

  /** Waits until somebody else than the winner has answered since then, and for a moment alone. */
  async #another(since: number): Promise<void> {
    await eventually(() => {
      const others = this.#answers.filter(({ at, by }) => at > since && by !== this.winner);
      if (others.length < 10) throw new Error('nobody else answers');
    }, SETTLE_MS);
  }

  get #index(): number {
    return Number(this.winner.slice(4));
  }

  #speaker(index: number) {
    const speaker = this.lab.daemons.find(`speaker-${nodeName(index)}`);
    if (speaker === undefined) throw new Error(`no speaker on node ${index}`);
    return speaker;
  }

  #trouble(kind: ChaosKind): Trouble {
    const index = this.#index;
    const speaker = this.#speaker(index);
    switch (kind) {
      case 'kill':
        return {
          begin: () => speaker.stop('SIGKILL'),
          mend: async () => void (await this.#stage.startSpeaker(index)),
          moves: true,
        };
      case 'power':
        return { begin: () => this.lab.cutNode(index), mend: () => this.lab.healNode(index), moves: true };
      case 'oneway':
        return this.#bridge([`${this.#rounds % 2 === 0 ? 'iifname' : 'oifname'} "${this.winner}" drop`]);
      case 'partition':
        return this.#bridge(this.#partition());
      case 'flap':
        return { begin: () => this.#flap(index), moves: false };
      case 'stop':
        return {
          begin: async () => {
            speaker.signal('SIGSTOP');
            await sleep(STOP_MS);
          },
          mend: async () => void speaker.signal('SIGCONT'),
          moves: true,
        };
      case 'restart':
        return { begin: () => this.#restartAll(), moves: false };
    }
  }

  async #flap(index: number): Promise<void> {
    await this.lab.cutNode(index);
    await sleep(FLAP_MS);
    await this.lab.healNode(index);
  }

  async #restartAll(): Promise<void> {
    await Promise.all(this.#stage.nodes.map((index) => this.#speaker(index).stop('SIGKILL')));
    for (const index of this.#stage.nodes) await this.#stage.startSpeaker(index);
  }

  /** The winner and as many others as leave a majority: nothing passes between them and the rest, where the client is. */
  #partition(): string[] {
    const names = this.#stage.nodes.map((index) => nodeName(index) as string);
    const others = names.filter((name) => name !== this.winner);
    const few = [this.winner, ...others.slice(0, Math.floor((names.length - 1) / 2) - 1)];
    const set = `{ ${few.map((name) => `"${name}"`).join(', ')} }`;
    return [`iifname ${set} oifname != ${set} drop`, `iifname != ${set} oifname ${set} drop`];
  }

  /** Rules on the bridge, which sees every frame between two places. */
  #bridge(rules: readonly string[]): Trouble {
    const nft = (input: string) => run([...this.lab.enter('control', ['nft', '-f', '-'])], { input });
    const chain = ['type filter hook forward priority 0', 'policy accept', ...rules].join('\n');
    return {
      begin: async () => void (await nft(`table bridge chaos {\nchain forward {\n${chain}\n}\n}\n`)),
      mend: async () => void (await nft('delete table bridge chaos\n')),
      moves: true,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#probe.kill('SIGKILL');
    await tryRun([...this.lab.enter('control', ['nft', 'delete', 'table', 'bridge', 'chaos'])]);
    await this.lab.down();
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

const OBJECTS = `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: chaos, namespace: ${NAMESPACE}}
spec: {addresses: [10.90.0.100/32]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: chaos, namespace: ${NAMESPACE}}
`;
