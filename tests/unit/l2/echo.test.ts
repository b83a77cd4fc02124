import { describe, expect, it } from 'vitest';
import { Allowance } from '#core/l2/allowance.ts';
import { sumOf, transportChecksum } from '#core/l2/checksum.ts';
import { respondEcho } from '#core/l2/echo.ts';
import { bytesKey } from '#core/l2/ethernet.ts';
import type { HeldAddress, RespondingInterface } from '#core/l2/respond.ts';
import { echoRequest, hex, ip, mac } from '#tests/support/frames.ts';

const MAC = mac('b6:48:3b:68:18:f2');
const V4 = '192.0.2.77';
const V6 = '2001:db8:1::77';
const via: RespondingInterface = {
  name: 'eth0',
  mac: MAC,
  kernelAddresses: new Set(),
  ownMacs: new Set([bytesKey(MAC)]),
  before: { arp: [], ndp: [] },
};

function plan(fields: Partial<HeldAddress> = {}): Map<string, HeldAddress> {
  return new Map(
    [V4, V6].map((text) => [
      bytesKey(ip(text)),
      { ip: text, bytes: ip(text), interfaces: undefined, ping: true, ...fields },
    ]),
  );
}

/** In a Buffer, as frames come from a socket: `slice` means something else there. */
const ask = (target: string, size?: number) => Buffer.from(echoRequest(target, MAC, size));

describe('ICMP echo', () => {
  it('IPv4, byte by byte: addresses swapped, checksums right, identifier, number and data as they came', () => {
    const answer = respondEcho(ask(V4, 4), plan(), via);
    expect(answer).toMatchObject({ kind: 'reply', ip: V4 });
    const frame = answer.kind === 'reply' ? answer.frame : new Uint8Array();
    expect(frame).toEqual(
      hex(
        '020000000001 b6483b6818f2 0800' +
          '4500 0020 0000 4000 40 01 b68e c000024d c0000201' +
          '00 00 28fe 1234 0007 61626364',
      ),
    );
    expect(sumOf(frame, 14, 34)).toBe(0xffff);
    expect(sumOf(frame, 34, frame.length)).toBe(0xffff);
  });

  it('IPv6', () => {
    const answer = respondEcho(ask(V6, 5), plan(), via);
    const frame = answer.kind === 'reply' ? answer.frame : new Uint8Array();
    expect(frame.subarray(0, 22)).toEqual(hex('020000000001 b6483b6818f2 86dd 60000000 000d 3a 40'));
    expect(frame.subarray(22, 54)).toEqual(Uint8Array.of(...ip(V6), ...ip('fe80::1')));
    expect(frame.subarray(54, 56)).toEqual(hex('8100'));
    expect(frame.subarray(58)).toEqual(hex('1234 0007 6162636465'));
    expect(transportChecksum(frame, 58, frame.length)).toBe(0);
  });

  it('the padding of a short frame is no part of the answer', () => {
    const padded = new Uint8Array(60);
    padded.set(ask(V4, 4));
    const answer = respondEcho(padded, plan(), via);
    expect(answer.kind === 'reply' && answer.frame).toHaveLength(14 + 20 + 8 + 4);
  });

  it.each([
    ['it was not asked for', plan({ ping: false }), 'notHeld'],
    ['it is held on another interface', plan({ interfaces: new Set(['eth1']) }), 'otherInterface'],
    ['it is not held', new Map<string, HeldAddress>(), 'notHeld'],
  ])('not where %s', (_, held, reason) => {
    for (const target of [V4, V6]) expect(respondEcho(ask(target), held, via)).toMatchObject({ reason });
  });

  it('leaves the address of the node itself to the kernel, and frames for another card to it', () => {
    const kernel = { ...via, kernelAddresses: new Set([bytesKey(ip(V4))]) };
    expect(respondEcho(ask(V4), plan(), kernel)).toMatchObject({ reason: 'kernelAddress' });
    const other = { ...via, mac: mac('b6:48:3b:68:18:f3') };
    expect(respondEcho(ask(V4), plan(), other)).toMatchObject({ reason: 'ethernetDestination' });
  });

  it.each([
    ['IP options', 14, 0x46],
    ['a fragment', 20, 0x20],
    ['a later fragment', 21, 1],
    ['a wrong checksum of the header', 24, 0],
    ['a wrong checksum of the message', 36, 0],
    ['another type', 34, 0],
    ['another code', 35, 1],
    ['another protocol', 23, 17],
    ['a length beyond the frame', 16, 9],
    ['a length below the header', 17, 10],
  ])('IPv4: drops %s', (_, offset, value) => {
    expect(respondEcho(new Uint8Array(ask(V4)).with(offset, value), plan(), via)).toMatchObject({
      reason: 'malformed',
    });
  });

  it.each([
    ['another version', 14, 0x40],
    ['another header', 20, 6],
    ['a length beyond the frame', 18, 9],
    ['a wrong checksum', 57, 0],
    ['another type', 54, 129],
  ])('IPv6: drops %s', (_, offset, value) => {
    expect(respondEcho(new Uint8Array(ask(V6)).with(offset, value), plan(), via)).toMatchObject({
      reason: 'malformed',
    });
  });

  it.each([
    [V4, '0.0.0.0'],
    [V4, '224.0.0.1'],
    [V4, '255.255.255.255'],
    [V4, '127.0.0.1'],
    [V6, '::'],
    [V6, 'ff02::1'],
  ])('%s: no answer to %s', (target, source) => {
    expect(respondEcho(echoRequest(target, MAC, 4, source), plan(), via)).toMatchObject({
      reason: 'malformed',
    });
  });

  it('allows so many a second', () => {
    const allowance = new Allowance(2);
    expect([0, 1, 999, 1_000, 1_001, 1_002].map((now) => allowance.take(now))).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
  });
});
