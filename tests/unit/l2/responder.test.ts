/** The responder without a kernel: what netlink tells, and which sockets can be opened, is up to the test. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { arpProbe } from '#core/l2/arp.ts';
import { formatMac } from '#core/l2/ethernet.ts';
import type { HostLinks } from '#core/l2/interfaces.ts';
import { YIELD_PATIENCE } from '#core/l2/yielding.ts';
import { nameId } from '#core/members/heartbeat.ts';
import { LOOK_EVERY, LOOK_SETTLES } from '#core/l2/same-lan.ts';
import type { LogRecord } from '#speaker/l2/messages.ts';
import { Responder } from '#speaker/l2/responder.ts';
import type { L2Conflict } from '#speaker/ports.ts';
import { arpRequest, ip, mac } from '#tests/support/frames.ts';

const kernel = vi.hoisted(() => ({
  /** Interfaces on which no socket can be opened, with the error. */
  refused: new Map<number, string>(),
  /** Interfaces on one LAN: each hears what the others send. */
  lan: [] as number[],
  /** Frames sent, by interface. */
  sent: [] as { readonly ifindex: number; readonly frame: Uint8Array }[],
  /** Delivers a frame, by interface and protocol. */
  deliver: new Map<string, (frame: Uint8Array) => void>(),
  tell: undefined as ((host: HostLinks) => void) | undefined,
}));

vi.mock('#speaker/l2/sockets.ts', () => ({
  PacketSocket: class {
    readonly #key: string;
    readonly #ifindex: number;

    constructor(ifindex: number, protocol: number) {
      const error = kernel.refused.get(ifindex);
      if (error !== undefined) throw new Error(error);
      this.#ifindex = ifindex;
      this.#key = `${ifindex} ${protocol}`;
    }

    setFilter(): void {}

    start(onFrame: (frame: Uint8Array) => void): void {
      kernel.deliver.set(this.#key, onFrame);
    }

    send(frame: Uint8Array): void {
      kernel.sent.push({ ifindex: this.#ifindex, frame });
      for (const other of kernel.lan)
        if (kernel.lan.includes(this.#ifindex) && other !== this.#ifindex && frame[12] === 8)
          kernel.deliver.get(`${other} 2054`)?.(frame);
    }

    close(): void {
      kernel.deliver.delete(this.#key);
    }
  },
  GroupMemberships: class {
    join(): void {}
    leave(): void {}
    close(): void {}
  },
}));
vi.mock('#speaker/l2/link-watcher.ts', () => ({
  LinkWatcher: class {
    constructor(onChange: (host: HostLinks) => void) {
      kernel.tell = onChange;
    }
    start(): void {}
    close(): void {}
  },
}));

const V4 = '192.0.2.77';
const RETRY = 10_000;
const ARP = 0x0806;
const card = (index: number) => ({
  index,
  name: `eth${index}`,
  mac: mac(`02:00:00:00:01:0${index}`),
  flags: 0x1 | 0x2 | 0x1000 | 0x10000,
  master: 0,
  slaveKind: '',
  kind: '',
});
const host = (...indexes: readonly number[]): HostLinks => ({
  links: new Map(indexes.map((index) => [index, card(index)])),
  addresses: [],
});
/** As `host`, all without carrier but for these. */
const withCarrier = (all: readonly number[], ...up: readonly number[]): HostLinks => ({
  links: new Map(
    all.map((index) => [index, { ...card(index), flags: up.includes(index) ? card(index).flags : 0x1003 }]),
  ),
  addresses: [],
});

let log: LogRecord[];
let conflicts: L2Conflict[];
let responder: Responder;

beforeEach(() => {
  vi.useFakeTimers();
  kernel.refused.clear();
  kernel.lan.length = 0;
  kernel.sent.length = 0;
  kernel.deliver.clear();
  log = [];
  conflicts = [];
  responder = new Responder(
    { timing: { rounds: 1, spacing: 1_000, period: 0 }, duplicates: 'withhold' },
    () => false,
    {
      interfaces: () => undefined,
      conflict: (conflict) => conflicts.push(conflict),
      log: (record) => log.push(record),
    },
  );
  responder.start();
});
afterEach(() => {
  responder.close();
  vi.useRealTimers();
});

/** Cards that answer a request that arrives on all of them. */
function answering(): string[] {
  kernel.sent.length = 0;
  for (const [key, deliver] of kernel.deliver) if (key.endsWith(` ${ARP}`)) deliver(arpRequest(V4));
  return kernel.sent.map(({ frame }) => formatMac(frame.subarray(6, 12)).slice(-1)).sort();
}

describe('a card on which nothing can be opened', () => {
  it('94: leaves the others at work, is told once, and works as soon as it can', async () => {
    kernel.refused.set(1, 'socket: EPERM');
    kernel.tell?.(host(1, 2));
    responder.change([{ ip: V4, interfaces: undefined }], []);
    expect(answering()).toEqual(['2']);
    await vi.advanceTimersByTimeAsync(2 * RETRY);
    expect(answering()).toEqual(['2']);
    expect(log).toEqual([
      {
        level: 'error',
        message: 'failed to create ARP responder',
        fields: { interface: 'eth1', part: 'arp', error: 'socket: EPERM' },
      },
    ]);
    kernel.refused.clear();
    await vi.advanceTimersByTimeAsync(RETRY);
    expect(answering()).toEqual(['1', '2']);
  });

  it('announces what is held on the card when it works', async () => {
    kernel.refused.set(1, 'socket: EPERM');
    kernel.tell?.(host(1));
    responder.change([{ ip: V4, interfaces: undefined }], []);
    await vi.advanceTimersByTimeAsync(RETRY - 1);
    expect(kernel.sent).toEqual([]);
    kernel.refused.clear();
    await vi.advanceTimersByTimeAsync(RETRY);
    expect(kernel.sent.map(({ frame }) => [...frame.subarray(28, 32)])).toEqual([[...ip(V4)], [...ip(V4)]]);
  });
});

describe('cards on one LAN (B18 E3)', () => {
  /** Cards that announce the address, each once. */
  const announcing = (): string[] => {
    const own = kernel.sent.filter(({ frame }) => frame[31] === 77);
    return [...new Set(own.map(({ ifindex }) => String(ifindex)))].sort();
  };
  const hold = (...interfaces: readonly string[]) =>
    responder.change([{ ip: V4, interfaces: interfaces.length === 0 ? undefined : interfaces }], []);

  it('one answers and announces; a card on another LAN does as well', async () => {
    kernel.lan.push(1, 2);
    kernel.tell?.(host(1, 2, 3));
    hold();
    await vi.advanceTimersByTimeAsync(LOOK_SETTLES);
    expect(announcing()).toEqual(['1', '3']);
    expect(answering()).toEqual(['1', '3']);
  });

  it('nothing is announced before it is known which', async () => {
    kernel.lan.push(1, 2);
    kernel.tell?.(host(1, 2));
    hold();
    await vi.advanceTimersByTimeAsync(LOOK_SETTLES - 1);
    expect(announcing()).toEqual([]);
  });

  it('of the cards that are asked for: the other one does not count', async () => {
    kernel.lan.push(1, 2);
    kernel.tell?.(host(1, 2));
    hold('eth2');
    await vi.advanceTimersByTimeAsync(LOOK_SETTLES);
    expect(answering()).toEqual(['2']);
    hold('eth1', 'eth2');
    expect(answering()).toEqual(['1']);
  });

  it('the next one takes over when the first loses its carrier, and gives back', async () => {
    kernel.lan.push(1, 2);
    kernel.tell?.(host(1, 2));
    hold();
    await vi.advanceTimersByTimeAsync(LOOK_SETTLES);
    kernel.sent.length = 0;
    kernel.tell?.(withCarrier([1, 2], 2));
    await vi.advanceTimersByTimeAsync(LOOK_SETTLES);
    expect(announcing()).toEqual(['2']);
    expect(answering().includes('2')).toBe(true);
    kernel.tell?.(host(1, 2));
    kernel.sent.length = 0;
    await vi.advanceTimersByTimeAsync(LOOK_SETTLES);
    expect(announcing()).toEqual(['1']);
    expect(answering()).toEqual(['1']);
  });

  it('a cable that is moved to another LAN is noticed after some looks', async () => {
    kernel.lan.push(1, 2);
    kernel.tell?.(host(1, 2));
    hold();
    await vi.advanceTimersByTimeAsync(LOOK_SETTLES);
    kernel.lan.length = 0;
    kernel.sent.length = 0;
    await vi.advanceTimersByTimeAsync(3 * LOOK_EVERY + LOOK_SETTLES);
    expect(announcing()).toEqual(['1', '2']);
    expect(answering()).toEqual(['1', '2']);
    kernel.lan.push(1, 2);
    await vi.advanceTimersByTimeAsync(LOOK_EVERY);
    expect(answering()).toEqual(['1']);
  });
});

describe('an address that another node takes over', () => {
  const view = (...alive: readonly string[]) =>
    responder.hear({
      kind: 'view',
      view: { alive, phase: alive.length === 0 ? 'isolated' : 'member', reason: '', gone: [], links: [] },
    });
  const holds = (node: string, ...ips: readonly string[]) =>
    responder.hear({ kind: 'report', node, report: { cards: [], holds: ips.map(nameId) } });
  const gratuitous = () => kernel.sent.filter(({ frame }) => frame[31] === 77).length;

  beforeEach(async () => {
    kernel.tell?.(host(1));
    view('me', 'first');
    responder.change([{ ip: V4, interfaces: undefined, yieldTo: ['first'] }], []);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(answering()).toEqual(['1']);
  });

  it('is not answered for from the moment on that the mesh says so, and is again when that one is gone', async () => {
    holds('first', '192.0.2.78');
    expect(answering()).toEqual(['1']);
    holds('first', V4);
    expect(answering()).toEqual([]);
    responder.announce(undefined);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(gratuitous()).toBe(0);
    view('me');
    await vi.advanceTimersByTimeAsync(0);
    expect(gratuitous()).toBeGreaterThan(0);
    expect(answering()).toEqual(['1']);
    expect(log).toEqual([
      {
        level: 'info',
        message: 'a speaker that comes first holds addresses too, they are left to it',
        fields: { addresses: 1, node: 'first' },
      },
    ]);
  });

  it('stays unanswered while those that come first hand it on among themselves', () => {
    view('me', 'first', 'second');
    responder.change([{ ip: V4, interfaces: undefined, yieldTo: ['first', 'second'] }], []);
    for (const [node, ...ips] of [['second', V4], ['first', V4], ['second'], ['first', V4, V4]] as const) {
      holds(node, ...ips);
      expect(answering()).toEqual([]);
    }
    holds('first');
    expect(answering()).toEqual(['1']);
  });

  it('is given up in the end by the plan, and answered for anew by the next one', () => {
    holds('first', V4);
    responder.change([], [V4]);
    holds('first');
    expect(answering()).toEqual([]);
    responder.change([{ ip: V4, interfaces: undefined, yieldTo: ['first'] }], []);
    expect(answering()).toEqual(['1']);
  });

  it('is not answered for while this node is cut off, but while it leaves', () => {
    view();
    expect(answering()).toEqual([]);
    view('me');
    expect(answering()).toEqual(['1']);
    responder.hear({ kind: 'view', view: { alive: [], phase: 'left', reason: '', gone: [], links: [] } });
    expect(answering()).toEqual(['1']);
  });

  it('goes on to be answered for where the other one has no interface that can answer', () => {
    responder.hear({
      kind: 'view',
      view: { alive: ['me', 'first'], phase: 'member', reason: '', gone: [], links: [['first', []]] },
    });
    holds('first', V4);
    expect(answering()).toEqual(['1']);
    view('me', 'first');
    expect(answering()).toEqual([]);
  });

  it('views that contradict each other for long are told, and both answer', async () => {
    holds('first', V4);
    await vi.advanceTimersByTimeAsync(YIELD_PATIENCE);
    expect(answering()).toEqual(['1']);
    expect(log.at(-1)).toMatchObject({ level: 'warn', fields: { addresses: 1 } });
    holds('first', V4, '192.0.2.78');
    expect(answering()).toEqual(['1']);
  });

  it('without liveness it is answered for whatever anybody says', () => {
    responder.change([{ ip: V4, interfaces: undefined }], []);
    holds('first', V4);
    view();
    expect(answering()).toEqual(['1']);
  });
});

describe('somebody else probes for an address that is being probed (RFC 5227 2.1.1)', () => {
  const theirs = mac('02:00:00:00:00:66');
  const probe = () => kernel.deliver.get(`1 ${ARP}`)?.(arpProbe(theirs, ip(V4)));

  beforeEach(() => {
    kernel.tell?.(host(1));
    responder.change([{ ip: V4, interfaces: undefined, probe: true }], []);
  });

  it('it is not claimed until they are silent', async () => {
    await vi.advanceTimersByTimeAsync(150);
    probe();
    expect(conflicts).toEqual([{ ip: V4, interface: 'eth1', mac: formatMac(theirs), state: 'withheld' }]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(answering()).toEqual([]);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(conflicts.at(-1)).toMatchObject({ state: 'over' });
    expect(answering()).toEqual(['1']);
  });

  it('one of our own cluster does not count', async () => {
    responder.setClusterCards([formatMac(theirs)]);
    await vi.advanceTimersByTimeAsync(150);
    probe();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(conflicts).toEqual([]);
    expect(answering()).toEqual(['1']);
  });

  it('once it is claimed the probe is answered and nothing else', async () => {
    await vi.advanceTimersByTimeAsync(1_000);
    kernel.sent.length = 0;
    probe();
    expect(kernel.sent.map(({ frame }) => frame[21])).toEqual([2]);
    expect(conflicts).toEqual([]);
  });
});
