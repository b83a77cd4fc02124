/** From the outcome of one reconcile to what the CR's conditions say. Pure. */
import { messageOf } from '#core/errors.ts';
import type { Problem } from '#core/model/config.ts';
import type { MetalLBVerdict } from '#core/status/metallb-conditions.ts';
import { availability, type Workloads } from '#operator/availability.ts';
import type { SyncResult } from '#operator/loops/sync.ts';

/** Degraded for a spec that cannot be applied: every problem with its remedy. The workloads stay as they are. */
export function invalidSpec(problems: readonly Problem[]): MetalLBVerdict {
  const message = problems
    .map(({ field, message: what, remedy }) => `${field}: ${what}. ${remedy}`)
    .join(' ');
  return { kind: 'degraded', reason: 'InvalidSpec', message };
}

/** Degraded for an object of another name (contract: the message is this text and nothing else). */
export function incorrectName(problem: Problem): MetalLBVerdict {
  return { kind: 'degraded', reason: 'IncorrectMetalLBResourceName', message: problem.message };
}

/** Degraded for an object in a namespace where this operator does not act (field case C09). */
export function foreignNamespace({ message, remedy }: Problem): MetalLBVerdict {
  return { kind: 'degraded', reason: 'WrongNamespace', message: `${message}. ${remedy}` };
}

/** The verdict after everything was applied as far as it went; `engine` names who does BGP. */
export function verdictOf(result: SyncResult, workloads: Workloads, engine: string): MetalLBVerdict {
  if (result.failures.length > 0) {
    const message = result.failures.map(({ object, error }) => `${object}: ${messageOf(error)}`).join('; ');
    return { kind: 'degraded', reason: 'ApplyFailed', message };
  }
  return availability(workloads, `${engine}${unknownKinds(result)}`);
}

function unknownKinds(result: SyncResult): string {
  if (result.unknownKinds.length === 0) return '';
  return ` Left out, since the cluster does not know these kinds: ${result.unknownKinds.join(', ')}.`;
}
