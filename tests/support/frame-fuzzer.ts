/** Mutated frames through everything that reads frames from the wire: what is answered must have been a question. */
import { decodeArp } from '#core/l2/arp.ts';
import { sumOf } from '#core/l2/checksum.ts';
import { respondEcho } from '#core/l2/echo.ts';
import { bytesKey, readUint16 } from '#core/l2/ethernet.ts';
import { decodeNdp, unsolicitedAdvertisement } from '#core/l2/ndp.ts';
import { respond, type HeldAddress, type RespondingInterface } from '#core/l2/respond.ts';
import { lookedFrom, lookFrame } from '#core/l2/same-lan.ts';
import { arpRequest, echoRequest, ip, mac, neighborSolicitation } from './frames.ts';
import { randomFrom } from './mesh-simulation.ts';

const V4 = '192.0.2.77';
const V6 = '2001:db8:1::77';
const MAC = mac('b6:48:3b:68:18:f2');
const MARK = Uint8Array.of(1, 2, 3);
const plan = new Map<string, HeldAddress>(
  [V4, V6].map((text) => [
    bytesKey(ip(text)),
    { ip: text, bytes: ip(text), interfaces: undefined, ping: true },
  ]),
);
const via: RespondingInterface = {
  name: 'eth0',
  mac: MAC,
  kernelAddresses: new Set(),
  ownMacs: new Set([bytesKey(MAC)]),
  before: { arp: [], ndp: [] },
};

type Reader = 'arp and ndp' | 'echo';

const originals: readonly { readonly frame: Uint8Array; readonly reader: Reader }[] = [
  { frame: arpRequest(V4), reader: 'arp and ndp' },
  { frame: arpRequest(V4, { senderIp: ip('0.0.0.0') }), reader: 'arp and ndp' },
  { frame: lookFrame(MAC, MARK, 7), reader: 'arp and ndp' },
  { frame: neighborSolicitation(V6), reader: 'arp and ndp' },
  { frame: neighborSolicitation(V6, { link: undefined }), reader: 'arp and ndp' },
  { frame: unsolicitedAdvertisement(mac('02:00:00:00:00:01'), ip(V6)), reader: 'arp and ndp' },
  { frame: echoRequest(V4, MAC, 20), reader: 'echo' },
  { frame: echoRequest(V6, MAC, 20), reader: 'echo' },
];

/** What a frame asks for, if it is a well-formed question. */
function questionOf(frame: Uint8Array): string {
  const arp = decodeArp(frame);
  if (arp !== undefined) return arp.operation === 1 ? bytesKey(arp.targetIp) : '';
  const ndp = decodeNdp(frame);
  return ndp?.kind === 'solicitation' ? bytesKey(ndp.target) : '';
}

/** As `questionOf`, for echo requests: lengths, types and checksums are looked at in another way than the product does. */
function echoQuestionOf(frame: Uint8Array): string {
  const isIpv4 = readUint16(frame, 12) === 0x0800;
  const [start, source, target, size] = isIpv4 ? [34, 26, 30, 4] : [54, 22, 38, 16];
  const end = isIpv4 ? 14 + readUint16(frame, 16) : 54 + readUint16(frame, 18);
  if (end > frame.length || end < start + 8) return '';
  const whole = new Uint8Array(end + (end % 2));
  whole.set(frame.subarray(0, end));
  // The pseudo header of IPv6: addresses, length, protocol.
  const pseudo = isIpv4 ? 0 : sumOf(whole, source, start, end - start + 58);
  if (sumOf(whole, start, whole.length, pseudo) !== 0xffff) return '';
  if (frame[start] !== (isIpv4 ? 8 : 128)) return '';
  return bytesKey(frame.subarray(target, target + size));
}

export interface FuzzResult {
  readonly frames: number;
  readonly answers: number;
  /** Answers to something that was no question for a held address. */
  readonly wrong: number;
  /** Frames that were taken for one of our own looks around. */
  readonly looks: number;
}

/** Throws what the product throws; it should not. */
export function fuzzFrames(frames: number, seed: number): FuzzResult {
  const random = randomFrom(seed);
  const scratch = new Uint8Array(256);
  const found = { frames, answers: 0, wrong: 0, looks: 0 };
  for (let round = 0; round < frames; round += 1) {
    const { frame: original, reader } = originals[round % originals.length] ?? {
      frame: scratch,
      reader: 'echo',
    };
    scratch.set(original);
    for (let change = 1 + Math.floor(random() * 3); change > 0; change -= 1)
      scratch[Math.floor(random() * original.length)] = Math.floor(random() * 256);
    const length = random() < 0.1 ? Math.floor(random() * original.length) : original.length;
    const frame = scratch.subarray(0, length);
    if (lookedFrom(frame, MARK) !== undefined) found.looks += 1;
    const outcome = reader === 'echo' ? respondEcho(frame, plan, via) : respond(frame, plan, via);
    if (outcome.kind === 'drop') continue;
    found.answers += 1;
    if (!plan.has(reader === 'echo' ? echoQuestionOf(frame) : questionOf(frame))) found.wrong += 1;
  }
  return found;
}
