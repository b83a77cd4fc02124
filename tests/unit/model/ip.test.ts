import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cidrRange,
  formatAddress,
  formatCidr,
  parseAddress,
  parseCidr,
  rangeCidrs,
  type IpAddress,
} from '#core/model/ip.ts';

const anyAddress = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value): IpAddress => ({ family: 'ipv4', value })),
  fc
    .bigInt({ min: 0n, max: (1n << 128n) - 1n })
    .filter((value) => value >> 32n !== 0xffffn)
    .map((value): IpAddress => ({ family: 'ipv6', value })),
);

describe('addresses', () => {
  it('parse what they print', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        expect(parseAddress(formatAddress(address))).toEqual(address);
      }),
    );
  });

  it.each([
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1', '2001:db8::1'],
    ['::', '::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('%s is printed as %s (RFC 5952, controller.md §10)', (text, canonical) => {
    const address = parseAddress(text);
    expect(address && formatAddress(address)).toBe(canonical);
  });

  it.each([
    '',
    ' 192.0.2.1',
    '192.0.2.1 ',
    '192.0.02.1',
    '192.0.2',
    '256.0.0.1',
    '1.2.3.4.5',
    '192.0.2.1.',
    'fe80::1%eth0',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    '::1.2.3',
    'example',
  ])('refuses %j (controller.md 142)', (text) => expect(parseAddress(text)).toBeUndefined());
});

describe('prefixes and ranges', () => {
  it.each([
    ['192.0.2.9/24', '192.0.2.0/24'],
    ['10.0.0.0/024', '10.0.0.0/24'],
    ['2001:db8::ff/120', '2001:db8::/120'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
  ])('%s is %s (controller.md 141)', (text, canonical) => {
    const cidr = parseCidr(text);
    expect(cidr && formatCidr(cidr)).toBe(canonical);
  });

  it.each([
    '192.0.2.1',
    '192.0.2.0/33',
    '2001:db8::/129',
    '192.0.2.0/-1',
    ' 192.0.2.0/24',
    '192.0.2.0/',
    '/24',
  ])('refuses %j (controller.md 142)', (text) => expect(parseCidr(text)).toBeUndefined());

  it('a range becomes the fewest ascending prefixes (controller.md §3.2)', () => {
    const value = (text: string): bigint => parseAddress(text)?.value ?? -1n;
    const range = { family: 'ipv4', first: value('192.0.2.240'), last: value('192.0.2.250') } as const;
    expect(rangeCidrs(range).map(formatCidr)).toEqual(['192.0.2.240/29', '192.0.2.248/31', '192.0.2.250/32']);
  });

  it('prefixes cover a range exactly, without gap or overlap', () => {
    const v4 = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n });
    fc.assert(
      fc.property(v4, v4, (a, b) => {
        const range = { family: 'ipv4', first: a < b ? a : b, last: a < b ? b : a } as const;
        let next = range.first;
        for (const part of rangeCidrs(range).map(cidrRange)) {
          expect(part.first).toBe(next);
          next = part.last + 1n;
        }
        expect(next).toBe(range.last + 1n);
      }),
    );
  });
});
