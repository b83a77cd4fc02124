/**
 * One application of a configuration: type the changes, read back what FRR has, repair once, and single out the
 * neighbours FRR refuses. What is known of FRR between two applications is kept here.
 */
import { commandsFor, redact, type Step } from '#core/frr/commands.ts';
import { diff, type Change } from '#core/frr/diff.ts';
import { neighborWord } from '#core/frr/grammar.ts';
import type { FrrModel } from '#core/frr/model.ts';
import { DAEMONS, readRunning, runningCommand } from '#core/frr/running.ts';
import { parseConfig, type ConfigTree } from '#core/frr/tree.ts';
import { asksFor, deviations, ownPart, shownOfOthers, type Expectation } from '#core/frr/verify.ts';
import { withoutResend } from '#core/frr/without-resend.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { runBulk } from '#speaker/frr/bulk.ts';
import type { Renderer } from '#speaker/frr/templates.ts';
import { Vtysh, VtyshError, type VtyshOptions } from '#speaker/frr/vtysh.ts';

/** Above this many commands a file is faster than readline (2 ms a line that several daemons read, 35 ms a file). */
const BULK = 15;
/** The same where it matters which line FRR speaks of: in a second try, and for lines of users. */
const BULK_TOLD = 100;

/** FRR does not take the configuration, and no single neighbour is the cause. */
export class RefusedError extends VtyshError {
  /** The changes that FRR did not take. */
  readonly changes: readonly Change[];

  constructor(complaints: readonly Complaint[]) {
    const words = complaints.slice(0, 3).map((each) => each.words);
    super(`FRR refuses ${complaints.length} line(s): ${words.join('; ')}`);
    this.changes = complaints.map(({ change }) => change);
  }
}

export interface Applied {
  /** The configuration text FRR was brought to. */
  readonly text: string;
  readonly changes: number;
  readonly refused: ReadonlyMap<string, string>;
  /** The model without what was refused. */
  readonly model: FrrModel;
}

interface Wanted {
  readonly model: FrrModel;
  readonly text: string;
  readonly expectation: Expectation;
}

/** FRR's words for a change it refused. */
interface Complaint {
  readonly change: Change;
  readonly words: string;
  /** Whether the words are about this very change, and not about some of many. */
  readonly isCertain: boolean;
}

export class Applier {
  readonly #vtysh: Vtysh;
  readonly #options: VtyshOptions;
  readonly #render: Renderer;
  readonly #log: Logger;
  /** What FRR has, as far as it is ours; undefined until read. */
  #known: ConfigTree | undefined;
  /** Differences FRR keeps in spite of us and without a word; mentioned once. */
  readonly #tolerated = new Set<string>();
  /** Lines of `bgpextras` that FRR showed after the last application. */
  #shown: ReadonlySet<string> = new Set();
  /** Lines of `bgpextras` that FRR did not take; mentioned once. */
  readonly #strange = new Set<string>();
  #last: Wanted | undefined;

  constructor(options: VtyshOptions, render: Renderer, log: Logger) {
    this.#options = options;
    this.#vtysh = new Vtysh(options);
    this.#render = render;
    this.#log = log;
  }

  /** Forgets what FRR was last seen to have, and the vtysh that saw it: for a restarted FRR. */
  forget(): void {
    this.#known = undefined;
    this.#tolerated.clear();
    this.#vtysh.reset();
  }

  /**
   * Brings FRR to the model. Peers FRR refuses are left out and returned with its words, those in `refused`
   * from the start. Throws RefusedError when FRR does not take other lines, VtyshError when it does not answer.
   */
  async apply(model: FrrModel, refused: ReadonlyMap<string, string>): Promise<Applied> {
    const left = new Map(refused);
    let changes = 0;
    for (;;) {
      const accepted = withoutPeers(model, left);
      const attempt = await this.#attempt(accepted);
      changes += attempt.changes;
      const before = left.size;
      for (const { change, words } of attempt.complaints) {
        const peer = peerOf(model, change);
        if (peer !== undefined && !left.has(peer)) left.set(peer, words);
      }
      if (attempt.complaints.length === 0)
        return { text: attempt.text, changes, refused: left, model: accepted };
      if (left.size === before) throw new RefusedError(attempt.complaints);
    }
  }

  /** Compares FRR with what it was last brought to; true when they agree. Otherwise the next apply repairs. */
  async check(model: FrrModel, refused: ReadonlyMap<string, string>): Promise<boolean> {
    const { expectation } = this.#expect(withoutPeers(model, refused));
    const running = await this.#running();
    if (this.#open(running, expectation, this.#shown).length === 0) return true;
    this.#known = ownPart(running, expectation.desired);
    return false;
  }

  /** True when the model asks for some of the changes still: FRR would refuse it again. */
  wants(model: FrrModel, changes: readonly Change[]): boolean {
    const { desired } = this.#expect(model).expectation;
    return changes.some((change) => asksFor(desired, change));
  }

  /** What the model means; the last one is kept, for checks ask for the same again and again. */
  #expect(model: FrrModel): Wanted {
    if (this.#last?.model === model) return this.#last;
    const text = this.#render(model);
    const desired = parseConfig(text);
    const rendered = model.raw.length === 0 ? desired : parseConfig(this.#render({ ...model, raw: [] }));
    this.#last = { model, text, expectation: { desired, rendered } };
    return this.#last;
  }

  async #attempt(model: FrrModel): Promise<{ text: string; changes: number; complaints: Complaint[] }> {
    const { text, expectation } = this.#expect(model);
    this.#known ??= ownPart(await this.#running(), expectation.desired);
    const changes = diff(this.#known, expectation.desired);
    const typed = withoutResend(changes, this.#known, expectation.desired);
    this.#known = undefined;
    const isTold = model.raw.length > 0 && changes.some((each) => !asksFor(expectation.rendered, each));
    this.#mention(await this.#type(typed, isTold ? BULK_TOLD : BULK), expectation);
    const running = await this.#running();
    const open = this.#open(running, expectation);
    this.#shown = shownOfOthers(running, expectation);
    const complaints = open.length === 0 ? [] : await this.#repair(running, open, expectation);
    if (complaints.length === 0) this.#known = expectation.desired;
    return { text, changes: changes.length, complaints };
  }

  /** A second try from what FRR really has; what is open then was refused, or is tolerated when FRR kept silent. */
  async #repair(
    running: ConfigTree,
    open: readonly Change[],
    expectation: Expectation,
  ): Promise<Complaint[]> {
    const lines = open.slice(0, 5).map((change) => redact(describe(change)));
    this.#log.warn('FRR differs after the changes; trying once more', { open: open.length, lines });
    this.#known = ownPart(running, expectation.desired);
    const said = await this.#type(open, BULK_TOLD);
    const left = this.#open(await this.#running(), expectation);
    if (left.length === 0) return [];
    const complaints = said.filter(({ change }) => left.some((each) => sameChange(each, change)));
    if (complaints.length > 0) return complaints;
    for (const change of left) {
      this.#tolerated.add(describe(change));
      this.#log.warn('FRR took a line and does not show it', { line: redact(describe(change)) });
    }
    return [];
  }

  /** Says which lines of users FRR does not take: nobody else would, for the rest works. */
  #mention(said: readonly Complaint[], { rendered }: Expectation): void {
    for (const { change, words, isCertain } of said) {
      if (!isCertain || asksFor(rendered, change) || this.#strange.has(words)) continue;
      this.#strange.add(words);
      this.#log.warn('FRR does not take a line of bgpextras', { words });
    }
  }

  #open(running: ConfigTree, expectation: Expectation, shown?: ReadonlySet<string>): Change[] {
    const open = deviations(running, expectation, shown);
    return open.filter((change) => !this.#tolerated.has(describe(change)));
  }

  async #running(): Promise<ConfigTree> {
    const running = readRunning(await this.#vtysh.run(DAEMONS.map(runningCommand)));
    if (running.kind === 'absent') throw new VtyshError(`${running.daemon} is not running`);
    return running.tree;
  }

  /** Types the changes; what FRR complained about, in its own words. */
  async #type(changes: readonly Change[], bulk: number): Promise<Complaint[]> {
    const steps = commandsFor(changes);
    if (steps.length === 0) return [];
    const commands = steps.map(({ command }) => command);
    // A file is read in configuration mode from its first to its last line.
    if (steps.length > bulk)
      return unattributed(changes, await runBulk(this.#options, commands.slice(1, -1)));
    const outputs = await this.#vtysh.run(commands);
    return steps.flatMap((step, i) => complaintOf(step, outputs[i] ?? ''));
  }
}

function complaintOf({ change, command }: Step, output: string): Complaint[] {
  if (/is not running/.test(output)) throw new VtyshError(output.trim());
  if (change === undefined || !/^%/m.test(output)) return [];
  const words = redact(`${command}: ${output.replace(/\s+/g, ' ')}`);
  return [{ change, words, isCertain: true }];
}

/** `vtysh -f` does not say which line it speaks of: every change may be meant, the check tells which are open. */
function unattributed(changes: readonly Change[], output: string): Complaint[] {
  const words = output.split('\n').filter((line) => /%|[Ff]ailure/.test(line));
  if (words.length === 0) return [];
  const told = redact(words.slice(0, 3).join(' '));
  return changes.map((change) => ({ change, words: told, isCertain: false }));
}

function describe({ path, command }: Change): string {
  return [...path, command].join(' > ');
}

function sameChange(a: Change, b: Change): boolean {
  return describe(a) === describe(b);
}

function withoutPeers(model: FrrModel, left: ReadonlyMap<string, string>): FrrModel {
  if (left.size === 0) return model;
  const routers = model.routers.map((router) => ({
    ...router,
    neighbors: router.neighbors.filter(({ name }) => !left.has(name)),
  }));
  return { ...model, routers };
}

function peerOf(model: FrrModel, change: Change): string | undefined {
  const vrf = / vrf (\S+)$/.exec(change.path[0] ?? '')?.[1] ?? '';
  const router = model.routers.find((each) => each.vrf === vrf);
  return router?.neighbors.find((peer) => neighborWord(peer) === change.neighbor)?.name;
}
