/** Shapes that several kinds share (api.md §3). */
import * as z from 'zod';

export interface CelRule {
  readonly rule: string;
  /** What the user reads, in the documentation too. */
  readonly message: string;
  /** The same with the value in it; where it cannot be worked out, `message` stands. */
  readonly messageExpression?: string;
}

/** CEL rules beside the field they guard. */
export function cel(...rules: readonly CelRule[]) {
  return { 'x-kubernetes-validations': rules };
}

/** `format: int32`; without bounds the API server still holds it to 32 bits, signed. */
export const int32 = () => z.int32().meta({ format: 'int32' });

/** `format: int64` for values that stay below 2^53 (AS numbers, counters). */
export const int64 = () => z.int().meta({ format: 'int64' });

/** `format: int64` over the whole range: beyond 2^53 the value is a bigint, since a number cannot hold it. */
export const bigInt64 = () =>
  z
    .any()
    .refine((value) => typeof value === 'bigint' || Number.isSafeInteger(value), 'expected an integer')
    .meta({ type: 'integer', format: 'int64' }) as unknown as z.ZodType<bigint | number>;

/** A list that server-side apply replaces as a whole. */
export const atomicList = <T extends z.ZodType>(items: T) =>
  z.array(items).meta({ 'x-kubernetes-list-type': 'atomic' });

/** Duration text of Go, such as `90s` or `1m30s`; parsed by core/model/duration.ts. */
export const duration = () => z.string();

const operator = (extra: string) =>
  z.string().describe(`How the label is compared: ${extra}In, NotIn, Exists or DoesNotExist.`);

const matchLabels = () =>
  z
    .record(z.string(), z.string())
    .optional()
    .describe('Labels that must be present with exactly these values; each pair is one more condition.');

/** The standard label selector (api.md §3.1): terms ANDed, `{}` selects everything. */
export const labelSelector = () =>
  z
    .object({
      matchLabels: matchLabels(),
      matchExpressions: atomicList(
        z.object({
          key: z.string().describe('Label that the condition looks at.'),
          operator: operator(''),
          values: atomicList(z.string())
            .optional()
            .describe(
              'Values to compare with: at least one for In and NotIn, none for Exists and DoesNotExist.',
            ),
        }),
      )
        .optional()
        .describe('Conditions on labels; all of them must hold.'),
    })
    .meta({ 'x-kubernetes-map-type': 'atomic' });

/** The node selector of BGPPeer v1beta1 (api.md §3.2): not atomic, and `values` is always required. */
export const legacyNodeSelector = () =>
  z.object({
    matchLabels: matchLabels(),
    matchExpressions: z
      .array(
        z.object({
          key: z.string().describe('Label that the condition looks at.'),
          operator: operator('one of '),
          values: z.array(z.string()).min(1).describe('Values to compare with; at least one.'),
        }),
      )
      .optional()
      .describe('Conditions on labels; all of them must hold.'),
  });

const CONDITION_TYPE =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/;

/** One condition of a status (api.md §3.4). */
export const condition = () =>
  z
    .object({
      type: z.string().max(316).regex(CONDITION_TYPE).describe('What the condition is about, in CamelCase.'),
      status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
      reason: z
        .string()
        .min(1)
        .max(1024)
        .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
        .describe('One word, for programs, that says why the status is what it is.'),
      message: z.string().max(32768).describe('The details, for people. May be empty.'),
      lastTransitionTime: z
        .string()
        .meta({ format: 'date-time' })
        .describe('When the status last changed from one value to another.'),
      observedGeneration: z
        .int()
        .min(0)
        .meta({ format: 'int64' })
        .optional()
        .describe('Generation of the object that the condition was worked out from.'),
    })
    .describe('One aspect of the state of the object.');
