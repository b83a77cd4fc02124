import { describe, expect, it } from 'vitest';
import { AppError } from '#core/errors.ts';
import type { LogFields, Logger } from '#runtime/log/logger.ts';
import { silent } from '#runtime/log/logger.ts';
import { createQueue, type QueueOptions } from '#runtime/queue/queue.ts';
import { done, type Outcome } from '#runtime/queue/types.ts';
import { settle, VirtualClock } from '#tests/support/virtual-clock.ts';

const failure = (retry: 'backoff' | 'soon' | 'never', retryAfterMs?: number) =>
  new AppError('KUBE', 'no', { retry, retryAfterMs });

function setUp(options: Partial<QueueOptions> = {}) {
  const clock = new VirtualClock();
  const runs: { key: string; at: number }[] = [];
  const { handler = () => done, ...rest } = options;
  const queue = createQueue({
    name: 'test',
    logger: silent,
    clock,
    random: () => 0.5,
    ...rest,
    handler: (key, signal) => {
      runs.push({ key, at: clock.now() });
      return handler(key, signal);
    },
  });
  const keys = () => runs.map(({ key }) => key);
  return { clock, queue, runs, keys };
}

/** A handler whose runs end when the test says so. */
function gate() {
  const open: (() => void)[] = [];
  const handler = () => new Promise<Outcome>((resolve) => open.push(() => resolve(done)));
  return {
    handler,
    running: () => open.length,
    release: async () => {
      open.shift()?.();
      await settle();
    },
  };
}

describe('queue (architecture §5)', () => {
  it('has one entry per key', async () => {
    const { clock, queue, keys } = setUp();
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect(queue.length).toBe(2);
    await clock.advance(0);
    expect(keys()).toEqual(['a', 'b']);
    expect(queue.length).toBe(0);
  });

  it('takes the earlier of two due times', async () => {
    const { clock, queue, runs } = setUp();
    queue.add('a', { after: 100 });
    queue.add('a', { after: 300 });
    queue.add('b', { after: 300 });
    queue.add('b', { after: 100 });
    await clock.advance(1000);
    expect(runs).toEqual([
      { key: 'a', at: 100 },
      { key: 'b', at: 100 },
    ]);
  });

  it('among equals in priority the lower rank comes first, then who came first', async () => {
    const { clock, queue, keys } = setUp();
    for (const key of ['c3', 'b2', 'd3', 'a1']) queue.add(key, { rank: key.slice(1) });
    queue.add('late', { rank: '9', priority: 60 });
    await clock.advance(0);
    expect(keys()).toEqual(['late', 'a1', 'b2', 'c3', 'd3']);
  });

  it('runs the higher priority first, and takes the higher of two', async () => {
    const { clock, queue, keys } = setUp();
    queue.add('start-up', { priority: 0 });
    queue.add('change');
    queue.add('config', { priority: 10 });
    queue.add('fail-over', { priority: 100 });
    queue.add('raised', { priority: 0 });
    queue.add('raised', { priority: 100 });
    queue.add('raised', { priority: 0 });
    await clock.advance(0);
    expect(keys()).toEqual(['fail-over', 'raised', 'change', 'config', 'start-up']);
  });

  it('runs a key once more when it was added while running, and never twice at once', async () => {
    const { handler, release, running } = gate();
    const { clock, queue, keys } = setUp({ handler, concurrency: 4 });
    queue.add('a');
    await clock.advance(0);
    queue.add('a');
    queue.add('a');
    await clock.advance(0);
    expect(running()).toBe(1);
    await release();
    await clock.advance(0);
    expect(keys()).toEqual(['a', 'a']);
    await release();
    await clock.advance(0);
    expect(keys()).toEqual(['a', 'a']);
  });

  it('lets other keys run beside a slow one, up to the concurrency', async () => {
    const { handler, release } = gate();
    const { clock, queue, keys } = setUp({ handler, concurrency: 2 });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await clock.advance(0);
    expect(keys()).toEqual(['a', 'b']);
    await release();
    await clock.advance(0);
    expect(keys()).toEqual(['a', 'b', 'c']);
  });

  it('comes back after the time the handler asks for', async () => {
    let left = 1;
    const handler = (): Outcome => (left-- > 0 ? { kind: 'after', ms: 5000 } : done);
    const { clock, queue, runs } = setUp({ handler });
    queue.add('a');
    await clock.advance(10_000);
    expect(runs.map(({ at }) => at)).toEqual([0, 5000]);
  });

  it('backs off exponentially with jitter, per key, up to a minute, and forgets on success', async () => {
    let failing = true;
    const handler = () => {
      if (failing) throw failure('backoff');
      return done;
    };
    const { clock, queue, runs } = setUp({ handler });
    queue.add('a');
    await clock.advance(300_000);
    const gaps = runs.map(({ at }, index) => at - (runs[index - 1]?.at ?? 0)).slice(1);
    // Half (random 0.5) of 5 ms · 2^n.
    expect(gaps.slice(0, 5)).toEqual([2.5, 5, 10, 20, 40]);
    expect(Math.max(...gaps)).toBe(30_000);
    failing = false;
    await clock.advance(60_000);
    failing = true;
    runs.length = 0;
    queue.add('a');
    await clock.advance(10);
    expect(runs.map(({ at }) => at - (runs[0]?.at ?? 0))).toEqual([0, 2.5, 7.5]);
  });

  it('waits at least as long as the other side asked', async () => {
    let first = true;
    const handler = () => {
      if (!first) return done;
      first = false;
      throw failure('backoff', 7000);
    };
    const { clock, queue, runs } = setUp({ handler });
    queue.add('a');
    await clock.advance(10_000);
    expect(runs.map(({ at }) => at)).toEqual([0, 7000]);
  });

  it('tries a conflict again soon, as information and not as an error', async () => {
    const records: { level: string; message: string }[] = [];
    const logger = recorder(records);
    let left = 2;
    const handler = () => {
      if (left-- > 0) throw failure('soon');
      return done;
    };
    const { clock, queue, runs } = setUp({ handler, logger });
    queue.add('a');
    await clock.advance(100);
    expect(runs.map(({ at }) => at)).toEqual([0, 5, 15]);
    expect(records.map(({ level }) => level)).toEqual(['info', 'info']);
  });

  it('waits for the next change after a failure that trying again cannot mend', async () => {
    const handler = () => {
      throw failure('never');
    };
    const { clock, queue, keys } = setUp({ handler });
    queue.add('a');
    await clock.advance(600_000);
    expect(keys()).toEqual(['a']);
    queue.add('a');
    await clock.advance(0);
    expect(keys()).toEqual(['a', 'a']);
  });

  it('goes on after an unexpected exception', async () => {
    let left = 1;
    const handler = () => {
      if (left-- > 0) throw new TypeError('bug');
      return done;
    };
    const { clock, queue, keys } = setUp({ handler });
    queue.add('a');
    queue.add('b');
    await clock.advance(100);
    expect(keys()).toEqual(['a', 'b', 'a']);
  });

  it('limits retries of all keys together', async () => {
    const handler = () => {
      throw failure('backoff');
    };
    const { clock, queue, runs } = setUp({ handler });
    for (let key = 0; key < 200; key += 1) queue.add(String(key));
    await clock.advance(1000);
    // 200 first runs, a burst of 100 retries, then 10 a second.
    expect(runs.length).toBeLessThanOrEqual(200 + 100 + 11);
  });

  it('drains: takes nothing more, waits for what runs, and tells it when the deadline is over', async () => {
    const { handler, release } = gate();
    let signal: AbortSignal | undefined;
    const { clock, queue, keys } = setUp({
      handler: (_key, given) => {
        signal = given;
        return handler();
      },
    });
    queue.add('a');
    queue.add('b');
    await clock.advance(0);
    let drained = false;
    void queue.drain(1000).then(() => (drained = true));
    queue.add('c');
    await clock.advance(999);
    expect(drained).toBe(false);
    expect(signal?.aborted).toBe(false);
    await release();
    expect(drained).toBe(true);
    expect(signal?.aborted).toBe(true);
    await clock.advance(10_000);
    expect(keys()).toEqual(['a']);
  });

  it('gives up draining at the deadline', async () => {
    const { handler } = gate();
    const { clock, queue } = setUp({ handler });
    queue.add('a');
    await clock.advance(0);
    let drained = false;
    void queue.drain(1000).then(() => (drained = true));
    await clock.advance(1000);
    expect(drained).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('lets the event loop breathe while a thousand keys are handled', async () => {
    const { queue, runs } = setUp();
    for (let key = 0; key < 1000; key += 1) queue.add(String(key));
    await new Promise((resolve) => setTimeout(resolve, 0));
    const seen = runs.length;
    expect(seen).toBeLessThan(1000);
    while (runs.length < 1000) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(new Set(runs.map(({ key }) => key)).size).toBe(1000);
  });
});

function recorder(records: { level: string; message: string; fields?: LogFields }[]): Logger {
  const log = (level: string) => (message: string, fields?: LogFields) => {
    records.push({ level, message, ...(fields === undefined ? {} : { fields }) });
  };
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: () => recorder(records),
  };
}
