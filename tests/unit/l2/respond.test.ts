import { describe, expect, it } from 'vitest';
import { decodeArp, encodeArp, gratuitousArp } from '#core/l2/arp.ts';
import { bytesKey, formatMac, MINIMUM_LENGTH } from '#core/l2/ethernet.ts';
import { decodeNdp, ndpProbe, unsolicitedAdvertisement } from '#core/l2/ndp.ts';
import { respond, type HeldAddress, type RespondingInterface } from '#core/l2/respond.ts';
import { arpRequest, CLIENT_MAC, hex, ip, mac, neighborSolicitation } from '#tests/support/frames.ts';

const MAC = mac('b6:48:3b:68:18:f2');
const V4 = '192.0.2.77';
const V6 = '2001:db8:1::77';

const via: RespondingInterface = {
  name: 'eth0',
  mac: MAC,
  kernelAddresses: new Set([bytesKey(ip('192.0.2.11'))]),
  ownMacs: new Set([bytesKey(MAC), bytesKey(mac('02:00:00:00:00:99'))]),
  before: { arp: [], ndp: [] },
};

function plan(...addresses: readonly string[]): Map<string, HeldAddress> {
  return new Map(addresses.map((text) => [bytesKey(ip(text)), heldOn(text, undefined)]));
}

function planOn(text: string, ...interfaces: string[]): Map<string, HeldAddress> {
  return new Map([[bytesKey(ip(text)), heldOn(text, new Set(interfaces))]]);
}

function heldOn(text: string, interfaces: ReadonlySet<string> | undefined): HeldAddress {
  return { ip: text, bytes: ip(text), interfaces };
}

const held = plan(V4, V6);

describe('gratuitous frames (speaker-l2.md Appendix B)', () => {
  it('ARP request and reply, byte by byte', () => {
    const request = hex(
      'ffffffffffff b6483b6818f2 0806 0001 0800 06 04 0001 b6483b6818f2 c000024d ffffffffffff c000024d' +
        '00'.repeat(18),
    );
    const [first, second] = gratuitousArp(MAC, ip(V4));
    expect(first).toEqual(request);
    expect(second).toEqual(request.with(21, 2));
  });

  it('unsolicited advertisement, byte by byte after the checksum', () => {
    const frame = unsolicitedAdvertisement(MAC, ip(V6));
    expect(frame.subarray(0, 22)).toEqual(hex('333300000001 b6483b6818f2 86dd 60000000 0020 3a ff'));
    expect(frame.subarray(22, 54)).toEqual(
      hex('20010db8000100000000000000000077 ff020000000000000000000000000001'),
    );
    expect(frame.subarray(54, 56)).toEqual(hex('8800'));
    expect(frame.subarray(58)).toEqual(hex('20000000 20010db8000100000000000000000077 0201b6483b6818f2'));
    expect(decodeNdp(frame)).toMatchObject({ kind: 'advertisement', override: true, solicited: false });
  });
});

describe('ARP (speaker-l2.md §5.6, §5.7)', () => {
  it('95: a broadcast request gets one unicast reply, byte by byte', () => {
    const answer = respond(arpRequest(V4), held, via);
    expect(answer).toMatchObject({ kind: 'reply', ip: V4, claimant: undefined });
    expect('frame' in answer && answer.frame).toEqual(
      hex(
        '020000000001 b6483b6818f2 0806 0001 0800 06 04 0002 b6483b6818f2 c000024d 020000000001 c0000201' +
          '00'.repeat(18),
      ),
    );
  });

  it('96, 97: unicast to our MAC is answered, to another one dropped', () => {
    expect(respond(arpRequest(V4, { destination: MAC }), held, via).kind).toBe('reply');
    expect(respond(arpRequest(V4, { destination: mac('02:00:00:00:00:07') }), held, via)).toMatchObject({
      reason: 'ethernetDestination',
    });
  });

  it('98, 99: replies and requests for foreign addresses are dropped', () => {
    expect(respond(arpRequest(V4, { operation: 2 }), held, via)).toMatchObject({ reason: 'notRequest' });
    expect(respond(arpRequest('192.0.2.78'), held, via)).toMatchObject({ reason: 'notHeld' });
  });

  it('100: a probe (RFC 5227) is answered', () => {
    expect(respond(arpRequest(V4, { senderIp: ip('0.0.0.0') }), held, via)).toMatchObject({
      kind: 'reply',
      claimant: undefined,
    });
  });

  it('answers to the sender address in the payload, not to the Ethernet source', () => {
    const answer = respond(arpRequest(V4, { source: mac('02:00:00:00:00:05') }), held, via);
    const frame = answer.kind === 'reply' ? decodeArp(answer.frame) : undefined;
    expect(formatMac(frame?.destination ?? new Uint8Array())).toBe('02:00:00:00:00:01');
  });

  it('81: answers only on the interfaces asked for', () => {
    expect(respond(arpRequest(V4), planOn(V4, 'eth1'), via)).toMatchObject({ reason: 'otherInterface' });
    expect(respond(arpRequest(V4), planOn(V4, 'eth0'), via).kind).toBe('reply');
  });

  it('B20: leaves an address of the interface itself to the kernel', () => {
    expect(respond(arpRequest('192.0.2.11'), plan('192.0.2.11'), via)).toMatchObject({
      reason: 'kernelAddress',
    });
  });

  it('B18: does not answer our own gratuitous request seen by another card', () => {
    const [request] = gratuitousArp(mac('02:00:00:00:00:99'), ip(V4));
    expect(respond(request, held, via)).toMatchObject({ kind: 'drop', reason: 'ownFrame' });
  });

  it('sees another machine that claims the address', () => {
    const [request, reply] = gratuitousArp(CLIENT_MAC, ip(V4));
    expect(respond(request, held, via)).toMatchObject({ kind: 'reply', claimant: CLIENT_MAC });
    expect(respond(reply, held, via)).toMatchObject({ kind: 'drop', claimant: CLIENT_MAC });
  });

  it('does not answer to a group address or to nobody', () => {
    for (const sender of ['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01', '00:00:00:00:00:00'])
      expect(respond(arpRequest(V4, { senderMac: mac(sender) }), held, via)).toMatchObject({
        reason: 'malformed',
      });
  });

  it.each([14, 16, 18, 19])('drops a request whose byte %i is not Ethernet and IPv4', (offset) => {
    expect(respond(arpRequest(V4).with(offset, 9), held, via).kind).toBe('drop');
  });

  it('pads to the minimum length and decodes what it encodes', () => {
    const frame = arpRequest(V4);
    expect(frame).toHaveLength(MINIMUM_LENGTH);
    expect(encodeArp(decodeArp(frame)!)).toEqual(frame);
  });
});

describe('NDP (speaker-l2.md §6.3, §6.4)', () => {
  function answer(frame: Uint8Array): ReturnType<typeof decodeNdp> {
    const outcome = respond(frame, held, via);
    return outcome.kind === 'reply' ? decodeNdp(outcome.frame) : undefined;
  }

  it('106 (better): a multicast solicitation gets a solicited advertisement, which overrides', () => {
    expect(answer(neighborSolicitation(V6))).toEqual({
      kind: 'advertisement',
      etherDestination: CLIENT_MAC,
      etherSource: MAC,
      destination: ip('fe80::1'),
      source: ip(V6),
      target: ip(V6),
      solicited: true,
      override: true,
      link: MAC,
    });
  });

  it('107 (better): answers without the source option, to the Ethernet source', () => {
    expect(answer(neighborSolicitation(V6, { link: undefined }))).toMatchObject({
      etherDestination: CLIENT_MAC,
      solicited: true,
    });
  });

  it('107 (better): a duplicate-address probe is answered to all nodes, not solicited', () => {
    expect(answer(ndpProbe(CLIENT_MAC, ip(V6)))).toMatchObject({
      etherDestination: mac('33:33:00:00:00:01'),
      destination: ip('ff02::1'),
      solicited: false,
    });
  });

  it('108 (better, W4): a unicast solicitation to the address is answered', () => {
    expect(answer(neighborSolicitation(V6, { etherDestination: MAC, destination: ip(V6) }))).toMatchObject({
      solicited: true,
    });
  });

  it('W23: drops another hop limit than 255, a wrong checksum, a wrong code', () => {
    const frame = neighborSolicitation(V6);
    for (const [offset, value] of [
      [21, 64],
      [56, (frame[56]! + 1) & 0xff],
      [55, 1],
    ] as const)
      expect(respond(frame.with(offset, value), held, via)).toMatchObject({ reason: 'malformed' });
  });

  it('drops foreign targets, other interfaces, other Ethernet destinations', () => {
    expect(respond(neighborSolicitation('2001:db8:1::78'), held, via)).toMatchObject({ reason: 'notHeld' });
    expect(respond(neighborSolicitation(V6), planOn(V6, 'eth1'), via)).toMatchObject({
      reason: 'otherInterface',
    });
    expect(
      respond(neighborSolicitation(V6, { etherDestination: mac('02:00:00:00:00:07') }), held, via),
    ).toMatchObject({ reason: 'ethernetDestination' });
  });

  it('sees another machine that advertises the address', () => {
    const frame = unsolicitedAdvertisement(CLIENT_MAC, ip(V6));
    expect(respond(frame, held, via)).toMatchObject({ kind: 'drop', ip: V6, claimant: CLIENT_MAC });
  });
});
