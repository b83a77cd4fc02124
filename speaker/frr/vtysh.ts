/**
 * One long-lived vtysh. It reads commands from a pipe through readline: each command is echoed after a prompt,
 * its output follows, and a command that does not exist marks the end of a batch. Nothing is ever put into
 * argv.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { AppError } from '#core/errors.ts';

/** vtysh cannot be started, died, or did not answer in time. FRR's state is unknown afterwards. */
export class VtyshError extends AppError {
  constructor(message: string, cause?: unknown) {
    super('VTYSH', message, { retry: 'backoff', cause });
  }
}

export interface VtyshOptions {
  /** Program and arguments, e.g. `['vtysh']` or `['chroot', ROOT, 'vtysh', '-N', 'name']`. */
  readonly argv: readonly string[];
  /** Milliseconds after which a batch without an answer fails and vtysh is killed. */
  readonly deadlineMs: number;
}

/** Wide enough that readline never wraps or scrolls an echoed line. */
const COLUMNS = '8192';

/** The environment of every vtysh: wide lines, no pager, and no history file, which would keep passwords. */
export function vtyshEnvironment(): NodeJS.ProcessEnv {
  const PATH = process.env['PATH'];
  return { PATH, TERM: 'dumb', COLUMNS, VTYSH_HISTFILE: '/dev/null', VTYSH_PAGER: 'cat' };
}

interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  readonly chunks: string[];
  onData: () => void;
  onEnd: (message: string) => void;
}

export class Vtysh {
  readonly #options: VtyshOptions;
  #child: Child | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #batches = 0;

  constructor(options: VtyshOptions) {
    this.#options = options;
  }

  /**
   * Runs commands in order and returns the output of each, trimmed. A command that FRR refuses is no error here:
   * its words are the output. Batches of one Vtysh run one after the other.
   */
  run(commands: readonly string[]): Promise<string[]> {
    const result = this.#queue.then(() => this.#run(commands));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Ends the process; the next `run` starts another. For when the daemons behind it were restarted. */
  reset(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.process.kill('SIGKILL');
    child?.onEnd('vtysh was reset');
  }

  async #run(commands: readonly string[]): Promise<string[]> {
    const child = (this.#child ??= this.#start());
    const marker = `metallb-sync-${(this.#batches += 1)}`;
    const end = `% Unknown command: ${marker}\n`;
    child.chunks.length = 0;
    const output = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(
        () => child.onEnd(`no answer within ${this.#options.deadlineMs} ms`),
        this.#options.deadlineMs,
      );
      child.onEnd = (message) => {
        clearTimeout(timer);
        this.#drop(child);
        reject(new VtyshError(`${message}${lastWords(child.chunks)}`));
      };
      child.onData = () => {
        if (!tail(child.chunks, end.length + 256).includes(end)) return;
        clearTimeout(timer);
        resolve(child.chunks.join(''));
      };
      child.process.stdin.write([...commands, marker].map((command) => `${quote(command)}\n`).join(''));
    });
    return splitOutput(output, [...commands, marker]).slice(0, -1);
  }

  #drop(child: Child): void {
    if (this.#child === child) this.#child = undefined;
    child.process.kill('SIGKILL');
  }

  #start(): Child {
    const [program = 'vtysh', ...args] = this.#options.argv;
    const child: Child = {
      process: spawn(program, args, { env: vtyshEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] }),
      chunks: [],
      onData: () => undefined,
      onEnd: () => undefined,
    };
    const take = (chunk: string): void => {
      child.chunks.push(chunk);
      child.onData();
    };
    child.process.stdout.setEncoding('utf8').on('data', take);
    child.process.stderr.setEncoding('utf8').on('data', take);
    child.process.stdin.on('error', () => undefined);
    child.process.on('error', (error) => child.onEnd(`cannot run ${program}: ${error.message}`));
    child.process.on('close', (code, signal) => {
      this.#drop(child);
      child.onEnd(`vtysh ended (${signal ?? `exit code ${code}`})`);
    });
    return child;
  }
}

/** Readline takes `?` for a call for help and other bytes for editing keys: Ctrl-V before them makes them text. */
function quote(command: string): string {
  // oxlint-disable-next-line no-control-regex
  return command.replace(/[?\u0000-\u001f\u007f]/g, '\u0016$&');
}

function tail(chunks: readonly string[], length: number): string {
  let text = '';
  for (let i = chunks.length - 1; i >= 0 && text.length < length; i -= 1) text = `${chunks[i]}${text}`;
  return text;
}

function lastWords(chunks: readonly string[]): string {
  const words = tail(chunks, 400).trim().split('\n').slice(-3).join(' ').trim();
  return words === '' ? '' : `: ${words}`;
}

/** Cuts what vtysh wrote at the echoes of the commands. Text before the first echo is the banner. */
export function splitOutput(output: string, commands: readonly string[]): string[] {
  const lines = output.split('\n');
  const echoes: number[] = [];
  let from = 0;
  for (const command of commands) {
    const at = lines.findIndex(
      (line, index) => index >= from && (line === command || line.endsWith(`# ${command}`)),
    );
    echoes.push(at);
    if (at !== -1) from = at + 1;
  }
  return echoes.map((start, i) => {
    if (start === -1) return '';
    const end = echoes.slice(i + 1).find((at) => at !== -1) ?? lines.length;
    return lines
      .slice(start + 1, end)
      .join('\n')
      .trim();
  });
}
