/** Pools whose objects have problems: what is recorded from them is frozen while no usable form is in force. */
import type { Problem } from '#core/model/config.ts';

/** Names of the IPAddressPools that a problem is about. */
export function brokenPools(problems: readonly Problem[]): ReadonlySet<string> {
  return new Set(
    problems.filter(({ object }) => object.kind === 'IPAddressPool').map(({ object }) => object.name),
  );
}
