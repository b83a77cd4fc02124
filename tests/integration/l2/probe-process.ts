/** A client on the segment: sends any frame, reports what it receives, and measures how fast answers come. */
import { decodeArp } from '#core/l2/arp.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV6, formatMac, sameBytes } from '#core/l2/ethernet.ts';
import { decodeNdp } from '#core/l2/ndp.ts';
import { LinkWatcher } from '#speaker/l2/link-watcher.ts';
import { requestRealTime } from '#speaker/l2/libc.ts';
import { PacketSocket } from '#speaker/l2/sockets.ts';
import { arpRequest, ip, mac, neighborSolicitation } from '#tests/support/frames.ts';

export type ToProbe =
  | { readonly kind: 'send'; readonly frame: string }
  /** Asks for the address `count` times, one after the other answered, and reports the times. */
  | { readonly kind: 'measure'; readonly ip: string; readonly count: number }
  /** Requests for a foreign address, so many a second, until stopped with 0. */
  | { readonly kind: 'storm'; readonly ip: string; readonly perSecond: number }
  /** Asks for the address all the time, every so many milliseconds; 0 stops. Frames are not reported meanwhile. */
  | { readonly kind: 'watch'; readonly ip: string; readonly everyMs: number };

export type FromProbe =
  | { readonly kind: 'ready' }
  | { readonly kind: 'frame'; readonly frame: string; readonly at: number }
  | { readonly kind: 'measured'; readonly micros: readonly number[]; readonly lost: number }
  | { readonly kind: 'stormed'; readonly sent: number; readonly ms: number }
  /** When it asked, and which MAC address answered when (Unix milliseconds), since the last such message. */
  | {
      readonly kind: 'watched';
      readonly asked: readonly number[];
      readonly answers: readonly (readonly [at: number, mac: string])[];
    };

/** With real-time priority what is measured is the responder, not this process waiting for its turn. */
export interface ProbeArgument {
  readonly realTime?: boolean;
}

const EVERYTHING = [{ code: 0x06, jt: 0, jf: 0, k: 0x40000 }];
const ANSWER_WITHIN = 1_000;

function tell(message: FromProbe): void {
  process.send?.(message);
}

const argument = JSON.parse(process.argv[2] ?? '{}') as ProbeArgument;
if (argument.realTime === true) requestRealTime();

let own = '';
let answered: (() => void) | undefined;
/** The answer that is waited for. */
let isAnswer: ((frame: Uint8Array) => boolean) | undefined;

function open(ifindex: number, protocol: number): PacketSocket {
  const socket = new PacketSocket(ifindex, protocol);
  socket.setFilter(() => EVERYTHING);
  socket.start(received, () => undefined);
  return socket;
}

function received(frame: Uint8Array): void {
  if (watched !== undefined) {
    watched.received(frame);
    return;
  }
  if (isAnswer !== undefined) {
    if (isAnswer(frame)) answered?.();
    return;
  }
  tell({ kind: 'frame', frame: Buffer.from(frame).toString('hex'), at: Date.now() });
}

function request(target: string): Uint8Array {
  return arpRequest(target, { source: mac(own), senderMac: mac(own) });
}

function answersArp(ip: string): (frame: Uint8Array) => boolean {
  return (frame) => {
    const arp = decodeArp(frame);
    return arp?.operation === 2 && arp.senderIp.join('.') === ip && arp.destination[0] !== 0xff;
  };
}

function answersNdp(target: string): (frame: Uint8Array) => boolean {
  const bytes = ip(target);
  return (frame) => {
    const ndp = decodeNdp(frame);
    return ndp?.kind === 'advertisement' && ndp.solicited && sameBytes(ndp.target, bytes);
  };
}

interface Sockets {
  readonly arp: PacketSocket;
  readonly ipv6: PacketSocket;
}

async function measure({ arp, ipv6 }: Sockets, target: string, count: number): Promise<void> {
  const micros: number[] = [];
  let lost = 0;
  const isV6 = target.includes(':');
  isAnswer = isV6 ? answersNdp(target) : answersArp(target);
  const link = mac(own);
  const frame = isV6 ? neighborSolicitation(target, { etherSource: link, link }) : request(target);
  for (let round = 0; round < count; round += 1) {
    const started = performance.now();
    const inTime = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), ANSWER_WITHIN);
      answered = () => {
        clearTimeout(timer);
        resolve(true);
      };
      (isV6 ? ipv6 : arp).send(frame);
    });
    if (inTime) micros.push(Math.round((performance.now() - started) * 1000));
    else lost += 1;
  }
  isAnswer = undefined;
  answered = undefined;
  tell({ kind: 'measured', micros, lost });
}

const REPORT_EVERY = 100;
let watched: Watched | undefined;

/** Asks all the time, and notes who answers. */
class Watched {
  readonly #ip: string;
  readonly #asking: NodeJS.Timeout;
  readonly #telling: NodeJS.Timeout;
  #asked: number[] = [];
  #answers: [number, string][] = [];

  constructor(arp: PacketSocket, ip: string, everyMs: number) {
    this.#ip = ip;
    const frame = request(ip);
    this.#asking = setInterval(() => {
      this.#asked.push(now());
      arp.send(frame);
    }, everyMs);
    this.#telling = setInterval(() => this.#tell(), REPORT_EVERY);
  }

  received(frame: Uint8Array): void {
    const arp = decodeArp(frame);
    if (arp?.operation !== 2 || arp.senderIp.join('.') !== this.#ip || arp.destination[0] === 0xff) return;
    this.#answers.push([now(), formatMac(arp.senderMac)]);
  }

  #tell(): void {
    tell({ kind: 'watched', asked: this.#asked, answers: this.#answers });
    this.#asked = [];
    this.#answers = [];
  }

  close(): void {
    clearInterval(this.#asking);
    clearInterval(this.#telling);
    this.#tell();
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

let storm: NodeJS.Timeout | undefined;
let sent = 0;
let stormStarted = 0;

function setStorm(arp: PacketSocket, ip: string, perSecond: number): void {
  clearInterval(storm);
  if (perSecond === 0) {
    tell({ kind: 'stormed', sent, ms: performance.now() - stormStarted });
    return;
  }
  const frame = request(ip);
  stormStarted = performance.now();
  sent = 0;
  storm = setInterval(() => {
    const due = Math.floor(((performance.now() - stormStarted) / 1000) * perSecond);
    for (; sent < due; sent += 1) {
      try {
        arp.send(frame);
      } catch {
        return;
      }
    }
  }, 1);
}

const watcher = new LinkWatcher((host) => {
  const link = [...host.links.values()].find(({ name }) => name === 'eth0');
  if (link === undefined || own !== '') return;
  own = Buffer.from(link.mac)
    .toString('hex')
    .replace(/..(?=.)/g, '$&:');
  const arp = open(link.index, ETHERTYPE_ARP);
  const ipv6 = open(link.index, ETHERTYPE_IPV6);
  process.on('message', (message: ToProbe) => {
    switch (message.kind) {
      case 'send': {
        const frame = Buffer.from(message.frame, 'hex');
        (frame.readUInt16BE(12) === ETHERTYPE_ARP ? arp : ipv6).send(frame);
        return;
      }
      case 'measure':
        void measure({ arp, ipv6 }, message.ip, message.count);
        return;
      case 'storm':
        setStorm(arp, message.ip, message.perSecond);
        return;
      case 'watch':
        watched?.close();
        watched = message.everyMs === 0 ? undefined : new Watched(arp, message.ip, message.everyMs);
    }
  });
  tell({ kind: 'ready' });
});
watcher.start();
