/** Building blocks of problems: what a rule finds, before it is known whose object it is. */
import type { Problem } from '#core/model/config.ts';

export type ObjectRef = Problem['object'];

/** What a rule has to say. Without `summary`, object and message stand in ConfigurationState. */
export interface Finding {
  readonly code: string;
  readonly field: string;
  readonly message: string;
  readonly remedy: string;
  readonly summary?: string;
}

/** The findings as problems of one object. */
export function problemsOf(object: ObjectRef, findings: readonly Finding[]): Problem[] {
  const who = `${object.kind} ${object.name}`;
  return findings.map((finding) => ({ summary: `${who}: ${finding.message}`, ...finding, object }));
}

/** One finding for each entry that occurred before, or none. */
export function duplicates(list: readonly string[], code: string, field: string): Finding[] {
  const seen = new Set<string>();
  return list.flatMap((entry, index) => {
    if (!seen.has(entry)) {
      seen.add(entry);
      return [];
    }
    return [
      {
        code,
        field: `${field}[${index}]`,
        message: `duplicate ${JSON.stringify(entry)} in ${field}`,
        remedy: 'Remove one of the two entries.',
      },
    ];
  });
}

/**
 * True for a reference that an object to come may fulfil: a peer's Secret or BFD profile, a community alias. Text
 * with a colon is no alias; that is a community which nothing can put right.
 */
export function isOpenReference({ code, message }: Problem): boolean {
  if (code === 'ADB-12') return !/^invalid community "[^"]*:/.test(message);
  return code === 'PEER-16' || code === 'PEER-19';
}
