/** Responder, mesh and election together, without Kubernetes: holds one address whenever this node is elected. */
import { elect } from '#core/election/elect.ts';
import { silent } from '#runtime/log/logger.ts';
import { startL2 } from '#speaker/l2/port.ts';
import { startMembers } from '#speaker/members/port.ts';
import type { MembersPeer } from '#speaker/ports.ts';

export interface AnnouncerArgument {
  readonly me: string;
  readonly bindAddress: string;
  readonly peers: readonly MembersPeer[];
  readonly ip: string;
}

const argument = JSON.parse(process.argv[2] ?? '{}') as AnnouncerArgument;
const l2 = await startL2({ log: silent, exclude: ['^lo$'] });
const members = await startMembers({ ...argument, log: silent, secret: 'shared' });

export interface FromAnnouncer {
  readonly alive: readonly string[];
  readonly phase: string;
  readonly reason: string;
  readonly at: number;
}

function decide(alive: ReadonlySet<string>): void {
  const candidates = [...alive].map((node) => ({ node, score: 0 }));
  const mine = elect(candidates, argument.ip)[0]?.node === argument.me;
  console.error(argument.me, Date.now() % 100000, [...alive].join(), members.phase, members.reason, mine);
  const report: FromAnnouncer = {
    alive: [...alive].sort(),
    phase: members.phase,
    reason: members.reason,
    at: Date.now(),
  };
  process.send?.(report);
  l2.setPlan(mine ? [{ ip: argument.ip, interfaces: undefined }] : []);
}

members.onChange(decide);
members.setPeers(argument.peers);
process.on('message', () => undefined);
