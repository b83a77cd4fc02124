import { describe, expect, it } from 'vitest';
import { sealWith } from '#speaker/members/seal.ts';

describe('seal of the heartbeats', () => {
  const seal = sealWith('c2VjcmV0');
  const packet = seal.close(Buffer.from('heartbeat'));

  it('opens what it closed', () => {
    expect(seal.open(packet)?.toString()).toBe('heartbeat');
  });

  it('refuses any changed bit, another key, and what is too short', () => {
    for (let bit = 0; bit < packet.length * 8; bit += 1) {
      const changed = Buffer.from(packet);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(seal.open(changed)).toBeUndefined();
    }
    expect(sealWith('other').open(packet)).toBeUndefined();
    expect(seal.open(packet.subarray(0, 16))).toBeUndefined();
    expect(seal.open(Buffer.alloc(0))).toBeUndefined();
  });
});
