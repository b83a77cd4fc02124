/** One member of the mesh in a process of its own; reports every change with the time of the machine's clock. */
import { silent } from '#runtime/log/logger.ts';
import { startMembers } from '#speaker/members/port.ts';
import type { MembersPeer, MembersPhase } from '#speaker/ports.ts';

export interface MemberArgument {
  readonly me: string;
  readonly bindAddress: string;
  readonly peers: readonly MembersPeer[];
  readonly secret: string;
}

export type ToMember = { readonly kind: 'leave' };

export type FromMember =
  | { readonly kind: 'started' }
  | {
      readonly kind: 'view';
      readonly alive: readonly string[];
      readonly gone: readonly string[];
      readonly phase: MembersPhase;
      /** Milliseconds since 1970, with fractions. */
      readonly at: number;
    };

const argument = JSON.parse(process.argv[2] ?? '{}') as MemberArgument;
const port = await startMembers({ ...argument, log: silent });

function tell(message: FromMember): void {
  process.send?.(message);
}

function report(): void {
  const at = performance.timeOrigin + performance.now();
  tell({ kind: 'view', alive: [...port.alive].sort(), gone: [...port.gone], phase: port.phase, at });
}

async function leave(): Promise<void> {
  await port.leave();
  await port.close();
  process.disconnect();
}

port.onChange(report);
port.setPeers(argument.peers);
process.on('message', () => void leave());
tell({ kind: 'started' });
