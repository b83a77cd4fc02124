import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AppError, BugError } from '#core/errors.ts';
import { runProgram, type Host, type Program } from '#runtime/lifecycle/program.ts';
import { choice } from '#runtime/settings/settings.ts';
import { logLevels } from '#runtime/log/winston.ts';

const options = { level: choice({ flag: 'log-level', choices: logLevels, default: 'none', help: 'Level.' }) };

class FakeHost extends EventEmitter implements Host {
  readonly argv: string[];
  readonly env = {};
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly exited: Promise<unknown[]>;

  constructor(...args: string[]) {
    super();
    this.argv = ['node', 'main.ts', ...args];
    this.exited = once(this, 'exit');
  }

  exit(code: number): void {
    this.emit('exit', code);
  }

  text(stream: 'stdout' | 'stderr'): string {
    return String(this[stream].read() ?? '');
  }
}

async function run(
  host: FakeHost,
  start: (program: Program<typeof options>) => Promise<void> | void,
  stopWithinMs = 5000,
): Promise<number> {
  const program = { name: 'test', options, logLevel: () => 'none' as const, stopWithinMs };
  void runProgram(program, async (context) => start(context), host);
  const [code] = await host.exited;
  return code as number;
}

describe('runProgram (architecture §17)', () => {
  it.each(['SIGTERM', 'SIGINT'])('disposes in reverse order and exits 0 on %s', async (signal) => {
    const host = new FakeHost();
    const order: string[] = [];
    const code = await run(host, (program) => {
      program.scope.defer(() => void order.push('first'));
      program.scope.defer(async () => {
        await new Promise((resolve) => setImmediate(resolve));
        order.push('second');
      });
      program.signal.addEventListener('abort', () => order.push('signal'));
      setImmediate(() => host.emit(signal));
    });
    expect(code).toBe(0);
    expect(order).toEqual(['signal', 'second', 'first']);
  });

  it('exits 64 with every problem when settings are wrong, and starts nothing', async () => {
    const host = new FakeHost('--log-level=loud', '--nope');
    expect(await run(host, () => expect.unreachable())).toBe(64);
    expect(host.text('stderr')).toMatch(/--nope: unknown flag\n--log-level: "loud"/);
  });

  it('prints help and exits 0', async () => {
    const host = new FakeHost('--help');
    expect(await run(host, () => expect.unreachable())).toBe(0);
    expect(host.text('stdout')).toContain('--log-level');
  });

  it.each([
    ['an expected failure', new AppError('KUBE', 'no', { retry: 'never' }), 1],
    ['a bug', new BugError('impossible'), 70],
    ['an unknown exception', new TypeError('undefined'), 70],
  ])('exits as %s at start deserves, after disposal', async (_title, error, expected) => {
    let disposed = false;
    const code = await run(new FakeHost(), (program) => {
      program.scope.defer(() => void (disposed = true));
      throw error;
    });
    expect(code).toBe(expected);
    expect(disposed).toBe(true);
  });

  it('ends by stop() with the code of its error', async () => {
    const lost = new AppError('KUBE', 'lease lost', { retry: 'never' });
    expect(await run(new FakeHost(), ({ stop }) => stop('lease lost', lost))).toBe(1);
    expect(await run(new FakeHost(), ({ stop }) => stop('enough'))).toBe(0);
  });

  it('exits 1 at once on a second signal, and when disposal takes too long', async () => {
    const hang = ({ scope }: Program<typeof options>) => scope.defer(() => new Promise(() => undefined));
    const twice = new FakeHost();
    const code = run(twice, (program) => {
      hang(program);
      setImmediate(() => {
        twice.emit('SIGTERM');
        twice.emit('SIGTERM');
      });
    });
    expect(await code).toBe(1);
    const slow = new FakeHost();
    expect(
      await run(
        slow,
        (program) => {
          hang(program);
          program.stop('now');
        },
        20,
      ),
    ).toBe(1);
  });

  it('exits 1 when disposal fails', async () => {
    const code = await run(new FakeHost(), ({ scope, stop }) => {
      scope.defer(() => {
        throw new Error('stuck');
      });
      stop('now');
    });
    expect(code).toBe(1);
  });

  it('stops although start hangs', async () => {
    const host = new FakeHost();
    const code = await run(host, () => {
      setImmediate(() => host.emit('SIGTERM'));
      return new Promise<void>(() => undefined);
    });
    expect(code).toBe(0);
  });

  it.each(['unhandledRejection', 'uncaughtException'])('exits 70 on %s', async (event) => {
    const host = new FakeHost();
    const code = await run(host, () => {
      setImmediate(() => host.emit(event, new Error('nobody caught me')));
    });
    expect(code).toBe(70);
  });
});
