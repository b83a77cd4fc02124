/**
 * As much of BGP-4 (RFC 4271) as a peer needs that takes IPv4 routes and announces nothing: messages out of a
 * stream, the prefixes of an UPDATE, and the two messages it sends itself.
 */

const HEADER = 19;
const MARKER = Buffer.alloc(16, 0xff);

export const messageType = { open: 1, update: 2, notification: 3, keepalive: 4, routeRefresh: 5 } as const;

export interface WireMessage {
  /** One of `messageType`. */
  readonly type: number;
  /** What follows the header. */
  readonly body: Buffer;
}

function message(type: number, body: Buffer): Buffer {
  const length = Buffer.alloc(3);
  length.writeUInt16BE(HEADER + body.length);
  length.writeUInt8(type, 2);
  return Buffer.concat([MARKER, length, body]);
}

/** KEEPALIVE (RFC 4271 §4.4). */
export const keepalive: Buffer = message(messageType.keepalive, Buffer.alloc(0));

/** OPEN (RFC 4271 §4.2) with IPv4 unicast (RFC 4760), route refresh (RFC 2918) and four-byte AS numbers (RFC 6793). */
export function openMessage({ asn, routerId }: { asn: number; routerId: string }): Buffer {
  const capabilities = Buffer.from([1, 4, 0, 1, 0, 1, 2, 0, 65, 4, 0, 0, 0, 0]);
  capabilities.writeUInt32BE(asn, capabilities.length - 4);
  const fixed = Buffer.alloc(12);
  fixed.writeUInt8(4, 0);
  fixed.writeUInt16BE(asn > 0xffff ? 23_456 : asn, 1);
  fixed.writeUInt16BE(180, 3);
  for (const [at, part] of routerId.split('.').entries()) fixed.writeUInt8(Number(part), 5 + at);
  fixed.writeUInt8(2 + capabilities.length, 9);
  fixed.writeUInt8(2, 10);
  fixed.writeUInt8(capabilities.length, 11);
  return message(messageType.open, Buffer.concat([fixed, capabilities]));
}

/** Cuts a stream into messages; what is incomplete is kept for the next chunk. Throws on a header that is none. */
export class MessageReader {
  #rest = Buffer.alloc(0);

  push(chunk: Buffer): WireMessage[] {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: WireMessage[] = [];
    while (data.length >= HEADER) {
      if (!data.subarray(0, 16).equals(MARKER)) throw new Error('no marker where a message begins');
      const length = data.readUInt16BE(16);
      if (length < HEADER) throw new Error(`a message of ${length} bytes`);
      if (data.length < length) break;
      messages.push({ type: data.readUInt8(18), body: data.subarray(HEADER, length) });
      data = data.subarray(length);
    }
    this.#rest = Buffer.from(data);
    return messages;
  }
}

export interface UpdatePrefixes {
  readonly announced: readonly string[];
  readonly withdrawn: readonly string[];
}

/** The IPv4 prefixes of an UPDATE (RFC 4271 §4.3), as `192.0.2.0/24`. */
export function updatePrefixes(body: Buffer): UpdatePrefixes {
  const withdrawnEnd = 2 + body.readUInt16BE(0);
  const attributesEnd = withdrawnEnd + 2 + body.readUInt16BE(withdrawnEnd);
  return {
    withdrawn: prefixes(body.subarray(2, withdrawnEnd)),
    announced: prefixes(body.subarray(attributesEnd)),
  };
}

function prefixes(data: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < data.length;) {
    const length = data.readUInt8(at);
    const bytes = Math.ceil(length / 8);
    const parts = [0, 1, 2, 3].map((part) => (part < bytes ? data.readUInt8(at + 1 + part) : 0));
    found.push(`${parts.join('.')}/${length}`);
    at += 1 + bytes;
  }
  return found;
}
