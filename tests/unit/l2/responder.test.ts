/** The responder without a kernel: what netlink tells, and which sockets can be opened, is up to the test. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatMac } from '#core/l2/ethernet.ts';
import type { HostLinks } from '#core/l2/interfaces.ts';
import type { LogRecord } from '#speaker/l2/messages.ts';
import { Responder } from '#speaker/l2/responder.ts';
import { arpRequest, ip, mac } from '#tests/support/frames.ts';

const kernel = vi.hoisted(() => ({
  /** Interfaces on which no socket can be opened, with the error. */
  refused: new Map<number, string>(),
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

let log: LogRecord[];
let responder: Responder;

beforeEach(() => {
  vi.useFakeTimers();
  kernel.refused.clear();
  kernel.sent.length = 0;
  kernel.deliver.clear();
  log = [];
  responder = new Responder(
    { timing: { rounds: 1, spacing: 1_000, period: 0 }, duplicates: 'withhold' },
    () => false,
    { interfaces: () => undefined, conflict: () => undefined, log: (record) => log.push(record) },
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
