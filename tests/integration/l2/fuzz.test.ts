import { describe, expect, it } from 'vitest';
import { decodeArp } from '#core/l2/arp.ts';
import { bytesKey } from '#core/l2/ethernet.ts';
import { decodeNdp, unsolicitedAdvertisement } from '#core/l2/ndp.ts';
import { respond, type RespondingInterface } from '#core/l2/respond.ts';
import { arpRequest, ip, mac, neighborSolicitation } from '#tests/support/frames.ts';
import { randomFrom } from '#tests/support/mesh-simulation.ts';

const FRAMES = 10_000_000;
const SEED = 20_261_125;
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
const originals = [
  arpRequest(V4),
  arpRequest(V4, { senderIp: ip('0.0.0.0') }),
  neighborSolicitation(V6),
  neighborSolicitation(V6, { link: undefined }),
  unsolicitedAdvertisement(mac('02:00:00:00:00:01'), ip(V6)),
];

/** What a frame asks for, if it is a well-formed question. */
function questionOf(frame: Uint8Array): string {
  const arp = decodeArp(frame);
  if (arp !== undefined) return arp.operation === 1 ? bytesKey(arp.targetIp) : '';
  const ndp = decodeNdp(frame);
  return ndp?.kind === 'solicitation' ? bytesKey(ndp.target) : '';
}

describe('fuzz', () => {
  it(`${FRAMES} mutated frames: no crash, and every answer answers a question for a held address`, () => {
    const random = randomFrom(SEED);
    const scratch = new Uint8Array(128);
    let answers = 0;
    let wrong = 0;
    for (let round = 0; round < FRAMES; round += 1) {
      const original = originals[round % originals.length] ?? new Uint8Array();
      scratch.set(original);
      for (let change = 1 + Math.floor(random() * 3); change > 0; change -= 1)
        scratch[Math.floor(random() * original.length)] = Math.floor(random() * 256);
      const length = random() < 0.1 ? Math.floor(random() * original.length) : original.length;
      const frame = scratch.subarray(0, length);
      if (respond(frame, plan, via).kind === 'drop') continue;
      answers += 1;
      if (!plan.has(questionOf(frame))) wrong += 1;
    }
    expect(wrong).toBe(0);
    expect(answers).toBeGreaterThan(FRAMES / 100);
  });
});
