/** The decisions of a reflector, without any I/O: what a line means, what a failure means, where to go next. */
import { parseJson } from './json.ts';
import type { KubeStatus } from './transport.ts';
import { KubeError, type KubeObject } from './types.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean }
  | { readonly type: 'ERROR'; readonly error: KubeError };

/** Set by the API server on the bookmark that ends a streamed list. */
const initialEventsEnd = 'k8s.io/initial-events-end';

/** One line of a watch. Throws KubeError (status 0) when it is not a watch event. */
export function parseEvent(line: string): WatchEvent {
  const event = parseLine(line);
  const object = event.object ?? {};
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object: object as KubeObject };
    case 'BOOKMARK':
      return bookmark(object as KubeObject);
    case 'ERROR':
      return { type: 'ERROR', error: eventError(object) };
    default:
      throw new KubeError(`watch: unknown event type ${String(event.type)}`, {
        status: 0,
        reason: 'BadEvent',
      });
  }
}

function bookmark({ metadata }: KubeObject): WatchEvent {
  return {
    type: 'BOOKMARK',
    resourceVersion: metadata.resourceVersion ?? '',
    initialEventsEnd: metadata.annotations?.[initialEventsEnd] === 'true',
  };
}

function eventError(status: KubeStatus): KubeError {
  const seconds = status.details?.retryAfterSeconds;
  return new KubeError(`watch: ${status.message ?? 'error event'}`, {
    status: status.code ?? 0,
    reason: status.reason ?? '',
    retryAfterMs: seconds === undefined ? undefined : seconds * 1000,
  });
}

function parseLine(line: string): { readonly type?: unknown; readonly object?: object } {
  try {
    return parseJson(line) as { type?: unknown; object?: object };
  } catch (cause) {
    throw new KubeError('watch: a line is not JSON', { status: 0, reason: 'BadEvent', cause });
  }
}

/**
 * What a reflector knows between two requests. `resourceVersion` undefined: a complete list is needed first.
 * `failures` counts requests in a row that brought nothing.
 */
export interface WatchState {
  readonly resourceVersion: string | undefined;
  readonly failures: number;
}

export const initialState: WatchState = { resourceVersion: undefined, failures: 0 };

/** How a list or a watch ended. */
export interface Ended {
  /** The resource version to go on from; undefined when the complete list was not finished. */
  readonly resourceVersion: string | undefined;
  /** Events (bookmarks included) or list pages that came. */
  readonly received: number;
  readonly livedMs: number;
  /** Absent when the server closed the stream in good order or the idle limit ended it. */
  readonly error?: KubeError;
}

export interface Step {
  readonly state: WatchState;
  /** Wait by backoff before the next request, and at least as long as the server asked. */
  readonly backoff: boolean;
  readonly retryAfterMs: number;
  /** Metric label. */
  readonly cause: string;
}

/** A watch that lived longer than this, or brought an event, was a success, however it ended; a list only when complete. */
const shortMs = 1000;

/** From the end of one request to the next one. */
export function nextStep(state: WatchState, ended: Ended): Step {
  const gone = ended.error !== undefined && isGone(ended.error);
  const failures = worked(ended) ? 0 : state.failures + 1;
  const resourceVersion = gone ? undefined : ended.resourceVersion;
  const next = { resourceVersion, failures: gone ? Math.max(1, failures) : failures };
  return {
    state: next,
    // The first "gone" is answered at once; a server that only ever says so is not hammered.
    backoff: gone ? failures > 1 : ended.error !== undefined || failures > 0,
    retryAfterMs: ended.error?.retryAfterMs ?? 0,
    cause: causeOf(ended, gone),
  };
}

function worked(ended: Ended): boolean {
  if (ended.resourceVersion === undefined) return false;
  if (ended.received > 0) return true;
  return ended.livedMs > shortMs && (ended.error === undefined || ended.error.status === 0);
}

function causeOf(ended: Ended, gone: boolean): string {
  if (gone) return 'gone';
  if (ended.error === undefined) return ended.received === 0 && ended.livedMs <= shortMs ? 'short' : 'closed';
  return ended.error.status === 0 ? 'connection' : String(ended.error.status);
}

/** Our resource version is no longer known: only a new list helps. */
export function isGone(error: KubeError): boolean {
  return error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone';
}

/** No such kind, or no right to read it: an answer that may last, and change while we run. */
export function isUnavailable(error: KubeError): boolean {
  return error.status === 404 || error.status === 403;
}

/** The server does not offer streamed lists (feature off: 422; too old to know it: 400). */
export function refusesStreaming(error: KubeError): boolean {
  return error.status === 400 || error.status === 422;
}
