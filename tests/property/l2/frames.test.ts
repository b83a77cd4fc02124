import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeArp, encodeArp } from '#core/l2/arp.ts';
import { bytesKey } from '#core/l2/ethernet.ts';
import { decodeNdp, encodeNdp, type NdpFrame } from '#core/l2/ndp.ts';
import { parseNetlink } from '#core/l2/netlink.ts';
import { respond, type RespondingInterface } from '#core/l2/respond.ts';
import { arpRequest, ip, mac, neighborSolicitation } from '#tests/support/frames.ts';

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const unicast = (length: number) => octets(length).map((bytes) => bytes.with(0, (bytes[0] ?? 0) & 0xfe));
const V4 = '192.0.2.77';
const V6 = '2001:db8:1::77';
const plan = new Map(
  [V4, V6].map((text) => [bytesKey(ip(text)), { ip: text, bytes: ip(text), interfaces: undefined }]),
);
const via: RespondingInterface = {
  name: 'eth0',
  mac: mac('b6:48:3b:68:18:f2'),
  kernelAddresses: new Set(),
  ownMacs: new Set(['b6483b6818f2']),
  before: { arp: [], ndp: [] },
};

const ndpFrame: fc.Arbitrary<NdpFrame> = fc
  .record({
    etherDestination: octets(6),
    etherSource: octets(6),
    destination: octets(16).map((bytes) => bytes.with(0, 0xfe)),
    source: octets(16).map((bytes) => bytes.with(0, 0xfe)),
    target: octets(16).map((bytes) => bytes.with(0, 0x20)),
    link: fc.option(unicast(6), { nil: undefined }),
    solicited: fc.boolean(),
    override: fc.boolean(),
    asks: fc.boolean(),
  })
  .map(({ asks, solicited, override, ...rest }) =>
    asks ? { kind: 'solicitation', ...rest } : { kind: 'advertisement', solicited, override, ...rest },
  );

describe('codecs', () => {
  it('ARP decodes what it encodes', () => {
    fc.assert(
      fc.property(
        fc.record({
          destination: octets(6),
          source: octets(6),
          operation: fc.integer({ min: 0, max: 65_535 }),
          senderMac: octets(6),
          senderIp: octets(4),
          targetMac: octets(6),
          targetIp: octets(4),
        }),
        (frame) => {
          expect(decodeArp(encodeArp(frame))).toEqual(frame);
        },
      ),
    );
  });

  it('NDP decodes what it encodes', () => {
    fc.assert(
      fc.property(ndpFrame, (frame) => {
        expect(decodeNdp(encodeNdp(frame))).toEqual(frame);
      }),
    );
  });

  it('nothing throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(respond(bytes, plan, via).kind).toBe('drop');
        parseNetlink(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('mutated questions', () => {
  const mutations = fc.array(fc.tuple(fc.nat({ max: 90 }), fc.integer({ min: 0, max: 255 })), {
    maxLength: 4,
  });

  it('are answered only when they still ask for a held address', () => {
    fc.assert(
      fc.property(fc.boolean(), mutations, fc.nat({ max: 90 }), (v6, changes, cut) => {
        const frame = v6 ? neighborSolicitation(V6) : arpRequest(V4);
        for (const [offset, value] of changes) if (offset < frame.length) frame[offset] = value;
        const cutFrame = cut < frame.length ? frame.subarray(0, frame.length - cut) : frame;
        const outcome = respond(cutFrame, plan, via);
        if (outcome.kind === 'drop') return;
        const asked = decodeArp(cutFrame) ?? decodeNdp(cutFrame);
        const target = asked === undefined ? undefined : 'targetIp' in asked ? asked.targetIp : asked.target;
        expect(plan.has(bytesKey(target ?? new Uint8Array()))).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it('no changed bit of a solicitation keeps it valid unless it is in the Ethernet header, class or flow', () => {
    const frame = neighborSolicitation(V6);
    for (let bit = 18 * 8; bit < frame.length * 8; bit += 1) {
      const changed = frame.with(bit >> 3, (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
      expect(respond(changed, plan, via).kind, `bit ${bit}`).toBe('drop');
    }
  });
});
