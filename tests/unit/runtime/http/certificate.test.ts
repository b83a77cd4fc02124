import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { issueCertificate, selfSigned } from '#runtime/http/certificate.ts';
import { integer, oid, sequence, time } from '#runtime/http/der.ts';

const year = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2027-01-01T00:00:00Z') };

describe('certificate', () => {
  it('is valid for its hosts, now, and signed by itself', () => {
    const { cert } = selfSigned('localhost', ['localhost', '127.0.0.1', '::1', '2001:db8::a:0:1']);
    const parsed = new X509Certificate(cert);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkHost('localhost')).toBe('localhost');
    expect(parsed.checkHost('example.com')).toBeUndefined();
    for (const ip of ['127.0.0.1', '::1', '2001:db8::a:0:1']) expect(parsed.checkIP(ip)).toBe(ip);
    expect(new Date(parsed.validFrom).getTime()).toBeLessThan(Date.now());
    expect(new Date(parsed.validTo).getTime()).toBeGreaterThan(Date.now() + 300 * 86_400_000);
    expect(parsed.ca).toBe(false);
  });

  it('chains to a CA', () => {
    const name = { commonName: 'cert', organization: 'metallb' };
    const ca = issueCertificate({ ...name, hosts: [], ca: true, ...year });
    const hosts = ['metallb-webhook-service.metallb-system.svc'];
    const server = issueCertificate({ commonName: 'server', hosts, ...year, issuer: { ...ca, name } });
    const authority = new X509Certificate(ca.cert);
    const parsed = new X509Certificate(server.cert);
    expect(authority.ca).toBe(true);
    expect(parsed.checkIssued(authority)).toBe(true);
    expect(parsed.verify(authority.publicKey)).toBe(true);
    expect(parsed.issuer).toBe('O=metallb\nCN=cert');
    expect(parsed.validTo).toBe('Jan  1 00:00:00 2027 GMT');
  });

  it('never repeats a serial number', () => {
    const serials = Array.from({ length: 20 }, () => {
      const { cert } = issueCertificate({ commonName: 'x', hosts: [], ...year });
      return new X509Certificate(cert).serialNumber;
    });
    expect(new Set(serials).size).toBe(20);
  });

  it('holds many names (lengths beyond one byte)', () => {
    const hosts = Array.from({ length: 100 }, (_, index) => `host-${index}.example.com`);
    const parsed = new X509Certificate(issueCertificate({ commonName: 'x', hosts, ...year }).cert);
    for (const host of hosts) expect(parsed.checkHost(host)).toBe(host);
  });
});

describe('DER', () => {
  it('writes whole numbers as positive and shortest', () => {
    expect(integer(Buffer.from([0, 0, 0x7f])).toString('hex')).toBe('02017f');
    expect(integer(Buffer.from([0x80])).toString('hex')).toBe('02020080');
    expect(integer(Buffer.from([0])).toString('hex')).toBe('020100');
  });

  it('writes object identifiers in base 128', () => {
    expect(oid('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302');
  });

  it('writes times of this half of the century in two digits', () => {
    expect(time(new Date('2049-12-31T23:59:59Z')).toString('latin1')).toContain('491231235959Z');
    expect(time(new Date('2050-01-01T00:00:00Z')).toString('latin1')).toContain('20500101000000Z');
  });

  it('prefixes every content with its length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70_000 }), (size) => {
        const encoded = sequence(Buffer.alloc(size));
        const first = encoded[1]!;
        const digits = first < 0x80 ? 0 : first & 0x7f;
        const length = digits === 0 ? first : encoded.readUIntBE(2, digits);
        expect(length).toBe(size);
        expect(encoded.length).toBe(2 + digits + size);
      }),
    );
  });
});
