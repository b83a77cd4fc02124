/** The three kinds of sockets the responder needs: frames of one interface, netlink, multicast membership. */
import { NETLINK_GROUPS } from '#core/l2/netlink.ts';
import { MAX_INSTRUCTIONS, nothingFilter, type Instruction } from '#core/l2/filter.ts';
import {
  addressOf,
  bindSocket,
  closeSocket,
  openSocket,
  receiveInto,
  sendBytes,
  setOption,
  SocketError,
  watchReadable,
  type Watch,
} from '#speaker/l2/libc.ts';

const AF_NETLINK = 16;
const AF_PACKET = 17;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const ATTACH_FILTER = { level: 1, name: 26 };
const RECEIVE_BUFFER = { level: 1, name: 8 };
const JOIN_GROUP = { level: 41, name: 20 };
const LEAVE_GROUP = { level: 41, name: 21 };

/** Frames taken at one go before other work gets its turn. */
const BATCH = 64;
const NETLINK_BUFFER = 1 << 20;

/** A socket for the frames of one protocol on one interface. Gets nothing until a filter is set. */
export class PacketSocket {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(2_048);
  #watch: Watch | undefined;

  constructor(ifindex: number, protocol: number) {
    this.#fd = openSocket(AF_PACKET, SOCK_RAW, 0);
    try {
      attach(this.#fd, nothingFilter);
      bindSocket(this.#fd, packetAddress(ifindex, protocol));
    } catch (error) {
      closeSocket(this.#fd);
      throw error;
    }
  }

  /**
   * Sets the filter. `build` makes it for a limit of instructions; where the kernel's memory for options is
   * too small for it, a coarser one is tried.
   */
  setFilter(build: (limit: number) => readonly Instruction[]): void {
    for (let limit = MAX_INSTRUCTIONS; ; limit >>= 1) {
      try {
        attach(this.#fd, build(limit));
        return;
      } catch (error) {
        if (!(error instanceof SocketError) || error.errno !== 'ENOMEM' || limit <= 128) throw error;
      }
    }
  }

  /** Calls `onFrame` for each frame (valid during the call) and `onError` for what goes wrong, e.g. ENETDOWN. */
  start(onFrame: (frame: Uint8Array) => void, onError: (error: unknown) => void): void {
    this.#watch = watchReadable(this.#fd, () => {
      try {
        for (let taken = 0; taken < BATCH; taken += 1) {
          const length = receiveInto(this.#fd, this.#buffer);
          if (length === undefined) return;
          onFrame(this.#buffer.subarray(0, length));
        }
      } catch (error) {
        onError(error);
      }
    });
  }

  send(frame: Uint8Array): void {
    sendBytes(this.#fd, frame);
  }

  close(): void {
    this.#watch?.close();
    closeSocket(this.#fd);
  }
}

/** `struct sock_fprog`: the number of instructions and a pointer to them. */
function attach(fd: number, program: readonly Instruction[]): void {
  // Never so small that it lives in the managed heap, where it could be moved after we took its address.
  const code = Buffer.alloc(Math.max(8 * program.length, 128));
  program.forEach((instruction, index) => {
    code.writeUInt16LE(instruction.code, 8 * index);
    code.writeUInt8(instruction.jt, 8 * index + 2);
    code.writeUInt8(instruction.jf, 8 * index + 3);
    code.writeUInt32LE(instruction.k, 8 * index + 4);
  });
  const value = Buffer.alloc(16);
  value.writeUInt16LE(program.length);
  value.writeBigUInt64LE(addressOf(code), 8);
  setOption(fd, ATTACH_FILTER, value);
}

/** `struct sockaddr_ll` */
function packetAddress(ifindex: number, protocol: number): Buffer {
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET);
  address.writeUInt16BE(protocol, 2);
  address.writeInt32LE(ifindex, 4);
  return address;
}

/** Messages about interfaces and addresses: answers to requests and, unasked, every change. */
export class NetlinkSocket {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(65_536);
  #watch: Watch | undefined;

  constructor() {
    this.#fd = openSocket(AF_NETLINK, SOCK_RAW, 0);
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK);
    address.writeUInt32LE(NETLINK_GROUPS, 8);
    const size = Buffer.alloc(4);
    size.writeInt32LE(NETLINK_BUFFER);
    setOption(this.#fd, RECEIVE_BUFFER, size);
    bindSocket(this.#fd, address);
  }

  send(request: Uint8Array): void {
    sendBytes(this.#fd, request);
  }

  /** `onLost` is called when the kernel had to drop messages: what is known must be asked for again. */
  start(onMessages: (bytes: Uint8Array) => void, onLost: () => void): void {
    this.#watch = watchReadable(this.#fd, () => {
      try {
        for (let length = receiveInto(this.#fd, this.#buffer); length;) {
          onMessages(this.#buffer.subarray(0, length));
          length = receiveInto(this.#fd, this.#buffer);
        }
      } catch {
        onLost();
      }
    });
  }

  close(): void {
    this.#watch?.close();
    closeSocket(this.#fd);
  }
}

/**
 * Memberships in IPv6 multicast groups: they open the card's filter and report the group to snooping switches
 * (MLD). One socket takes some 2,300 groups, so there may be several.
 */
export class GroupMemberships {
  readonly #sockets: number[] = [];
  readonly #where = new Map<string, number>();

  /** Joins the group on the interface. Joining again is harmless. */
  join(ifindex: number, group: Uint8Array): void {
    const key = membershipKey(ifindex, group);
    if (this.#where.has(key)) return;
    const request = membership(ifindex, group);
    this.#where.set(key, this.#joinOnLast(request) ?? this.#joinOnNew(request));
  }

  #joinOnLast(request: Buffer): number | undefined {
    const fd = this.#sockets.at(-1);
    if (fd === undefined) return undefined;
    try {
      setOption(fd, JOIN_GROUP, request);
      return fd;
    } catch (error) {
      if (error instanceof SocketError && error.errno === 'ENOMEM') return undefined;
      throw error;
    }
  }

  #joinOnNew(request: Buffer): number {
    const fd = openSocket(AF_INET6, SOCK_DGRAM, 0);
    this.#sockets.push(fd);
    setOption(fd, JOIN_GROUP, request);
    return fd;
  }

  /** Leaves the group; memberships of an interface that is gone are gone already. */
  leave(ifindex: number, group: Uint8Array): void {
    const key = membershipKey(ifindex, group);
    const fd = this.#where.get(key);
    this.#where.delete(key);
    if (fd === undefined) return;
    try {
      setOption(fd, LEAVE_GROUP, membership(ifindex, group));
    } catch (error) {
      if (!(error instanceof SocketError) || !['ENODEV', 'EADDRNOTAVAIL'].includes(error.errno)) throw error;
    }
  }

  close(): void {
    for (const fd of this.#sockets) closeSocket(fd);
    this.#sockets.length = 0;
    this.#where.clear();
  }
}

function membershipKey(ifindex: number, group: Uint8Array): string {
  return `${ifindex} ${Buffer.from(group).toString('hex')}`;
}

/** `struct ipv6_mreq` */
function membership(ifindex: number, group: Uint8Array): Buffer {
  const request = Buffer.alloc(20);
  request.set(group);
  request.writeInt32LE(ifindex, 16);
  return request;
}
