/**
 * FrrPort without FRR: a configuration in memory, typed into through the same plan of changes. Failures are
 * scripted. Held to the real driver by tests/contract/frr.
 */
import { diff } from '#core/frr/diff.ts';
import { neighborWord } from '#core/frr/grammar.ts';
import type { FrrModel } from '#core/frr/model.ts';
import type { Target } from '#core/frr/sessions.ts';
import { parseConfig, treeLines, type ConfigTree } from '#core/frr/tree.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { untouchedFrr, type FrrPort, type FrrState } from '#speaker/ports.ts';
import { interpret } from '#tests/support/frr-interpreter.ts';

const render = loadTemplates('frr-templates');

export class FakeFrr implements FrrPort {
  /** Neighbours (address or interface) that are refused with these words. */
  readonly refusals = new Map<string, string>();
  /** Answers of `show`, by command. */
  readonly answers = new Map<string, unknown>();
  /** Set: every application fails with this message until it is cleared and `kick` is called. */
  failure: string | undefined;
  #tree: ConfigTree = parseConfig('');
  #text = '';
  #asked: FrrModel | undefined;
  #model: FrrModel | undefined;
  #isScheduled = false;
  #isClosed = false;
  #state: FrrState = untouchedFrr;
  readonly #listeners: ((state: FrrState) => void)[] = [];

  /** What `resend` was asked for, in order. */
  readonly resent: Target[] = [];
  #proved: FrrModel | undefined;

  get proved(): FrrModel | undefined {
    return this.#state.applied === this.#state.desired ? this.#proved : undefined;
  }

  get state(): FrrState {
    return this.#state;
  }

  /** Every line of the configuration with its path, sorted. */
  get lines(): readonly string[] {
    return treeLines(this.#tree);
  }

  onState(listener: (state: FrrState) => void): void {
    this.#listeners.push(listener);
  }

  /** Neighbours that `begin` was asked for, in order. */
  readonly begun: string[] = [];

  begin(sessions: readonly Pick<Target, 'vrf' | 'neighbor'>[]): Promise<void> {
    this.begun.push(...sessions.map(({ neighbor }) => neighbor));
    return Promise.resolve();
  }

  /** What `leaveOutBfd` was told last. */
  withoutBfd: ReadonlySet<string> = new Set();

  leaveOutBfd(peers: ReadonlySet<string>): void {
    this.withoutBfd = peers;
    if (this.#asked !== undefined) this.setDesired(this.#asked);
  }

  setDesired(asked: FrrModel): void {
    this.#asked = asked;
    const model = { ...asked, withoutBfd: this.withoutBfd };
    const text = render(model);
    if (text === this.#text) return;
    this.#text = text;
    this.#model = model;
    this.#update({ desired: this.#state.desired + 1 });
    this.kick();
  }

  /** Tries again, as the driver does by itself after a while. */
  kick(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#isClosed) this.#apply();
    });
  }

  show(command: string, signal?: AbortSignal): Promise<unknown> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return this.answers.has(command)
      ? Promise.resolve(this.answers.get(command))
      : Promise.reject(new Error(`${command}: no JSON`));
  }

  resend(targets: readonly Target[]): Promise<void> {
    this.resent.push(...targets);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  #apply(): void {
    if (this.#model === undefined) return;
    if (this.failure !== undefined) {
      this.#update({ lastError: this.failure });
      return;
    }
    const refused = this.#model.routers
      .flatMap(({ neighbors }) => neighbors)
      .map((peer) => ({ peer: peer.name, message: this.refusals.get(neighborWord(peer)) ?? '' }))
      .filter(({ message }) => message !== '');
    const left = new Set(refused.map(({ peer }) => peer));
    const routers = this.#model.routers.map((router) => ({
      ...router,
      neighbors: router.neighbors.filter(({ name }) => !left.has(name)),
    }));
    this.#proved = { ...this.#model, routers };
    const desired = parseConfig(render(this.#proved));
    this.#tree = interpret(this.#tree, diff(this.#tree, desired));
    this.#update({ applied: this.#state.desired, lastError: undefined, refused });
  }

  #update(part: Partial<FrrState>): void {
    this.#state = { ...this.#state, ...part };
    for (const listener of this.#listeners) listener(this.#state);
  }
}
