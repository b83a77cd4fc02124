/** Authentication of the mesh's packets: a tag over each, with a key all speakers have. */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

const TAG_LENGTH = 16;
const PURPOSE = 'metallb-ts members 1';

export interface Seal {
  /** The bytes and a tag (HMAC-SHA-256, 16 bytes). */
  close(bytes: Uint8Array): Buffer;
  /** The bytes without their tag; undefined when the tag is not right. */
  open(packet: Buffer): Buffer | undefined;
}

/** `secret`: the text under `secretkey` in the Secret; the key is derived from it (HKDF-SHA-256). Empty: no protection. */
export function sealWith(secret: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', PURPOSE, 32));
  const tag = (bytes: Uint8Array): Buffer =>
    createHmac('sha256', key).update(bytes).digest().subarray(0, TAG_LENGTH);
  return {
    close: (bytes) => Buffer.concat([bytes, tag(bytes)]),
    open: (packet) => {
      const end = packet.length - TAG_LENGTH;
      if (end <= 0) return undefined;
      const bytes = packet.subarray(0, end);
      return timingSafeEqual(tag(bytes), packet.subarray(end)) ? bytes : undefined;
    },
  };
}
