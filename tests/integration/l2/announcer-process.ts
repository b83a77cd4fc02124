/** Responder, mesh and election together, without Kubernetes: holds one address whenever this node is elected. */
import { existsSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
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
const direct = new MessageChannel();
const l2 = await startL2({ log: silent, exclude: ['^lo$'], mesh: direct.port1 });
const members = await startMembers({ ...argument, log: silent, secret: 'shared', responder: direct.port2 });

export interface FromAnnouncer {
  readonly alive: readonly string[];
  readonly phase: string;
  readonly reason: string;
  readonly at: number;
  /** The main thread has stood still until just now. */
  readonly stood: boolean;
}

/** The main thread stands still until the file exists. */
export interface ToAnnouncer {
  readonly standStill: string;
}

/** Those that come before this node by hash. */
const all = argument.peers.map(({ name }) => ({ node: name, score: 0 }));
const order = elect(all, argument.ip).map(({ node }) => node);
const yieldTo = order.slice(0, order.indexOf(argument.me));

function decide(alive: ReadonlySet<string>): void {
  const candidates = [...alive].map((node) => ({ node, score: 0 }));
  const mine = elect(candidates, argument.ip)[0]?.node === argument.me;
  console.error(argument.me, Date.now() % 100000, [...alive].join(), members.phase, members.reason, mine);
  tell(false);
  l2.setPlan(mine ? [{ ip: argument.ip, interfaces: undefined, yieldTo }] : []);
  members.setHeld(mine ? [argument.ip] : []);
}

function tell(stood: boolean): void {
  const report: FromAnnouncer = {
    alive: [...members.alive].sort(),
    phase: members.phase,
    reason: members.reason,
    at: Date.now(),
    stood,
  };
  process.send?.(report);
}

members.onChange(decide);
members.setUsableInterfaces(l2.interfaces.filter(({ up }) => up).map(({ name }) => name));
members.setPeers(argument.peers);
process.on('message', ({ standStill }: ToAnnouncer) => {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(standStill)) Atomics.wait(clock, 0, 0, 10);
  tell(true);
});
