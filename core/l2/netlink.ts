/**
 * The few rtnetlink messages that tell about interfaces and their addresses (linux/rtnetlink.h): requests as
 * bytes, answers and notifications as values. Numbers are little-endian, as on every machine we run on.
 */
/** Multicast groups to bind a netlink socket to: LINK, IPV4_IFADDR, IPV6_IFADDR. */
export const NETLINK_GROUPS = 0x1 | 0x10 | 0x100;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NEW_LINK = 16;
const DEL_LINK = 17;
const GET_LINK = 18;
const NEW_ADDRESS = 20;
const DEL_ADDRESS = 21;
const GET_ADDRESS = 22;
const REQUEST_DUMP = 0x301;
const HEADER = 16;

const IFLA = { address: 1, name: 3, link: 5, master: 10, linkInfo: 18 };
const INFO = { kind: 1, slaveKind: 4 };
const IFA = { address: 1, local: 2 };

/** One interface as the kernel describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** Bytes of the hardware address; empty when there is none. */
  readonly mac: Uint8Array;
  /** Bits of net_device flags (IFF_*). */
  readonly flags: number;
  /** Index of the master; 0: none. */
  readonly master: number;
  /** What it is as a port of its master: `bond`, `bridge`, `vrf` …; empty when it has none. */
  readonly slaveKind: string;
  /** Kind of virtual interface: `vlan`, `veth` …; empty for a physical one. */
  readonly kind: string;
}

export interface InterfaceAddress {
  readonly index: number;
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array;
}

export type NetlinkMessage =
  | { readonly kind: 'link'; readonly link: Link }
  | { readonly kind: 'linkGone'; readonly index: number }
  | { readonly kind: 'address'; readonly address: InterfaceAddress }
  | { readonly kind: 'addressGone'; readonly address: InterfaceAddress }
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly code: number };

/** Request for all interfaces or all addresses; the answers carry `sequence` and end with `done`. */
export function dumpRequest(what: 'links' | 'addresses', sequence: number): Uint8Array {
  const body = what === 'links' ? 16 : 8;
  const bytes = new Uint8Array(HEADER + body);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, what === 'links' ? GET_LINK : GET_ADDRESS, true);
  view.setUint16(6, REQUEST_DUMP, true);
  view.setUint32(8, sequence, true);
  return bytes;
}

/**
 * Reads all messages of one datagram; kinds we do not know are left out, a cut one ends the list. The result
 * shares no memory with the datagram.
 */
export function parseNetlink(bytes: Uint8Array): NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: NetlinkMessage[] = [];
  for (let offset = 0; offset + HEADER <= bytes.length;) {
    const length = view.getUint32(offset, true);
    if (length < HEADER || offset + length > bytes.length) break;
    const message = parseMessage(
      view.getUint16(offset + 4, true),
      bytes.subarray(offset + HEADER, offset + length),
    );
    if (message !== undefined) messages.push(message);
    offset += (length + 3) & ~3;
  }
  return messages;
}

function parseMessage(type: number, body: Uint8Array): NetlinkMessage | undefined {
  switch (type) {
    case NLMSG_DONE:
      return { kind: 'done' };
    case NLMSG_ERROR:
      return body.length < 4 ? undefined : { kind: 'error', code: -viewOf(body).getInt32(0, true) };
    case NEW_LINK:
    case DEL_LINK:
      return parseLink(type, body);
    case NEW_ADDRESS:
    case DEL_ADDRESS:
      return parseAddressMessage(type, body);
    default:
      return undefined;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function parseLink(type: number, body: Uint8Array): NetlinkMessage | undefined {
  // A bridge reports its ports in its own address family; those say nothing about the interface itself.
  if (body.length < 16 || body[0] !== 0) return undefined;
  const view = viewOf(body);
  const index = view.getInt32(4, true);
  if (type === DEL_LINK) return { kind: 'linkGone', index };
  const attributes = parseAttributes(body.subarray(16));
  const info = parseAttributes(attributes.get(IFLA.linkInfo) ?? new Uint8Array());
  return {
    kind: 'link',
    link: {
      index,
      name: text(attributes.get(IFLA.name)),
      mac: new Uint8Array(attributes.get(IFLA.address) ?? []),
      flags: view.getUint32(8, true),
      master: uint32(attributes.get(IFLA.master)),
      slaveKind: text(info.get(INFO.slaveKind)),
      kind: text(info.get(INFO.kind)),
    },
  };
}

function parseAddressMessage(type: number, body: Uint8Array): NetlinkMessage | undefined {
  if (body.length < 8) return undefined;
  const attributes = parseAttributes(body.subarray(8));
  const bytes = new Uint8Array(attributes.get(IFA.local) ?? attributes.get(IFA.address) ?? []);
  if (bytes.length !== 4 && bytes.length !== 16) return undefined;
  const address = { index: viewOf(body).getUint32(4, true), bytes };
  return { kind: type === NEW_ADDRESS ? 'address' : 'addressGone', address };
}

function parseAttributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const view = viewOf(bytes);
  const attributes = new Map<number, Uint8Array>();
  for (let offset = 0; offset + 4 <= bytes.length;) {
    const length = view.getUint16(offset, true);
    if (length < 4 || offset + length > bytes.length) break;
    attributes.set(view.getUint16(offset + 2, true) & 0x3fff, bytes.subarray(offset + 4, offset + length));
    offset += (length + 3) & ~3;
  }
  return attributes;
}

function text(bytes: Uint8Array | undefined): string {
  let result = '';
  for (const byte of bytes ?? []) {
    if (byte === 0) break;
    result += String.fromCharCode(byte);
  }
  return result;
}

function uint32(bytes: Uint8Array | undefined): number {
  return bytes === undefined || bytes.length < 4 ? 0 : viewOf(bytes).getUint32(0, true);
}
