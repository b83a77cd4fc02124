import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { identify, isAlive, signal } from '#lab/process/identity.ts';
import { tryRun } from '#lab/process/run.ts';
import { Fatal, waitFor } from '#lab/process/wait.ts';

describe('waiting', () => {
  test('returns the first value that is there', async () => {
    const values = [undefined, null, false, 0];
    expect(await waitFor('a value', () => values.shift(), { intervalMs: 1 })).toBe(0);
  });

  test('after the deadline it says what it waited for, the last error and the explanation', async () => {
    const never = () => {
      throw new Error('no answer');
    };
    const explain = () => 'log line';
    await expect(waitFor('the sun', never, { deadlineMs: 5, intervalMs: 1, explain })).rejects.toThrow(
      'waited 0.005 s for the sun in vain:\nno answer\nlog line',
    );
  });

  test('a fatal finding ends it at once', async () => {
    const dead = () => {
      throw new Fatal('it ended');
    };
    await expect(waitFor('etcd', dead, { deadlineMs: 60_000 })).rejects.toThrow('etcd: it ended');
  });
});

describe('processes', () => {
  test('another process with the same pid is not ours', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const id = identify(child.pid ?? 0);
    if (id === undefined) throw new Error('the child is not in /proc');
    expect(isAlive(id)).toBe(true);
    const other = { pid: id.pid, startTime: '1' };
    expect(isAlive(other)).toBe(false);
    expect(signal(other, 'SIGKILL')).toBe(false);
    expect(signal(id, 'SIGKILL')).toBe(true);
    await once(child, 'close');
    expect(isAlive(id)).toBe(false);
  });

  test('a program that does not end is ended, one that does not exist is told', async () => {
    const endless = ['-e', 'setInterval(() => {}, 1000)'];
    const slow = await tryRun([process.execPath, ...endless], { timeoutMs: 50 });
    expect(slow).toMatchObject({ code: -1, failure: 'not done after 0.05 s' });
    const missing = await tryRun(['metallb-no-such-program']);
    expect(missing.failure).toContain('ENOENT');
  });
});
