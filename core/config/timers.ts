/** The timers of a BGPPeer: rules PEER-8 and PEER-9, and the bounds of connectTime (api.md §6.4). */
import type { Finding } from '#core/config/problems.ts';
import { isWholeSeconds, parseDuration, wholeSeconds } from '#core/model/duration.ts';
import type { BgpPeer } from '#core/model/config.ts';

export interface RawTimers {
  readonly holdTime?: string | undefined;
  readonly keepaliveTime?: string | undefined;
  readonly connectTime?: string | undefined;
}

const MIN_HOLD = 3;
const MAX_CONNECT = 65535;

function unreadable(field: string, text: string): Finding {
  return {
    code: 'SCHEMA',
    field,
    message: `${field} ${JSON.stringify(text)} is not a duration`,
    remedy: 'Write numbers with units, such as 90s or 1m30s.',
  };
}

/** A duration that may be absent; `value` is undefined when it is, and when it cannot be read. */
function read(field: string, text: string | undefined): { value: bigint | undefined; findings: Finding[] } {
  if (text === undefined) return { value: undefined, findings: [] };
  const value = parseDuration(text);
  return { value, findings: value === undefined ? [unreadable(field, text)] : [] };
}

/** A timer alone gives the other one: keepalive is a third of hold. Seconds are whole, cut towards zero. */
export function compileTimers(raw: RawTimers): { timers: BgpPeer['timers']; findings: Finding[] } {
  const hold = read('spec.holdTime', raw.holdTime);
  const keepalive = read('spec.keepaliveTime', raw.keepaliveTime);
  const unread = [...hold.findings, ...keepalive.findings];
  if (unread.length > 0) return { timers: undefined, findings: unread };
  if (hold.value === undefined && keepalive.value === undefined) return { timers: undefined, findings: [] };
  const effective = {
    hold: hold.value ?? (keepalive.value ?? 0n) * 3n,
    keepalive: keepalive.value ?? (hold.value ?? 0n) / 3n,
  };
  return {
    timers: { hold: wholeSeconds(effective.hold), keepalive: wholeSeconds(effective.keepalive) },
    findings: checkTimers(effective, raw),
  };
}

function checkTimers({ hold, keepalive }: { hold: bigint; keepalive: bigint }, raw: RawTimers): Finding[] {
  const findings: Finding[] = [];
  const seconds = wholeSeconds(hold);
  if (hold < 0n || (seconds !== 0 && seconds < MIN_HOLD))
    findings.push({
      code: 'PEER-8',
      field: raw.holdTime === undefined ? 'spec.keepaliveTime' : 'spec.holdTime',
      message: `invalid hold time ${raw.holdTime ?? `3 x ${raw.keepaliveTime}`}: it must be 0 or at least ${MIN_HOLD}s`,
      remedy: 'Use 0s to switch the timers off, or a hold time of 3s or more.',
    });
  if (raw.keepaliveTime !== undefined && (keepalive > hold || keepalive < 0n))
    findings.push({
      code: 'PEER-9',
      field: 'spec.keepaliveTime',
      message: `invalid keepalive time ${raw.keepaliveTime}: it must not be negative, nor greater than the hold time`,
      remedy: 'Use a third of the hold time, or leave keepaliveTime out.',
    });
  return findings;
}

/** Seconds; the same bounds as the CEL rules of the CRD, for objects that have not passed them. */
export function compileConnectTime(text: string | undefined): {
  connectTime: number | undefined;
  findings: Finding[];
} {
  const { value, findings } = read('spec.connectTime', text);
  if (value === undefined) return { connectTime: undefined, findings };
  const seconds = wholeSeconds(value);
  if (isWholeSeconds(value) && seconds >= 1 && seconds <= MAX_CONNECT)
    return { connectTime: seconds, findings: [] };
  return {
    connectTime: undefined,
    findings: [
      {
        code: 'SCHEMA',
        field: 'spec.connectTime',
        message: `invalid connect time ${text}: it must be a whole number of seconds between 1 and ${MAX_CONNECT}`,
        remedy: 'Write whole seconds, such as 10s.',
      },
    ],
  };
}
