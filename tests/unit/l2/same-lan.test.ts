import { describe, expect, it } from 'vitest';
import { decodeArp } from '#core/l2/arp.ts';
import { LOOK_EVERY, lookedFrom, lookFrame, SameLan } from '#core/l2/same-lan.ts';
import { arpRequest, CLIENT_MAC, ip } from '#tests/support/frames.ts';

const MARK = Uint8Array.of(1, 2, 3);

describe('cards on one LAN (B18)', () => {
  it('the frame asks nobody, and says which interface of which process sent it', () => {
    const frame = lookFrame(CLIENT_MAC, MARK, 0x123456);
    expect(decodeArp(frame)).toMatchObject({
      operation: 1,
      senderMac: CLIENT_MAC,
      senderIp: ip('0.0.0.0'),
      targetIp: ip('0.0.0.0'),
    });
    expect(lookedFrom(frame, MARK)).toBe(0x123456);
    expect(lookedFrom(frame, Uint8Array.of(1, 2, 4))).toBeUndefined();
    expect(
      lookedFrom(arpRequest('0.0.0.0', { targetMac: Uint8Array.of(1, 2, 3, 0, 0, 1) }), MARK),
    ).toBeUndefined();
    expect(lookedFrom(new Uint8Array(10), MARK)).toBeUndefined();
  });

  it('hearing goes both ways and from one to the next', () => {
    const lans = new SameLan();
    expect(lans.heard(1, 2, 0)).toBe(true);
    expect(lans.heard(2, 1, 0)).toBe(false);
    expect(lans.heard(3, 3, 0)).toBe(false);
    lans.heard(2, 4, 0);
    expect(lans.lanOf(4)).toEqual(new Set([1, 2, 4]));
    expect([...lans.lanOf(3)]).toEqual([3]);
  });

  it('forgets a card that is gone, and pairs that are not heard any more', () => {
    const lans = new SameLan();
    lans.heard(1, 2, 0);
    lans.heard(1, 3, 0);
    expect(lans.forget(2)).toBe(true);
    expect(lans.forget(2)).toBe(false);
    expect([...lans.lanOf(1)]).toEqual([1, 3]);
    expect(lans.expire(2 * LOOK_EVERY)).toBe(false);
    expect(lans.expire(3 * LOOK_EVERY)).toBe(true);
    expect([...lans.lanOf(1)]).toEqual([1]);
  });
});
