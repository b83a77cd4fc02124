/** BGP communities: literals (api.md §4.3) and the aliases that Community objects give them (COM-1, COM-2). */
import type { Ingested } from '#core/api/ingest.ts';
import { byName, bySeniority, compareText } from '#core/config/order.ts';
import { problemsOf, type Finding } from '#core/config/problems.ts';
import type { BgpCommunity, Problem } from '#core/model/config.ts';

/** `format`: not a literal, so it may be the name of an alias. `value`: meant as a literal, and wrong. */
export type ParsedCommunity =
  | { readonly kind: 'ok'; readonly community: BgpCommunity }
  | { readonly kind: 'format' | 'value'; readonly message: string };

const MAX_STANDARD = 0xffffn;
const MAX_LARGE = 0xffffffffn;

/** Reads `a:b` (16 bits each) or `large:a:b:c` (32 bits each). */
export function parseCommunity(text: string): ParsedCommunity {
  const parts = text.split(':');
  if (parts.length === 2) return numbers(text, parts, { kind: 'standard', max: MAX_STANDARD });
  if (parts.length !== 4) return { kind: 'format', message: `invalid community format: ${text}` };
  if (parts[0] !== 'large')
    return {
      kind: 'value',
      message: `invalid community value: expected community to be of format large, got ${text}`,
    };
  return numbers(text, parts.slice(1), { kind: 'large', max: MAX_LARGE });
}

function numbers(
  text: string,
  sections: readonly string[],
  { kind, max }: { kind: BgpCommunity['kind']; max: bigint },
): ParsedCommunity {
  const bad = sections.find((section) => !/^\d{1,20}$/.test(section) || BigInt(section) > max);
  if (bad !== undefined)
    return {
      kind: 'value',
      message: `invalid community value: invalid section ${JSON.stringify(bad)} of community ${text}: it must be a number from 0 to ${max}`,
    };
  return { kind: 'ok', community: { kind, value: sections.map((section) => String(BigInt(section))).join(':') } };
}

/** Order: by kind (standard first), then by text. */
export function compareCommunities(a: BgpCommunity, b: BgpCommunity): number {
  return a.kind === b.kind ? compareText(a.value, b.value) : a.kind === 'standard' ? -1 : 1;
}

export type Aliases = ReadonlyMap<string, BgpCommunity>;

/**
 * Collects the aliases of all Community objects. A bad alias takes out itself; of two definitions of one name that
 * of the senior object stays.
 */
export function compileAliases(objects: readonly Ingested<'Community'>[]): {
  aliases: Aliases;
  problems: Problem[];
} {
  const owners = new Map<string, string>();
  const aliases = new Map<string, BgpCommunity>();
  const found = new Map<string, Finding[]>();
  for (const { metadata, spec } of [...objects].sort(bySeniority)) {
    const findings: Finding[] = [];
    for (const [index, { name = '', value = '' }] of (spec?.communities ?? []).entries()) {
      const field = `spec.communities[${index}]`;
      const parsed = parseCommunity(value);
      const owner = owners.get(name);
      owners.set(name, owner ?? metadata.name);
      if (parsed.kind !== 'ok') findings.push(badValue(name, parsed.message, `${field}.value`));
      if (owner !== undefined) findings.push(twice(name, owner, `${field}.name`));
      else if (parsed.kind === 'ok') aliases.set(name, parsed.community);
    }
    found.set(metadata.name, findings);
  }
  const problems = [...objects].sort(byName).flatMap(({ metadata }) => {
    const { name, namespace = '' } = metadata;
    return problemsOf({ kind: 'Community', namespace, name }, found.get(name) ?? []);
  });
  return { aliases, problems };
}

function badValue(alias: string, message: string, field: string): Finding {
  return {
    code: 'COM-1',
    field,
    message: `parsing community alias ${JSON.stringify(alias)}: ${message}`,
    remedy: 'Write two numbers up to 65535 as 65535:65282, or three as large:1:2:3.',
  };
}

function twice(alias: string, owner: string, field: string): Finding {
  return {
    code: 'COM-2',
    field,
    message: `duplicate definition of community ${JSON.stringify(alias)}: Community ${owner} defines it already`,
    remedy: 'Give the alias another name, or remove one of the two definitions.',
  };
}
