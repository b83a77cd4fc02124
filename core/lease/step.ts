/**
 * Leader election on a coordination.k8s.io Lease, client-go's algorithm as one pure step. The holder's clock is
 * never trusted: a lease has expired when *we* have seen the same record for its whole duration.
 */

/** The fields of a Lease's spec that election uses. */
export interface LeaseRecord {
  /** Empty: nobody holds it. */
  readonly holder: string;
  readonly durationSeconds: number;
  /** MicroTime texts, kept as they are. */
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly transitions: number;
}

/** Milliseconds; client-go's defaults in `defaultTiming`. */
export interface LeaseTiming {
  /** How long others wait after our last renewal. */
  readonly leaseMs: number;
  /** A leader that could not renew for this long stops leading. Shorter than `leaseMs`. */
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

export const defaultTiming: LeaseTiming = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000 };

/** What we remember of the lease between steps. Times are local and monotonic, in milliseconds. */
export interface Observation {
  readonly record: LeaseRecord | undefined;
  /** When the record last changed in our eyes. */
  readonly changedAt: number;
}

export type LeaseStep =
  /** Write the lease with us as holder; nobody holds it or its holder fell silent. */
  | { readonly kind: 'acquire'; readonly reason: 'absent' | 'free' | 'expired' | 'ours' }
  /** Write it again: we hold it. */
  | { readonly kind: 'renew' }
  /** Somebody else holds it; look again after `ms`. */
  | { readonly kind: 'wait'; readonly ms: number; readonly holder: string };

/** Takes note of a freshly read record: equal records keep their first observation time. */
export function observe(
  before: Observation | undefined,
  record: LeaseRecord | undefined,
  now: number,
): Observation {
  return before !== undefined && sameRecord(before.record, record) ? before : { record, changedAt: now };
}

function sameRecord(a: LeaseRecord | undefined, b: LeaseRecord | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.holder === b.holder &&
    a.renewTime === b.renewTime &&
    a.acquireTime === b.acquireTime &&
    a.transitions === b.transitions &&
    a.durationSeconds === b.durationSeconds
  );
}

/** What to do about the lease now. `leading`: we hold it and have said so to the program. */
export function step(
  me: string,
  seen: Observation,
  context: { readonly now: number; readonly leading: boolean; readonly timing: LeaseTiming },
): LeaseStep {
  const { record, changedAt } = seen;
  const { now, leading, timing } = context;
  if (record === undefined) return { kind: 'acquire', reason: 'absent' };
  if (record.holder === '') return { kind: 'acquire', reason: 'free' };
  if (record.holder === me) return leading ? { kind: 'renew' } : { kind: 'acquire', reason: 'ours' };
  const expiresAt = changedAt + record.durationSeconds * 1000;
  if (expiresAt <= now) return { kind: 'acquire', reason: 'expired' };
  return { kind: 'wait', ms: Math.min(timing.retryMs, expiresAt - now), holder: record.holder };
}

/** Must a leader give up? `renewedAt`: local time of the start of the last renewal that succeeded. */
export function leadershipLost(renewedAt: number, now: number, timing: LeaseTiming): boolean {
  return now - renewedAt >= timing.renewDeadlineMs;
}

/** The record that makes us, or keeps us, holder. `unixMicros` is wall-clock time, only for people to read. */
export function claim(
  me: string,
  old: LeaseRecord | undefined,
  context: { readonly timing: LeaseTiming; readonly unixMicros: number },
): LeaseRecord {
  const renewTime = microTime(context.unixMicros);
  const ours = old?.holder === me;
  return {
    holder: me,
    durationSeconds: Math.ceil(context.timing.leaseMs / 1000),
    acquireTime: ours ? old.acquireTime : renewTime,
    renewTime,
    // As in client-go: a first holder is no transition.
    transitions: old === undefined ? 0 : old.transitions + (ours ? 0 : 1),
  };
}

/** The record that sets the lease free at once: one second, nobody. */
export function release(old: LeaseRecord, unixMicros: number): LeaseRecord {
  const now = microTime(unixMicros);
  return { ...old, holder: '', durationSeconds: 1, acquireTime: now, renewTime: now };
}

/** metav1.MicroTime: RFC 3339 in UTC with exactly six fractional digits. */
export function microTime(unixMicros: number): string {
  const millis = Math.floor(unixMicros / 1000);
  const micros = Math.floor(unixMicros - millis * 1000);
  return new Date(millis).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
}
