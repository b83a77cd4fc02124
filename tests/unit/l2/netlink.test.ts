import { describe, expect, it } from 'vitest';
import { dumpRequest, parseNetlink } from '#core/l2/netlink.ts';
import { hex, ip } from '#tests/support/frames.ts';

// Laid out as the kernel sends it: a veth that is a port of a VRF, then one of its addresses.
const attribute = (type: number, bytes: Uint8Array): number[] => {
  const length = 4 + bytes.length;
  const padding = Array.from({ length: (4 - (length % 4)) % 4 }, () => 0);
  return [length & 0xff, length >> 8, type & 0xff, type >> 8, ...bytes, ...padding];
};
const ascii = (text: string): Uint8Array => Uint8Array.from(`${text}\0`, (c) => c.charCodeAt(0));
const message = (type: number, body: readonly number[]): Uint8Array => {
  const length = 16 + body.length;
  return Uint8Array.from([length & 0xff, length >> 8, 0, 0, type, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, ...body]);
};

const linkBody = [
  ...hex('00 00 0100 07000000 43100100 00000000'),
  ...attribute(3, ascii('eth0')),
  ...attribute(1, hex('020000000001')),
  ...attribute(10, hex('05000000')),
  ...attribute(18, Uint8Array.from([...attribute(1, ascii('veth')), ...attribute(4, ascii('vrf'))])),
];

describe('netlink', () => {
  it('asks for a dump', () => {
    expect(dumpRequest('links', 7)).toEqual(
      hex('20000000 1200 0103 07000000 00000000 00000000000000000000000000000000'),
    );
    expect(dumpRequest('addresses', 8)).toEqual(hex('18000000 1600 0103 08000000 00000000 0000000000000000'));
  });

  it('reads an interface', () => {
    expect(parseNetlink(message(16, linkBody))).toEqual([
      {
        kind: 'link',
        link: {
          index: 7,
          name: 'eth0',
          mac: hex('020000000001'),
          flags: 0x11043,
          master: 5,
          slaveKind: 'vrf',
          kind: 'veth',
        },
      },
    ]);
  });

  it('reads several messages of one datagram, leaving out what bridges say about their ports', () => {
    const bridge = [7, ...linkBody.slice(1)];
    const datagram = [message(16, bridge), message(17, linkBody), message(3, [0, 0, 0, 0])];
    expect(parseNetlink(Uint8Array.from(datagram.flatMap((part) => [...part])))).toEqual([
      { kind: 'linkGone', index: 7 },
      { kind: 'done' },
    ]);
  });

  it('reads addresses, the local one of a pair', () => {
    const body = [
      ...hex('02 18 80 00 07000000'),
      ...attribute(1, ip('192.0.2.2')),
      ...attribute(2, ip('192.0.2.1')),
    ];
    expect(parseNetlink(message(20, body))).toEqual([
      { kind: 'address', address: { index: 7, bytes: ip('192.0.2.1') } },
    ]);
    expect(parseNetlink(message(21, body))).toMatchObject([{ kind: 'addressGone' }]);
  });

  it('keeps nothing of the buffer it reads from', () => {
    const buffer = Buffer.from(message(16, linkBody));
    const [read] = parseNetlink(buffer);
    buffer.fill(0xff);
    expect(read).toMatchObject({ link: { mac: hex('020000000001') } });
  });

  it('reads an error', () => {
    expect(parseNetlink(message(2, [...hex('ffffffff')]))).toEqual([{ kind: 'error', code: 1 }]);
  });
});
