/** What is said of the configuration: each problem and warning once, in the log and as an Event on its object. */
import type { Problem } from '#core/model/config.ts';

export interface Telling {
  readonly level: 'error' | 'warn';
  /** The line of the log, and its fields. */
  readonly line: string;
  readonly fields: Readonly<Record<string, string>>;
  /** What the Event is about, without its uid. */
  readonly object: Problem['object'] & { readonly apiVersion: string };
  readonly event: { readonly type: 'Warning'; readonly reason: string; readonly message: string };
}

const API_VERSIONS: Readonly<Record<string, string>> = { BGPPeer: 'metallb.io/v1beta2', ConfigMap: 'v1' };

/** Remembers what was told, so that a state that lasts is told once, and again only when it comes back. */
export class Tellings {
  #told: ReadonlySet<string> = new Set();

  /** What was not told of before; whatever is in neither list any more is forgotten. */
  news(problems: readonly Problem[], warnings: readonly Problem[]): readonly Telling[] {
    const before = this.#told;
    const now = new Map([
      ...warnings.map((warning) => [identity(warning), telling(warning, 'warn')] as const),
      ...problems.map((problem) => [identity(problem), telling(problem, 'error')] as const),
    ]);
    this.#told = new Set(now.keys());
    return [...now].filter(([id]) => !before.has(id)).map(([, each]) => each);
  }
}

function identity({ object, field, message }: Problem): string {
  return JSON.stringify([object, field, message]);
}

function telling({ code, object, field, message, remedy }: Problem, level: Telling['level']): Telling {
  const [line, reason] =
    level === 'error'
      ? ['configuration problem', 'ConfigurationError']
      : ['configuration warning', 'ConfigurationWarning'];
  return {
    level,
    line,
    fields: { ...object, field, code, problem: message, remedy },
    object: { apiVersion: API_VERSIONS[object.kind] ?? 'metallb.io/v1beta1', ...object },
    event: { type: 'Warning', reason, message: `${field}: ${message}. ${remedy}` },
  };
}
