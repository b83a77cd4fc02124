/**
 * Settings from flags and environment, declared once per program. Flags are Go's: `-name=value`, `--name value`,
 * a boolean alone means true. A flag wins over the environment, both over the default. All problems are reported
 * at once (SettingsError).
 */
import * as z from 'zod';
import { SettingsError } from '#core/errors.ts';

export interface Option<T> {
  /** Without dashes. Absent: environment only. */
  readonly flag?: string;
  readonly env?: string;
  /** From the text to the value; `undefined` in means: not given. */
  readonly schema: z.ZodType<T, string | undefined>;
  /** The text for `--help` and the docs table. */
  readonly default: string;
  readonly help: string;
  /** Shown as [redacted] in the log. */
  readonly secret: boolean;
  /** A flag of this option may stand without a value. */
  readonly boolean: boolean;
}

export type Options = Readonly<Record<string, Option<unknown>>>;
export type SettingsOf<S extends Options> = {
  readonly [K in keyof S]: S[K] extends Option<infer T> ? T : never;
};

interface Naming {
  readonly flag?: string;
  readonly env?: string;
  readonly help: string;
  readonly secret?: boolean;
}

function option<T>(naming: Naming, text: string, schema: z.ZodType<T, string | undefined>): Option<T> {
  return { secret: false, boolean: false, ...naming, default: text, schema };
}

/** Any text; without `default` it is the empty text. */
export function text(naming: Naming & { default?: string }): Option<string> {
  const fallback = naming.default ?? '';
  return option(
    naming,
    fallback,
    z
      .string()
      .optional()
      .transform((value) => value ?? fallback),
  );
}

/** A text that must be given and not empty. */
export function required(naming: Naming): Option<string> {
  const schema = z.string({ error: 'must be given' }).min(1, 'must not be empty');
  return option(naming, '', schema as unknown as z.ZodType<string, string | undefined>);
}

export function integer(naming: Naming & { default: number; min?: number; max?: number }): Option<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = naming;
  const schema = z
    .string()
    .optional()
    .transform((value) =>
      value === undefined ? naming.default : /^-?\d+$/.test(value) ? Number(value) : NaN,
    )
    .refine((value) => Number.isInteger(value) && value >= min && value <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    });
  return option(naming, String(naming.default), schema);
}

/** A TCP or UDP port; 0 where the program says that 0 switches something off. */
export function port(naming: Naming & { default: number }): Option<number> {
  return integer({ ...naming, min: 0, max: 65_535 });
}

export function boolean(naming: Naming & { default: boolean }): Option<boolean> {
  const schema = z
    .string()
    .optional()
    .transform((value) => (value === undefined ? naming.default : booleanTexts.get(value.toLowerCase())))
    .refine((value) => value !== undefined, { error: 'must be true or false' });
  return {
    ...option(naming, String(naming.default), schema as z.ZodType<boolean, string | undefined>),
    boolean: true,
  };
}

/** What Go's strconv.ParseBool takes. */
const booleanTexts = new Map([
  ...['1', 't', 'true'].map((value) => [value, true] as const),
  ...['0', 'f', 'false'].map((value) => [value, false] as const),
]);

export function choice<const C extends string>(
  naming: Naming & { choices: readonly C[]; default: NoInfer<C> },
): Option<C> {
  const schema = z
    .string()
    .optional()
    .transform((value) => (value === undefined ? naming.default : value))
    .refine((value) => (naming.choices as readonly string[]).includes(value), {
      error: `must be one of ${naming.choices.join(', ')}`,
    });
  return option(naming, naming.default, schema as unknown as z.ZodType<C, string | undefined>);
}

/** Comma-separated texts. */
export function list(naming: Naming & { default?: readonly string[] }): Option<readonly string[]> {
  const fallback = naming.default ?? [];
  const schema = z
    .string()
    .optional()
    .transform((value) =>
      value === undefined
        ? fallback
        : value
            .split(',')
            .map((item) => item.trim())
            .filter((item) => item !== ''),
    );
  return option(naming, fallback.join(','), schema);
}

/** A time as Go writes it (`1m30s`, `500ms`); the value is in milliseconds. */
export function duration(naming: Naming & { default: string }): Option<number> {
  const schema = z
    .string()
    .optional()
    .transform((value) => parseDuration(value ?? naming.default))
    .refine((value) => value !== undefined, { error: 'must be a duration like 500ms, 10s or 1m30s' });
  return option(naming, naming.default, schema as z.ZodType<number, string | undefined>);
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds, or undefined when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  }
  return total;
}

/** The settings, frozen. Throws SettingsError with every problem. */
export function parseSettings<S extends Options>(
  options: S,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): SettingsOf<S> {
  const { flags, problems } = parseFlags(options, argv);
  const settings: Record<string, unknown> = {};
  for (const [key, declared] of Object.entries(options)) {
    const flag = declared.flag === undefined ? undefined : flags.get(declared.flag);
    const given = flag ?? fromEnvironment(declared, env);
    const result = declared.schema.safeParse(given);
    if (result.success) settings[key] = result.data;
    else problems.push(...result.error.issues.map((issue) => describe(declared, given, issue.message)));
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.freeze(settings) as SettingsOf<S>;
}

/** A variable set to nothing counts as not set, as usual in pod templates. */
function fromEnvironment(
  declared: Option<unknown>,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const value = declared.env === undefined ? undefined : env[declared.env];
  return value === '' ? undefined : value;
}

function describe(declared: Option<unknown>, given: string | undefined, message: string): string {
  const name = namesOf(declared);
  const shown = given === undefined || declared.secret ? '' : ` ${JSON.stringify(given)}:`;
  return `${name}:${shown} ${message}`;
}

function namesOf(declared: Option<unknown>): string {
  const flag = declared.flag === undefined ? [] : [`--${declared.flag}`];
  const env = declared.env === undefined ? [] : [`$${declared.env}`];
  return [...flag, ...env].join(' / ');
}

function parseFlags(
  options: Options,
  argv: readonly string[],
): { flags: Map<string, string>; problems: string[] } {
  const declared = new Map<string, Option<unknown>>();
  for (const one of Object.values(options)) if (one.flag !== undefined) declared.set(one.flag, one);
  const flags = new Map<string, string>();
  const problems: string[] = [];
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const match = /^--?([a-z0-9][a-z0-9-]*)(?:=(.*))?$/is.exec(word);
    const [, name = '', inline] = match ?? [];
    const known = declared.get(name);
    if (match === null) problems.push(`${JSON.stringify(word)}: not a flag`);
    else if (known === undefined) problems.push(`--${name}: unknown flag`);
    else if (inline !== undefined) flags.set(name, inline);
    else if (known.boolean) flags.set(name, 'true');
    else if (rest.length === 0) problems.push(`--${name}: needs a value`);
    else flags.set(name, rest.shift() ?? '');
  }
  return { flags, problems };
}

/** Asked for `--help`, `-help` or `-h`? */
export function wantsHelp(argv: readonly string[]): boolean {
  return argv.some((word) => ['--help', '-help', '-h'].includes(word));
}

/** The text of `--help`: one entry per option, in the order of declaration. */
export function helpText(program: string, options: Options): string {
  const entries = Object.values(options).map((declared) => {
    const fallback = declared.default === '' ? '' : ` (default ${declared.default})`;
    return `  ${namesOf(declared)}\n        ${declared.help}${fallback}\n`;
  });
  return `Usage of ${program}:\n${entries.join('')}`;
}

/** The settings for the log: secrets replaced. */
export function loggable<S extends Options>(options: S, settings: SettingsOf<S>): Record<string, unknown> {
  const entries = Object.entries(settings).map(([key, value]) => {
    const hidden = options[key]?.secret === true && value !== '';
    return [key, hidden ? '[redacted]' : value];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}
