/** What every MembersPort does; run against the fake and against real sockets. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MembersPort } from '#speaker/ports.ts';
import { eventually } from '#tests/support/eventually.ts';

/** The port of node `a`, whose peers `b` and `c` are alive, and ways to trouble them. */
export interface MembersSubject {
  readonly port: MembersPort;
  kill(node: string): Promise<void>;
  leave(node: string): Promise<void>;
  start(node: string): Promise<void>;
  /** The node tells on which interfaces it can answer. */
  setUsableInterfaces(node: string, names: readonly string[]): void;
  /** The node tells which cards it has and what it answers for. */
  report(node: string, cards: readonly string[], held: readonly string[]): void;
  close(): Promise<void>;
}

export function membersContract(make: () => Promise<MembersSubject>): void {
  describe('MembersPort', () => {
    let subject: MembersSubject;
    const seen = (): string[] => [...subject.port.alive].sort();
    const becomes = (...names: readonly string[]) => eventually(() => expect(seen()).toEqual(names));

    beforeEach(async () => {
      subject = await make();
      await becomes('a', 'b', 'c');
    });

    afterEach(async () => {
      await subject.close();
    });

    it('takes part, and says so', () => {
      expect(subject.port.phase).toBe('member');
      expect(subject.port.reason).not.toBe('');
    });

    it('notices a death and a return, and tells its listeners', async () => {
      const told: string[] = [];
      subject.port.onChange((alive) => told.push([...alive].sort().join('')));
      await subject.kill('c');
      await becomes('a', 'b');
      await subject.start('c');
      await becomes('a', 'b', 'c');
      expect(told).toContain('ab');
      expect(told.at(-1)).toBe('abc');
    });

    it('notices that a peer leaves', async () => {
      await subject.leave('b');
      await becomes('a', 'c');
    });

    it('knows on which interfaces peers can answer', async () => {
      subject.setUsableInterfaces('b', ['eth0', 'eth1']);
      await eventually(() => expect(subject.port.usableInterfaces('b')).toEqual(new Set(['eth0', 'eth1'])));
      expect(subject.port.usableInterfaces('nobody')).toBeUndefined();
    });

    it('knows what peers hold and whose cards are the cluster’s, also of a peer that died', async () => {
      subject.report('b', ['02:00:00:00:00:0b', '02:00:00:00:00:1b'], ['192.0.2.77', '2001:db8::77']);
      subject.report('c', [], ['192.0.2.77']);
      await eventually(() => expect(subject.port.heldBy('192.0.2.77')).toEqual(['b', 'c']));
      await eventually(() => expect(subject.port.clusterCards).toContain('02:00:00:00:00:1b'));
      expect(subject.port.heldBy('2001:db8::77')).toEqual(['b']);
      expect(subject.port.heldBy('192.0.2.78')).toEqual([]);
      expect(subject.port.clusterCards).not.toContain('02:00:00:00:00:2b');
      await subject.kill('b');
      await becomes('a', 'c');
      expect(subject.port.heldBy('2001:db8::77')).toEqual(['b']);
      subject.report('c', [], []);
      await eventually(() => expect(subject.port.heldBy('192.0.2.77')).toEqual(['b']));
    });

    it('an address is still the cluster’s a moment after its last holder let it go', async () => {
      expect(subject.port.wasHeld('192.0.2.79')).toBe(false);
      subject.report('b', [], ['192.0.2.79']);
      await eventually(() => expect(subject.port.wasHeld('192.0.2.79')).toBe(true));
      subject.report('b', [], []);
      await eventually(() => expect(subject.port.heldBy('192.0.2.79')).toEqual([]));
      expect(subject.port.wasHeld('192.0.2.79')).toBe(true);
    });

    it('counts what it holds itself among the rest', () => {
      subject.port.setHeld(['192.0.2.77']);
      subject.port.setCards(['02:00:00:00:00:0a']);
      expect(subject.port.heldBy('192.0.2.77')).toEqual(['a']);
      expect(subject.port.clusterCards).toContain('02:00:00:00:00:0a');
    });

    it('has left when leave is done: nobody is alive for it any more', async () => {
      await subject.port.leave();
      await becomes();
      expect(subject.port.phase).toBe('left');
    });
  });
}
