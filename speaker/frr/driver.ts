/**
 * Brings the FRR beside the speaker to what is desired and keeps it there. The first change goes out at once,
 * further ones are gathered while one is under way; one application at a time. A failure is state, not an
 * exception: it is reported, the last good configuration is put back, and the next try comes later and later.
 */
import { messageOf } from '#core/errors.ts';
import { redact } from '#core/frr/commands.ts';
import type { Change } from '#core/frr/diff.ts';
import type { FrrModel } from '#core/frr/model.ts';
import type { Target } from '#core/frr/sessions.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { untouchedFrr, type FrrPort, type FrrState } from '#speaker/ports.ts';
import { Applier, RefusedError, type Applied } from '#speaker/frr/apply.ts';
import { replaceFile } from '#speaker/frr/config-file.ts';
import { beginSessions, refreshInbound, resendRoutes } from '#speaker/frr/refresh.ts';
import { watchRestarts } from '#speaker/frr/restarts.ts';
import type { Renderer } from '#speaker/frr/templates.ts';
import { Vtysh, VtyshError } from '#speaker/frr/vtysh.ts';

export interface FrrSettings {
  /** Program and arguments of vtysh. */
  readonly vtysh: readonly string[];
  /** Where to keep frr.conf for a cold start of FRR; undefined: nowhere. */
  readonly configFile: string | undefined;
  /** FRR's run directory, to notice restarts at once; undefined: they are noticed by the periodic check. */
  readonly runDir: string | undefined;
  /** Milliseconds from the start of one application to the earliest start of the next. Default 40. */
  readonly coalesceMs?: number;
  /** Milliseconds between comparisons of intended and real configuration. Default 5000. */
  readonly checkMs?: number;
  /** Milliseconds after which vtysh is given up. Default 10000. */
  readonly deadlineMs?: number;
}

/** FRR does not answer: it will soon be back. */
const ABSENT_RETRY_MS = { first: 250, last: 2_000 };
/** FRR does not take what we want: more of the same helps little, and goes out and comes back each time. */
const REFUSED_RETRY_MS = { first: 5_000, last: 300_000 };

/** Starts the driver. Nothing is typed before the first `setDesired`. */
export function openFrr(settings: FrrSettings, render: Renderer, log: Logger): FrrPort {
  return new FrrDriver(settings, render, log);
}

class FrrDriver implements FrrPort {
  readonly #settings: FrrSettings;
  readonly #render: Renderer;
  readonly #log: Logger;
  readonly #applier: Applier;
  readonly #reader: Vtysh;
  readonly #listeners: ((state: FrrState) => void)[] = [];
  readonly #closeWatch: () => void;
  #state: FrrState = untouchedFrr;
  /** As it was given, and with what is left out for now. */
  #asked: FrrModel | undefined;
  #model: FrrModel | undefined;
  #withoutBfd: ReadonlySet<string> = new Set();
  #text = '';
  #proved: FrrModel | undefined;
  #good: { readonly model: FrrModel; readonly generation: number } | undefined;
  /** Peer name → FRR's words; what the peer was like then decides whether it is tried again. */
  #refused: ReadonlyMap<string, string> = new Map();
  #refusedAs = new Map<string, string>();
  #isDirty = false;
  #isClosed = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastStart = 0;
  #retryMs = 0;
  /** When what failed is tried again; undefined: nothing failed. */
  #retryAt: number | undefined;
  /** Lines, of no single neighbour, that FRR did not take. */
  #refusedLines: readonly Change[] = [];
  #saving: Promise<void> = Promise.resolve();
  #unsaved: string | undefined;

  constructor(settings: FrrSettings, render: Renderer, log: Logger) {
    this.#settings = settings;
    this.#render = render;
    this.#log = log;
    const vtysh = { argv: settings.vtysh, deadlineMs: settings.deadlineMs ?? 10_000 };
    this.#applier = new Applier(vtysh, render, log);
    this.#reader = new Vtysh(vtysh);
    const watcher =
      settings.runDir === undefined ? undefined : watchRestarts(settings.runDir, () => this.#restarted());
    this.#closeWatch = () => watcher?.close();
  }

  get proved(): FrrModel | undefined {
    return this.#state.applied === this.#state.desired ? this.#proved : undefined;
  }

  get state(): FrrState {
    return this.#state;
  }

  onState(listener: (state: FrrState) => void): void {
    this.#listeners.push(listener);
  }

  setDesired(asked: FrrModel): void {
    this.#asked = asked;
    const model = this.#withoutBfd.size === 0 ? asked : { ...asked, withoutBfd: this.#withoutBfd };
    const text = this.#render(model);
    if (text === this.#text && this.#model !== undefined) return;
    this.#text = text;
    this.#model = model;
    this.#update({ desired: this.#state.desired + 1 });
    if (this.#isHopeless()) return;
    this.#forgive();
    this.#kick();
  }

  /**
   * True while the model asks for lines that FRR refused: it would refuse it again, and go back to the last good
   * configuration again. The next try takes the newest model along. Without a last good one nothing is taken back,
   * and what FRR does take of the model is worth a try.
   */
  #isHopeless(): boolean {
    const [model, lines] = [this.#model, this.#refusedLines];
    return (
      model !== undefined && this.#good !== undefined && lines.length > 0 && this.#applier.wants(model, lines)
    );
  }

  leaveOutBfd(peers: ReadonlySet<string>): void {
    this.#withoutBfd = peers;
    if (this.#asked !== undefined) this.setDesired(this.#asked);
  }

  /** What failed may be tried again at once. */
  #forgive(): void {
    this.#retryMs = 0;
    this.#retryAt = undefined;
    this.#refusedLines = [];
  }

  async show(command: string, signal?: AbortSignal): Promise<unknown> {
    signal?.throwIfAborted();
    const [text = ''] = await this.#reader.run([command]);
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw new VtyshError(`${command}: no JSON in ${JSON.stringify(text.slice(0, 200))}`, error);
    }
  }

  resend(targets: readonly Target[]): Promise<void> {
    return resendRoutes(this.#reader, targets);
  }

  begin(sessions: readonly Pick<Target, 'vrf' | 'neighbor'>[]): Promise<void> {
    return beginSessions(this.#reader, sessions);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#closeWatch();
    await this.#running;
    await this.#saving;
    this.#applier.forget();
    this.#reader.reset();
  }

  #update(part: Partial<FrrState>): void {
    this.#state = { ...this.#state, ...part };
    for (const listener of this.#listeners) listener(this.#state);
  }

  /** A daemon is new: what it had is gone, and what it refused before it may take now. */
  #restarted(): void {
    if (this.#isClosed || this.#model === undefined) return;
    this.#log.info('a daemon of FRR was started; applying everything again');
    this.#applier.forget();
    this.#reader.reset();
    this.#refused = new Map();
    this.#forgive();
    this.#update({ applied: 0 });
    this.#kick();
  }

  #kick(): void {
    this.#isDirty = true;
    if (this.#running !== undefined || this.#isClosed) return;
    clearTimeout(this.#timer);
    const wait = this.#lastStart + (this.#settings.coalesceMs ?? 40) - performance.now();
    if (wait > 0 && this.#lastStart > 0) this.#timer = setTimeout(() => this.#start(), wait);
    else this.#start();
  }

  #start(): void {
    this.#lastStart = performance.now();
    this.#running = this.#work().finally(() => this.#next());
  }

  #next(): void {
    this.#running = undefined;
    if (this.#isDirty && !this.#isHopeless()) this.#kick();
    else this.#later();
  }

  /**
   * The next thing to do when nothing new comes: try again after a failure, else look after FRR. While FRR refuses
   * something it is looked after as well: the last good configuration must not be lost meanwhile.
   */
  #later(): void {
    if (this.#isClosed) return;
    const checkMs = this.#settings.checkMs ?? 5000;
    const retryMs = this.#retryAt === undefined ? Infinity : Math.max(this.#retryAt - performance.now(), 0);
    const isRefused = this.#refusedLines.length > 0;
    const retries = retryMs <= checkMs || (retryMs < Infinity && !isRefused);
    this.#timer = setTimeout(() => (retries ? this.#kick() : this.#look()), retries ? retryMs : checkMs);
    this.#timer.unref();
  }

  #look(): void {
    this.#running = this.#check().finally(() => this.#next());
  }

  async #check(): Promise<void> {
    const isRefused = this.#refusedLines.length > 0;
    const model = isRefused ? this.#good?.model : this.#model;
    if (model === undefined) return;
    try {
      if (await this.#applier.check(model, this.#refused)) return await refreshInbound(this.#reader);
      this.#log.warn('FRR does not have the intended configuration; repairing');
      this.#update({ repairs: this.#state.repairs + 1 });
      if (isRefused) await this.#applier.apply(model, this.#refused);
      else this.#isDirty = true;
    } catch (error) {
      // What was refused has its time already.
      if (isRefused) this.#log.debug('FRR cannot be looked after', { error: messageOf(error) });
      else this.#fail(error);
    }
  }

  async #work(): Promise<void> {
    const model = this.#model;
    if (model === undefined) return;
    this.#isDirty = false;
    const generation = this.#state.desired;
    const started = performance.now();
    try {
      const applied = await this.#applier.apply(model, this.#stillRefused(model));
      this.#succeed(model, generation, applied, performance.now() - started);
    } catch (error) {
      this.#fail(error);
      if (error instanceof RefusedError) await this.#rollBack(generation);
    }
  }

  /** Refused peers that are in the model unchanged: FRR would refuse them again. */
  #stillRefused(model: FrrModel): ReadonlyMap<string, string> {
    const now = peerTexts(model);
    return new Map([...this.#refused].filter(([peer]) => now.get(peer) === this.#refusedAs.get(peer)));
  }

  #succeed(model: FrrModel, generation: number, applied: Applied, durationMs: number): void {
    const { changes, refused, text } = applied;
    for (const [peer, message] of refused)
      if (this.#refused.get(peer) !== message) this.#log.error('FRR refuses a neighbour', { peer, message });
    this.#refused = refused;
    this.#refusedAs = refused.size === 0 ? new Map() : peerTexts(model);
    this.#good = { model, generation };
    this.#proved = applied.model;
    this.#forgive();
    const list = [...refused].map(([peer, message]) => ({ peer, message }));
    this.#update({ applied: generation, lastError: undefined, refused: list, lastDurationMs: durationMs });
    const fields = { op: 'reload-validate', generation, changes, durationMs: Math.round(durationMs) };
    this.#log.info('FRR configuration applied: success', fields);
    this.#save(text);
  }

  #fail(error: unknown): void {
    const message = redact(messageOf(error));
    const { first, last } = error instanceof RefusedError ? REFUSED_RETRY_MS : ABSENT_RETRY_MS;
    this.#retryMs = Math.min(Math.max(this.#retryMs * 2, first), last);
    this.#retryAt = performance.now() + this.#retryMs;
    if (error instanceof RefusedError) this.#refusedLines = error.changes;
    const fields = { op: 'reload-validate', error: message, retryMs: this.#retryMs };
    if (message === this.#state.lastError) this.#log.debug('FRR configuration still not applied', fields);
    else this.#log.error('FRR configuration not applied', fields);
    this.#update({ lastError: message });
  }

  /** Puts the last good configuration back, so that a change FRR refuses does not leave it half-way. */
  async #rollBack(failed: number): Promise<void> {
    const good = this.#good;
    if (good === undefined || good.generation === failed) return;
    try {
      this.#applier.forget();
      await this.#applier.apply(good.model, this.#refused);
      this.#log.warn('FRR is back at the last good configuration', { generation: good.generation });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Writes frr.conf off the path of changes; what came while one write was under way is written once. */
  #save(text: string): void {
    const path = this.#settings.configFile;
    if (path === undefined) return;
    const isWaiting = this.#unsaved !== undefined;
    this.#unsaved = text;
    if (isWaiting) return;
    this.#saving = this.#saving
      .then(() => {
        const latest = this.#unsaved ?? text;
        this.#unsaved = undefined;
        return replaceFile(path, latest);
      })
      .catch((error: unknown) => this.#log.error('cannot write frr.conf', { path, error: String(error) }));
  }
}

/** Peer name → everything about it, as text to compare. */
function peerTexts(model: FrrModel): Map<string, string> {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part));
  return new Map(model.routers.flatMap(({ neighbors }) => neighbors.map((peer) => [peer.name, text(peer)])));
}
