/** One entry of an IPAddressPool's lists of addresses: text to range. */
import type { Finding } from '#core/config/problems.ts';
import type { PoolEntry } from '#core/model/config.ts';
import { cidrRange, parseAddress, parseCidr, rangeCidrs } from '#core/model/ip.ts';

/** Parses one entry of `spec.addresses`: a prefix or a range (POOL-3, POOL-4). */
export function parseEntry(text: string): PoolEntry | Omit<Finding, 'field'> {
  const dash = text.indexOf('-');
  if (dash === -1) {
    const cidr = parseCidr(text);
    if (cidr !== undefined) return { text, range: cidrRange(cidr), cidrs: [cidr] };
    const bare = parseAddress(text);
    return {
      code: 'POOL-3',
      message: `invalid CIDR ${JSON.stringify(text)} in pool`,
      remedy:
        bare === undefined
          ? 'Write a prefix such as 192.0.2.0/24 or a range such as 192.0.2.10-192.0.2.20.'
          : `A single address needs its length: ${text}/${bare.family === 'ipv4' ? 32 : 128}.`,
    };
  }
  return parseRange(text, text.slice(0, dash).trim(), text.slice(dash + 1).trim());
}

function parseRange(text: string, from: string, to: string): PoolEntry | Omit<Finding, 'field'> {
  const invalid = (why: string): Omit<Finding, 'field'> => ({
    code: 'POOL-4',
    message: `invalid IP range ${JSON.stringify(text)}: ${why}`,
    remedy: 'Write the first and the last address of one family, such as 192.0.2.10-192.0.2.20.',
  });
  const first = parseAddress(from);
  const last = parseAddress(to);
  if (first === undefined) return invalid(`start ${JSON.stringify(from)} is not an IP address`);
  if (last === undefined) return invalid(`end ${JSON.stringify(to)} is not an IP address`);
  if (first.family !== last.family) return invalid('start and end are of different families');
  if (first.value > last.value) return invalid(`start ${from} is after end ${to}`);
  const range = { family: first.family, first: first.value, last: last.value };
  return { text, range, cidrs: rangeCidrs(range) };
}
