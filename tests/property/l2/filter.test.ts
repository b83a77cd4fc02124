import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  arpFilter,
  echoFilter,
  intervals,
  MAX_INSTRUCTIONS,
  ndpFilter,
  nothingFilter,
} from '#core/l2/filter.ts';
import { lookFrame } from '#core/l2/same-lan.ts';
import { runFilter } from '#tests/support/bpf.ts';
import { arpRequest, echoRequest, ip, mac, neighborSolicitation } from '#tests/support/frames.ts';

const facts = { ifindex: 7, vlanTagPresent: false };
const address = fc.integer({ min: 0, max: 0xffffffff });
const addresses = fc.array(fc.oneof(address, fc.integer({ min: 0xc0000200, max: 0xc00003ff })), {
  maxLength: 400,
});

function text(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
}

function passesArp(held: readonly number[], frame: Uint8Array, where = facts): boolean {
  return runFilter(arpFilter(7, held), frame, where) > 0;
}

describe('kernel filters', () => {
  it('ARP: let through exactly requests for, and frames from, held addresses', () => {
    fc.assert(
      fc.property(addresses, address, fc.nat(), (held, other, pick) => {
        const asked = held.length > 0 && pick % 2 === 0 ? (held[pick % held.length] ?? other) : other;
        const sender = 0xc0000201;
        // 0.0.0.0 is the target of our own looks around (same-lan.ts).
        const wanted = asked === 0 || held.includes(asked) || held.includes(sender);
        expect(passesArp(held, arpRequest(text(asked)))).toBe(wanted);
        const claimed = arpRequest('10.0.0.1', { senderIp: ip(text(asked)) });
        expect(passesArp(held, claimed)).toBe(held.includes(asked) || held.includes(0x0a000001));
      }),
      { numRuns: 300 },
    );
  });

  it('NDP: let through exactly frames about held low halves of addresses', () => {
    fc.assert(
      fc.property(addresses, address, fc.nat(), (held, other, pick) => {
        const asked = held.length > 0 && pick % 2 === 0 ? (held[pick % held.length] ?? other) : other;
        const target = `2001:db8::${(asked >>> 16).toString(16)}:${(asked & 0xffff).toString(16)}`;
        const passed = runFilter(ndpFilter(7, held), neighborSolicitation(target), facts) > 0;
        expect(passed).toBe(held.includes(asked));
      }),
      { numRuns: 300 },
    );
  });

  it('ICMP echo: let through exactly echo requests for held addresses', () => {
    const card = mac('02:00:00:00:00:07');
    fc.assert(
      fc.property(addresses, address, fc.nat(), (held, other, pick) => {
        const asked = held.length > 0 && pick % 2 === 0 ? (held[pick % held.length] ?? other) : other;
        const v6 = `2001:db8::${(asked >>> 16).toString(16)}:${(asked & 0xffff).toString(16)}`;
        const [four, six] = [echoRequest(text(asked), card), echoRequest(v6, card)];
        expect(runFilter(echoFilter('ipv4', 7, held), four, facts) > 0).toBe(held.includes(asked));
        expect(runFilter(echoFilter('ipv6', 7, held), six, facts) > 0).toBe(held.includes(asked));
        // An answer is no question, nor is it for the other family.
        expect(runFilter(echoFilter('ipv4', 7, held), four.with(34, 0), facts)).toBe(0);
        expect(runFilter(echoFilter('ipv6', 7, held), four, facts)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('never exceed the limit and stay no narrower than the held addresses', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 0xfffff }),
        fc.integer({ min: 1, max: 20_000 }),
        (step, count) => {
          const held = Array.from({ length: count }, (_, n) => (n * step * 2 + 1) >>> 0);
          const program = arpFilter(7, held);
          expect(program.length).toBeLessThanOrEqual(MAX_INSTRUCTIONS);
          expect(ndpFilter(7, held).length).toBeLessThanOrEqual(MAX_INSTRUCTIONS);
          for (const family of ['ipv4', 'ipv6'] as const)
            expect(echoFilter(family, 7, held).length).toBeLessThanOrEqual(MAX_INSTRUCTIONS);
          for (const index of [0, count >> 1, count - 1])
            expect(runFilter(program, arpRequest(text(held[index] ?? 0)), facts)).toBeGreaterThan(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('keep every jump inside its 8 bits', () => {
    const held = Array.from({ length: 5_000 }, (_, n) => n * 7);
    for (const { jt, jf, k } of [...arpFilter(7, held), ...ndpFilter(7, held)]) {
      expect(Math.max(jt, jf)).toBeLessThan(256);
      expect(k).toBeLessThanOrEqual(0xffffffff);
    }
  });

  it('let our own looks around through, whatever is held (B18)', () => {
    const look = lookFrame(mac('02:00:00:00:00:07'), Uint8Array.of(1, 2, 3), 7);
    for (const held of [[], [0xc000024d]]) expect(passesArp(held, look)).toBe(true);
  });

  it('leave frames of other interfaces and tagged ones alone', () => {
    const held = [0xc000024d];
    expect(passesArp(held, arpRequest('192.0.2.77'))).toBe(true);
    expect(passesArp(held, arpRequest('192.0.2.77'), { ...facts, ifindex: 8 })).toBe(false);
    expect(passesArp(held, arpRequest('192.0.2.77'), { ...facts, vlanTagPresent: true })).toBe(false);
    expect(runFilter(nothingFilter, arpRequest('192.0.2.77'), facts)).toBe(0);
  });

  it('join the intervals with the smallest gaps first', () => {
    expect(intervals([5, 1, 2, 3, 9, 20, 9], 10)).toEqual([
      { first: 1, last: 3 },
      { first: 5, last: 5 },
      { first: 9, last: 9 },
      { first: 20, last: 20 },
    ]);
    expect(intervals([1, 2, 3, 5, 9, 20], 2)).toEqual([
      { first: 1, last: 9 },
      { first: 20, last: 20 },
    ]);
    expect(intervals([], 2)).toEqual([]);
  });
});
