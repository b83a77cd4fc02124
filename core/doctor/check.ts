/** What a check of `metallb doctor` is: facts in, findings out. Facts that could not be read make it say so. */

export type Severity = 'error' | 'warning';

/** Something that keeps addresses from working, or may. */
export interface Finding {
  readonly severity: Severity;
  /** `Kind namespace/name`, `Node name`, or `host` for what the machine itself says. */
  readonly object: string;
  readonly field: string;
  readonly message: string;
  readonly remedy: string;
}

/** A fact, or why it is not known. */
export type Read<T> = { readonly value: T } | { readonly unread: string };

export type Gathered<F> = { readonly [K in keyof F]: Read<F[K]> };

export interface Check<F> {
  /** Stable; what -o json and the documentation call it. */
  readonly id: string;
  /** What is true when nothing is found. */
  readonly fine: string;
  /** Facts without which nothing can be said. */
  readonly needs: readonly (keyof F)[];
  readonly run: (facts: F) => readonly Finding[] | { readonly unknown: string };
}

/** `unknown`: a fact it needs could not be read. */
export interface Result {
  readonly id: string;
  readonly outcome: 'fine' | 'found' | 'unknown';
  /** What is fine, or why it is not known. */
  readonly text: string;
  readonly findings: readonly Finding[];
}

/**
 * Runs the checks. `nothing` stands in for facts that could not be read, so that a check which does not need them
 * sees an empty list.
 */
export function examine<F extends object>(
  checks: readonly Check<F>[],
  gathered: Gathered<F>,
  nothing: F,
): Result[] {
  const facts = { ...nothing };
  for (const name of keysOf(gathered)) {
    const read = gathered[name];
    if ('value' in read) facts[name] = read.value;
  }
  return checks.map(({ id, fine, needs, run }): Result => {
    const missing = needs.flatMap((name) => {
      const read = gathered[name];
      return 'unread' in read ? [read.unread] : [];
    });
    if (missing.length > 0) {
      const text = [...new Set(missing)].join('; ');
      return { id, outcome: 'unknown', text, findings: [] };
    }
    const findings = run(facts);
    if ('unknown' in findings) return { id, outcome: 'unknown', text: findings.unknown, findings: [] };
    return { id, outcome: findings.length > 0 ? 'found' : 'fine', text: fine, findings };
  });
}

function keysOf<F extends object>(gathered: Gathered<F>): (keyof F)[] {
  return Object.keys(gathered) as (keyof F)[];
}
