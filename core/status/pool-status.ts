/** The status of an IPAddressPool (controller.md §5.1): exactly these four int64 numbers. */
import type { PoolCounters } from '#core/ipam/pool-state.ts';

export interface PoolStatus {
  readonly assignedIPv4: bigint;
  readonly assignedIPv6: bigint;
  readonly availableIPv4: bigint;
  readonly availableIPv6: bigint;
}

/** What is reserved is not available. All zero for a pool that is not in force. */
export function poolStatus(counters: PoolCounters | undefined): PoolStatus {
  const { ipv4, ipv6 } = counters ?? { ipv4: none, ipv6: none };
  return {
    assignedIPv4: ipv4.inUse,
    assignedIPv6: ipv6.inUse,
    availableIPv4: ipv4.capacity - ipv4.inUse - ipv4.reserved,
    availableIPv6: ipv6.capacity - ipv6.inUse - ipv6.reserved,
  };
}

const none = { capacity: 0n, inUse: 0n, reserved: 0n };

/** Whether an object's status says exactly this; numbers may come as number or bigint. */
export function samePoolStatus(recorded: unknown, wanted: PoolStatus): boolean {
  if (typeof recorded !== 'object' || recorded === null) return false;
  const fields = recorded as Readonly<Record<string, unknown>>;
  const names = Object.keys(wanted) as (keyof PoolStatus)[];
  return names.every((name) => asBigInt(fields[name]) === wanted[name]);
}

function asBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined;
}
