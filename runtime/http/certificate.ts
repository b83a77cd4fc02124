/**
 * Issues X.509 certificates (RFC 5280, ECDSA P-256 with SHA-256), which node:crypto cannot: the self-signed one of
 * the metrics server, and a CA with server certificates for webhooks.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import {
  bits,
  boolean,
  explicit,
  implicit,
  integer,
  octets,
  oid,
  sequence,
  setOf,
  time,
  utf8,
} from './der.ts';

/** Certificate and private key (PKCS #8), both PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  readonly organization?: string;
  /** DNS names and IP addresses the certificate is good for. */
  readonly hosts: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** A certificate authority instead of a server. */
  readonly ca?: boolean;
  /** Who signs; absent: the certificate itself. `name` is the issuer's subject. */
  readonly issuer?: CertificatePair & {
    readonly name: Pick<CertificateRequest, 'commonName' | 'organization'>;
  };
}

const ids = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKey: '2.5.29.14',
  keyUsage: '2.5.29.15',
  altName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKey: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
};

/** Makes a key and a certificate for it. */
export function issueCertificate(request: CertificateRequest): CertificatePair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuerKey = request.issuer === undefined ? privateKey : createPrivateKey(request.issuer.key);
  const algorithm = sequence(oid(ids.ecdsaWithSha256));
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))), // version 3
    integer(serial()),
    algorithm,
    name(request.issuer?.name ?? request),
    sequence(time(request.notBefore), time(request.notAfter)),
    name(request),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions(request, publicKey, createPublicKey(issuerKey)))),
  );
  const signature = sign('sha256', body, { key: issuerKey, dsaEncoding: 'der' });
  return {
    cert: pem('CERTIFICATE', sequence(body, algorithm, bits(signature))),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** A server certificate signed by itself, valid from an hour ago (clock skew) for `days`. */
export function selfSigned(commonName: string, hosts: readonly string[], days = 365): CertificatePair {
  const hour = 3_600_000;
  const notBefore = new Date(Date.now() - hour);
  const notAfter = new Date(Date.now() + days * 24 * hour);
  return issueCertificate({ commonName, hosts, notBefore, notAfter });
}

/** 127 random bits, never zero (RFC 5280 §4.1.2.2). */
function serial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function name(subject: Pick<CertificateRequest, 'commonName' | 'organization'>): Buffer {
  const part = (id: string, text: string) => setOf(sequence(oid(id), utf8(text)));
  const organization =
    subject.organization === undefined ? [] : [part(ids.organization, subject.organization)];
  return sequence(...organization, part(ids.commonName, subject.commonName));
}

function extensions(request: CertificateRequest, subject: KeyObject, issuer: KeyObject): Buffer[] {
  const ca = request.ca === true;
  // Key usage bits: CA keyCertSign (5) and cRLSign (6); server digitalSignature (0).
  const usage = ca ? bits(Buffer.from([0x06]), 1) : bits(Buffer.from([0x80]), 7);
  return [
    extension(ids.basicConstraints, true, ca ? sequence(boolean(true)) : sequence()),
    extension(ids.keyUsage, true, usage),
    ...(ca ? [] : [extension(ids.extendedKeyUsage, false, sequence(oid(ids.serverAuth)))]),
    extension(ids.subjectKey, false, octets(keyId(subject))),
    extension(ids.authorityKey, false, sequence(implicit(0, keyId(issuer)))),
    ...(request.hosts.length === 0
      ? []
      : [extension(ids.altName, false, sequence(...request.hosts.map(altName)))]),
  ];
}

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
}

/** RFC 5280 §4.2.1.6: iPAddress [7] or dNSName [2]. */
function altName(host: string): Buffer {
  return isIP(host) === 0 ? implicit(2, Buffer.from(host, 'ascii')) : implicit(7, addressBytes(host));
}

function addressBytes(host: string): Buffer {
  if (isIP(host) === 4) return Buffer.from(host.split('.').map(Number));
  const { address } = new SocketAddress({ address: host, family: 'ipv6' });
  const [left = '', right] = address.split('::');
  const groups = (text: string | undefined) => (text === undefined || text === '' ? [] : text.split(':'));
  const head = groups(left);
  const tail = groups(right);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const bytes = Buffer.alloc(16);
  [...head, ...(right === undefined ? [] : zeros), ...tail].forEach((group, index) =>
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2),
  );
  return bytes;
}

/** A name for a key: the first 20 bytes of its SHA-256 (RFC 7093 §2). */
function keyId(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
