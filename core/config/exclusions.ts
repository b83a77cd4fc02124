/**
 * `spec.excludedAddresses` of IPAddressPools: addresses of a pool that are never handed out. Rules POOL-14 to
 * POOL-16 (ours): an entry must be readable; one that takes nothing away, and a list that leaves nothing, are
 * probably not meant.
 */
import { parseEntry } from '#core/config/pool-entry.ts';
import type { Finding } from '#core/config/problems.ts';
import { usableRanges } from '#core/model/exclusions.ts';
import type { Pool, PoolExclusion } from '#core/model/config.ts';
import { parseAddress, rangesMeet } from '#core/model/ip.ts';

/** The entries as ranges; a single address may stand without its length. */
export function compileExclusions(texts: readonly string[]): {
  excluded: PoolExclusion[];
  findings: Finding[];
} {
  const excluded: PoolExclusion[] = [];
  const findings: Finding[] = [];
  for (const [index, text] of texts.entries()) {
    const single = parseAddress(text);
    if (single !== undefined) {
      excluded.push({ text, range: { family: single.family, first: single.value, last: single.value } });
      continue;
    }
    const entry = parseEntry(text);
    if ('range' in entry) excluded.push({ text, range: entry.range });
    else findings.push(unreadable(text, `spec.excludedAddresses[${index}]`));
  }
  return { excluded, findings };
}

function unreadable(text: string, field: string): Finding {
  return {
    code: 'POOL-14',
    field,
    message: `invalid entry ${JSON.stringify(text)} in excludedAddresses`,
    remedy:
      'Write an address such as 192.0.2.1, a prefix such as 192.0.2.0/28 or a range such as 192.0.2.10-192.0.2.20.',
  };
}

/** POOL-15 and POOL-16, both warnings: the pool is used as it is written. */
export function exclusionWarnings({ entries, excluded }: Pool): Finding[] {
  const idle = excluded.flatMap(({ text, range }, index): Finding[] => {
    if (entries.some((entry) => rangesMeet(entry.range, range))) return [];
    return [
      {
        code: 'POOL-15',
        field: `spec.excludedAddresses[${index}]`,
        message: `${text} excludes nothing: no address of it is in the pool`,
        remedy: 'Correct the entry, or remove it.',
      },
    ];
  });
  const left = entries.some(({ range }) => usableRanges(range, excluded).length > 0);
  if (left || excluded.length === 0 || entries.length === 0) return idle;
  return [
    ...idle,
    {
      code: 'POOL-16',
      field: 'spec.excludedAddresses',
      message: 'every address of the pool is excluded: no Service can get one from it',
      remedy: 'Exclude fewer addresses, or delete the pool if that is meant.',
    },
  ];
}
