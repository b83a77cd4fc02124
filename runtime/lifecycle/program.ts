/**
 * The frame of every program: settings, log, signals, ordered disposal with a deadline, exit codes
 * (architecture §17): 0 clean, 1 failed or forced, 64 usage, 70 bug.
 */
import { AppError, BugError, SettingsError, messageOf } from '#core/errors.ts';
import { createLogger, type LogLevel, type RootLogger } from '#runtime/log/winston.ts';
import type { Logger } from '#runtime/log/logger.ts';
import {
  helpText,
  loggable,
  parseSettings,
  wantsHelp,
  type Options,
  type SettingsOf,
} from '#runtime/settings/settings.ts';

export const exitCodes = { clean: 0, failed: 1, usage: 64, bug: 70 } as const;

export interface ProgramOptions<S extends Options> {
  readonly name: string;
  readonly options: S;
  readonly logLevel: (settings: SettingsOf<S>) => LogLevel;
  /** How long disposal may take after SIGTERM; then exit 1. 10 s by default. */
  readonly stopWithinMs?: number;
}

export interface Program<S extends Options> {
  readonly settings: SettingsOf<S>;
  readonly logger: Logger;
  /** Aborted when the program is to end. */
  readonly signal: AbortSignal;
  /** Disposed in reverse order of registration after the signal. */
  readonly scope: AsyncDisposableStack;
  /** What is still to be done with everything running when the program is told to end, not when it fails; it bounds its own time. */
  readonly beforeStop: (last: () => Promise<void>) => void;
  /** Ends the program: `reason` goes to the log, the error (if any) decides the exit code. */
  readonly stop: (reason: string, error?: unknown) => void;
}

/** The parts of `process` that a program needs; a test hands in its own. */
export interface Host {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  exit(code: number): void;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/**
 * Runs a program: `start` brings everything up and returns; the program then lives until a signal, `stop`, or an
 * error. Ends the process.
 */
export async function runProgram<S extends Options>(
  program: ProgramOptions<S>,
  start: (context: Program<S>) => Promise<void>,
  host: Host = process,
): Promise<void> {
  const argv = host.argv.slice(2);
  if (wantsHelp(argv)) {
    host.stdout.write(helpText(program.name, program.options));
    return host.exit(exitCodes.clean);
  }
  let settings: SettingsOf<S>;
  try {
    settings = parseSettings(program.options, argv, host.env);
  } catch (error) {
    host.stderr.write(`${program.name}: ${messageOf(error)}\n`);
    return host.exit(exitCodes.usage);
  }
  const root = createLogger({ level: program.logLevel(settings), program: program.name });
  root.info('starting', { settings: loggable(program.options, settings), pid: process.pid });
  const run = new Run(program.stopWithinMs ?? 10_000, root, host);
  const { signal, scope } = run;
  await run.toTheEnd(() =>
    start({
      settings,
      logger: root,
      signal,
      scope,
      beforeStop: (last) => run.beforeStop(last),
      stop: (...why) => run.stop(...why),
    }),
  );
}

class Run {
  readonly scope = new AsyncDisposableStack();
  readonly #abort = new AbortController();
  readonly #stopWithinMs: number;
  readonly #logger: RootLogger;
  readonly #host: Host;
  #code: number = exitCodes.clean;
  #signals = 0;
  #isStopping = false;
  #last: (() => Promise<void>) | undefined;

  constructor(stopWithinMs: number, logger: RootLogger, host: Host) {
    this.#stopWithinMs = stopWithinMs;
    this.#logger = logger;
    this.#host = host;
    host.on('SIGTERM', () => this.#onSignal('SIGTERM'));
    host.on('SIGINT', () => this.#onSignal('SIGINT'));
    host.on('uncaughtException', (error) => this.#onBug(error));
    host.on('unhandledRejection', (error) => this.#onBug(error));
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  beforeStop(last: () => Promise<void>): void {
    this.#last = last;
  }

  stop(reason: string, error?: unknown): void {
    if (this.signal.aborted) return;
    if (error !== undefined) {
      this.#code = exitCodeOf(error);
      this.#logger.error('stopping after an error', { reason, error });
      this.#abort.abort();
    } else if (!this.#isStopping) {
      this.#isStopping = true;
      this.#logger.info('stopping', { reason });
      if (this.#last === undefined) this.#abort.abort();
      else void this.#finish(this.#last);
    }
  }

  async #finish(last: () => Promise<void>): Promise<void> {
    try {
      await last();
    } catch (error) {
      this.#logger.error('what was to be done before the end failed', { error });
    }
    this.#abort.abort();
  }

  async toTheEnd(start: () => Promise<void>): Promise<void> {
    const stopped = new Promise((resolve) => this.signal.addEventListener('abort', resolve, { once: true }));
    try {
      // A start that hangs (on stores that never sync) must not outlive the signal.
      await Promise.race([start(), stopped]);
    } catch (error) {
      this.stop('start failed', error);
    }
    await stopped;
    await this.#dispose();
    this.#logger.info('stopped', { code: this.#code });
    await this.#exit(this.#code);
  }

  async #dispose(): Promise<void> {
    const timer = setTimeout(() => {
      this.#logger.error('disposal took too long, giving up', { stopWithinMs: this.#stopWithinMs });
      void this.#exit(exitCodes.failed);
    }, this.#stopWithinMs);
    try {
      await this.scope.disposeAsync();
    } catch (error) {
      this.#code = this.#code === exitCodes.clean ? exitCodes.failed : this.#code;
      this.#logger.error('disposal failed', { error });
    } finally {
      clearTimeout(timer);
    }
  }

  #onSignal(name: string): void {
    this.#signals += 1;
    if (this.#signals > 1) void this.#exit(exitCodes.failed);
    else this.stop(name);
  }

  #onBug(error: unknown): void {
    this.#logger.error('unexpected error', { code: 'BUG', error });
    void this.#exit(exitCodes.bug);
  }

  async #exit(code: number): Promise<void> {
    // A reader of the log that no longer reads must not keep us alive.
    const patience = new Promise((resolve) => setTimeout(resolve, 1000).unref());
    await Promise.race([this.#logger.close(), patience]);
    this.#host.exit(code);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof SettingsError) return exitCodes.usage;
  if (error instanceof BugError || !(error instanceof AppError)) return exitCodes.bug;
  return exitCodes.failed;
}
