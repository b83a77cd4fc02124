import { describe, expect, it } from 'vitest';
import {
  keepalive,
  MessageReader,
  messageType,
  openMessage,
  updatePrefixes,
} from '#tests/support/bgp-wire.ts';

describe('what the listening routers read', () => {
  it('messages, wherever the stream is cut', () => {
    const stream = Buffer.concat([
      openMessage({ asn: 4_200_000_000, routerId: '192.0.2.1' }),
      keepalive,
      keepalive,
    ]);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const reader = new MessageReader();
      const messages = [...reader.push(stream.subarray(0, cut)), ...reader.push(stream.subarray(cut))];
      expect(messages.map(({ type }) => type)).toEqual([
        messageType.open,
        messageType.keepalive,
        messageType.keepalive,
      ]);
      // AS_TRANS, the real number is in the capability (RFC 6793).
      expect(messages[0]?.body.readUInt16BE(1)).toBe(23_456);
      expect(messages[0]?.body.subarray(-4).readUInt32BE()).toBe(4_200_000_000);
    }
    expect(() => new MessageReader().push(Buffer.alloc(19))).toThrow('no marker');
  });

  it('prefixes of an UPDATE: withdrawn, announced, of any length', () => {
    const withdrawn = [24, 192, 0, 2, 0];
    const attributes = [0x40, 1, 1, 0];
    const announced = [32, 198, 18, 0, 1, 17, 198, 51, 128];
    const body = Buffer.from([
      0,
      withdrawn.length,
      ...withdrawn,
      0,
      attributes.length,
      ...attributes,
      ...announced,
    ]);
    expect(updatePrefixes(body)).toEqual({
      withdrawn: ['192.0.2.0/24', '0.0.0.0/0'],
      announced: ['198.18.0.1/32', '198.51.128.0/17'],
    });
    expect(updatePrefixes(Buffer.from([0, 0, 0, 0]))).toEqual({ withdrawn: [], announced: [] });
  });
});
