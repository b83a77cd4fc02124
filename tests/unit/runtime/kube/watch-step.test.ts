import { describe, expect, it } from 'vitest';
import { KubeError } from '#runtime/kube/types.ts';
import { initialState, nextStep, parseEvent, type Ended, type WatchState } from '#runtime/kube/watch-step.ts';

const watching: WatchState = { resourceVersion: '5', failures: 0 };
const error = (status: number, reason = '', retryAfterMs?: number) =>
  new KubeError('no', { status, reason, retryAfterMs });
const ended = (over: Partial<Ended>): Ended => ({ resourceVersion: '7', received: 0, livedMs: 100, ...over });

describe('nextStep (architecture §7.2)', () => {
  it('goes on from the last version at once after a watch that worked', () => {
    expect(nextStep(watching, ended({ received: 3 }))).toMatchObject({
      state: { resourceVersion: '7', failures: 0 },
      backoff: false,
      cause: 'closed',
    });
    expect(nextStep(watching, ended({ livedMs: 60_000 }))).toMatchObject({ backoff: false });
  });

  it('counts a watch that ends within a second without an event as a failure', () => {
    const step = nextStep({ ...watching, failures: 2 }, ended({}));
    expect(step).toMatchObject({
      state: { resourceVersion: '7', failures: 3 },
      backoff: true,
      cause: 'short',
    });
  });

  it.each([0, 429, 500, 503, 403, 404])('keeps the version through status %i and backs off', (status) => {
    const step = nextStep(watching, ended({ error: error(status) }));
    expect(step).toMatchObject({ state: { resourceVersion: '7', failures: 1 }, backoff: true });
  });

  it('forgets failures when a connection broke after it had brought events', () => {
    const step = nextStep({ ...watching, failures: 4 }, ended({ received: 1, error: error(0) }));
    expect(step).toMatchObject({ state: { resourceVersion: '7', failures: 0 }, backoff: true });
  });

  it('passes on what the server asks us to wait', () => {
    expect(nextStep(watching, ended({ error: error(429, 'TooManyRequests', 3000) })).retryAfterMs).toBe(3000);
  });

  it.each([error(410), error(410, 'Expired'), error(0, 'Gone')])(
    'lists anew at once when the version is gone',
    (gone) => {
      const step = nextStep(watching, ended({ received: 1, error: gone }));
      expect(step).toMatchObject({ state: { resourceVersion: undefined }, backoff: false, cause: 'gone' });
    },
  );

  it('does not hammer a server that only ever says gone', () => {
    const first = nextStep(watching, ended({ error: error(410) }));
    const second = nextStep(first.state, ended({ resourceVersion: undefined, error: error(410) }));
    expect(second.backoff).toBe(true);
    expect(second.state.failures).toBe(2);
  });

  it('counts an unfinished list as a failure, whatever it brought', () => {
    const step = nextStep(initialState, ended({ resourceVersion: undefined, received: 400, livedMs: 9000 }));
    expect(step).toMatchObject({ state: { resourceVersion: undefined, failures: 1 }, backoff: true });
  });
});

describe('parseEvent', () => {
  it('reads objects, bookmarks and the end of the initial events', () => {
    expect(parseEvent('{"type":"ADDED","object":{"metadata":{"name":"a"}}}')).toEqual({
      type: 'ADDED',
      object: { metadata: { name: 'a' } },
    });
    expect(parseEvent('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}')).toEqual({
      type: 'BOOKMARK',
      resourceVersion: '9',
      initialEventsEnd: false,
    });
    const annotations = '{"k8s.io/initial-events-end":"true"}';
    const end = `{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9","annotations":${annotations}}}}`;
    expect(parseEvent(end)).toMatchObject({ initialEventsEnd: true });
  });

  it('reads an error event with its code and the time to wait', () => {
    const line =
      '{"type":"ERROR","object":{"code":429,"reason":"TooManyRequests","details":{"retryAfterSeconds":2}}}';
    const event = parseEvent(line);
    expect(event).toMatchObject({ type: 'ERROR', error: { status: 429, retryAfterMs: 2000 } });
  });

  it.each(['{"type":"WHAT","object":{}}', '{"type":', '<html>'])('refuses %s with a KubeError', (line) => {
    expect(() => parseEvent(line)).toThrow(KubeError);
  });
});
