import { describe, expect, it } from 'vitest';
import { Outage } from '#controller/outage.ts';
import { KubeError } from '#runtime/kube/types.ts';
import { silent } from '#runtime/log/logger.ts';
import { done, type Handler } from '#runtime/queue/types.ts';

const { signal } = new AbortController();
const away = new KubeError('no answer', { status: 0, reason: 'Unreachable' });

function script(...results: readonly (KubeError | undefined)[]): { handler: Handler; calls: string[] } {
  const left = [...results];
  const calls: string[] = [];
  const handler: Handler = (key) => {
    calls.push(key);
    const error = left.shift();
    return error === undefined ? done : Promise.reject(error);
  };
  return { handler, calls };
}

describe('outage', () => {
  it('one attempt per second for all keys together, and everything goes on afterwards', async () => {
    let now = 0;
    const outage = new Outage(silent, () => now);
    const { handler, calls } = script(away, away, undefined, undefined);
    const guarded = outage.guard(handler);
    expect(await guarded('a', signal)).toEqual({ kind: 'after', ms: 1000 });
    now = 400;
    expect(await guarded('b', signal)).toEqual({ kind: 'after', ms: 600 });
    now = 1000;
    expect(await guarded('a', signal)).toEqual({ kind: 'after', ms: 1000 });
    now = 2000;
    expect(await guarded('b', signal)).toEqual(done);
    expect(await guarded('a', signal)).toEqual(done);
    expect(calls).toEqual(['a', 'a', 'b', 'a']);
  });

  it.each([409, 403, 422, 500])('status %s is an answer: thrown to the queue', async (status) => {
    const refusal = new KubeError('refused', { status, reason: '' });
    const guarded = new Outage(silent, () => 0).guard(script(refusal, undefined).handler);
    await expect(guarded('a', signal)).rejects.toBe(refusal);
    expect(await guarded('a', signal)).toEqual(done);
  });
});
