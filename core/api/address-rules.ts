/**
 * Texts that hold addresses, and what the API server itself can say about them (CEL libraries `ip` and `cidr`,
 * Kubernetes 1.31). The rules refuse nothing that core/model/ip.ts can read: IPv4-mapped forms and a prefix length with a
 * leading zero are unknown to CEL and left to compile, like everything that compares two addresses.
 */
import * as z from 'zod';
import { cel } from '#core/api/fields.ts';

/** Longest text of one entry: two IPv6 addresses in full, and room for blanks. */
const ENTRY_LENGTH = 100;
/** Bounds the cost of the rules; with twice as many the API server would not take the CRD. */
const ENTRIES = 10_000;
/** How an IPv4-mapped IPv6 address is known, in every spelling. */
const MAPPED = "self.lowerAscii().contains('ffff:')";

const first = "self.substring(0, self.indexOf('-')).trim()";
const last = "self.substring(self.indexOf('-') + 1).trim()";
const twoAddresses = `isIP(${first}) && isIP(${last})`;
const oneFamily = `ip(${first}).family() == ip(${last}).family()`;
const quoted = (before: string, after: string): string => `'${before} "' + self + '"${after}'`;

const RANGE_REMEDY = 'write the first and the last address, such as 192.0.2.10-192.0.2.20';

/** POOL-4, as far as it looks at one end at a time; which end comes first is for compile to say. */
const RANGE = [
  {
    rule: `!self.contains('-') || ${MAPPED} || (${twoAddresses})`,
    message: `invalid IP range: ${RANGE_REMEDY}`,
    messageExpression: quoted('invalid IP range', `: an end is not an IP address; ${RANGE_REMEDY}`),
  },
  {
    rule: `!self.contains('-') || ${MAPPED} || !(${twoAddresses}) || ${oneFamily}`,
    message: 'invalid IP range: start and end are of different families',
    messageExpression: quoted('invalid IP range', ': start and end are of different families'),
  },
] as const;

/** A prefix; a length with a leading zero is let through. */
const PREFIX = "self.contains('/0') || isCIDR(self)";
const CIDR_REMEDY = 'write a prefix such as 192.0.2.0/24, or 192.0.2.1/32 for one address';

/** List of prefixes and ranges: `spec.addresses` of a pool (POOL-3, POOL-4). */
export const prefixesAndRanges = () =>
  z
    .array(
      z
        .string()
        .max(ENTRY_LENGTH)
        .meta(
          cel(
            {
              rule: `self.contains('-') || ${PREFIX} || ${MAPPED}`,
              message: `invalid CIDR: ${CIDR_REMEDY}`,
              messageExpression: quoted('invalid CIDR', ` in pool: ${CIDR_REMEDY}`),
            },
            ...RANGE,
          ),
        ),
    )
    .max(ENTRIES);

/** List of addresses, prefixes and ranges: `spec.excludedAddresses` of a pool (POOL-14, one code for all that is wrong). */
export const addressesPrefixesAndRanges = () =>
  z
    .array(
      z
        .string()
        .max(ENTRY_LENGTH)
        .meta(
          cel({
            rule: `${MAPPED} || (self.contains('-') && ${twoAddresses} && ${oneFamily}) || ${PREFIX} || isIP(self)`,
            message: 'invalid entry in excludedAddresses: write an address, a prefix or a range',
            messageExpression: quoted(
              'invalid entry',
              ' in excludedAddresses: write an address, a prefix or a range',
            ),
          }),
        ),
    )
    .max(ENTRIES);

/** An address; empty counts as not set (PEER-12). */
export const sourceAddress = () =>
  z
    .string()
    .meta(
      cel({
        rule: `self == '' || ${MAPPED} || isIP(self)`,
        message: 'invalid source address: write an IP address of the node, without prefix length',
      }),
    );

/** A BGP identifier: IPv4; empty counts as not set (PEER-11). */
export const routerId = () =>
  z
    .string()
    .meta(
      cel({
        rule: `self == '' || ${MAPPED} || (isIP(self) && ip(self).family() == 4)`,
        message: 'invalid router ID: write an IPv4 address, a BGP identifier has 32 bits',
      }),
    );
