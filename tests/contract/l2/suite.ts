/** What every L2Port does; run against the fake and against the real one on a real segment. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { L2Counts, L2Entry, L2Interface } from '#speaker/ports.ts';
import { eventually } from '#tests/support/eventually.ts';

/** A port on a host whose only interface is `eth0`, and a neighbour on its segment. */
export interface L2Subject {
  setPlan(entries: readonly L2Entry[]): void;
  announce(ips?: readonly string[]): void;
  interfaces(): Promise<readonly L2Interface[]>;
  counts(): Promise<ReadonlyMap<string, L2Counts>>;
  /** The neighbour asks for an address: true when it is answered. */
  ask(ip: string): Promise<boolean>;
  setLink(up: boolean): Promise<void>;
  close(): Promise<void>;
}

const V4 = '192.0.2.77';
const V6 = '2001:db8::77';

async function gratuitous(subject: L2Subject, ip: string): Promise<number> {
  return (await subject.counts()).get(ip)?.gratuitous ?? 0;
}

async function becomes(check: () => Promise<boolean>, expected: boolean): Promise<void> {
  await eventually(async () => expect(await check()).toBe(expected));
}

export function l2Contract(make: () => Promise<L2Subject>): void {
  describe('L2Port', () => {
    let subject: L2Subject;

    beforeEach(async () => {
      subject = await make();
    });

    afterEach(async () => {
      await subject.close();
    });

    it('answers for the addresses of the plan, whatever their spelling, and no others', async () => {
      subject.setPlan([
        { ip: V4, interfaces: undefined },
        { ip: '2001:DB8:0:0::77', interfaces: ['eth0'] },
      ]);
      await becomes(() => subject.ask(V4), true);
      await becomes(() => subject.ask(V6), true);
      expect(await subject.ask('192.0.2.78')).toBe(false);
    });

    it('stops answering for what the next plan leaves out', async () => {
      subject.setPlan([V4, '192.0.2.78'].map((ip) => ({ ip, interfaces: undefined })));
      await becomes(() => subject.ask('192.0.2.78'), true);
      subject.setPlan([{ ip: V4, interfaces: undefined }]);
      await becomes(() => subject.ask('192.0.2.78'), false);
      expect(await subject.ask(V4)).toBe(true);
    });

    it('keeps to the interfaces of an entry', async () => {
      subject.setPlan([{ ip: V4, interfaces: ['eth7'] }]);
      expect(await subject.ask(V4)).toBe(false);
      subject.setPlan([{ ip: V4, interfaces: ['eth0'] }]);
      await becomes(() => subject.ask(V4), true);
    });

    it('reports interfaces and answers nothing while the link is down', async () => {
      subject.setPlan([{ ip: V4, interfaces: undefined }]);
      expect(await subject.interfaces()).toMatchObject([{ name: 'eth0', up: true }]);
      await subject.setLink(false);
      await eventually(async () => expect(await subject.interfaces()).toMatchObject([{ up: false }]));
      expect(await subject.ask(V4)).toBe(false);
      await subject.setLink(true);
      await becomes(() => subject.ask(V4), true);
    });

    it('announces when asked to and when an address is new, not when the plan stays', async () => {
      subject.setPlan([{ ip: V4, interfaces: undefined }]);
      await eventually(async () => expect(await gratuitous(subject, V4)).toBeGreaterThan(0));
      const before = await gratuitous(subject, V4);
      subject.setPlan([{ ip: V4, interfaces: undefined }]);
      subject.announce([V4, '192.0.2.99']);
      await eventually(async () => expect(await gratuitous(subject, V4)).toBeGreaterThan(before));
      expect(await gratuitous(subject, '192.0.2.99')).toBe(0);
    });

    it('counts what it answers', async () => {
      subject.setPlan([{ ip: V4, interfaces: undefined }]);
      await becomes(() => subject.ask(V4), true);
      await eventually(async () => {
        const counts = (await subject.counts()).get(V4);
        expect(counts?.responses).toBeGreaterThan(0);
        expect(counts?.requests).toBe(counts?.responses);
      });
    });

    it('answers nothing once closed, and may be closed twice', async () => {
      subject.setPlan([{ ip: V4, interfaces: undefined }]);
      await becomes(() => subject.ask(V4), true);
      await subject.close();
      expect(await subject.ask(V4)).toBe(false);
    });
  });
}
