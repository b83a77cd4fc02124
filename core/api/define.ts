/**
 * How a kind is declared: one zod object per version is the single source of the CRD, of the TypeScript type,
 * of validation at run time and of the documentation. Only input shapes: no transforms here, text becomes
 * values in core/config.
 */
import * as z from 'zod';
import { condition } from '#core/api/fields.ts';
import { METALLB_GROUP } from '#core/api/group.ts';

export interface PrinterColumn {
  readonly name: string;
  readonly jsonPath: string;
  readonly type: 'boolean' | 'date' | 'integer' | 'string';
  readonly description?: string;
  /** Above 0: shown by `kubectl get -o wide` only. */
  readonly priority?: number;
}

export interface ResourceVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  /** Present: the version is deprecated, and this is the warning clients get. */
  readonly deprecationWarning?: string;
  readonly schema: z.ZodObject;
  readonly columns: readonly PrinterColumn[];
}

export interface ResourceDefinition {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  /** One sentence or two: what an object of the kind is for. */
  readonly description: string;
  /**
   * Where there are two, each field that both have means the same in both: the API server changes nothing but
   * `apiVersion` (conversion strategy None, docs/adr/0003-no-conversion-webhook.md).
   */
  readonly versions: readonly ResourceVersion[];
}

/** Declares a namespaced kind of the group metallb.io. Exactly one version is the storage version. */
export function defineResource(
  definition: Omit<ResourceDefinition, 'group' | 'scope' | 'singular'>,
): ResourceDefinition {
  return {
    group: METALLB_GROUP,
    scope: 'Namespaced',
    singular: definition.kind.toLowerCase(),
    ...definition,
  };
}

/** The part of an object's metadata that we keep. */
export const objectMeta = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: z.number().optional(),
  creationTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** The status of what users configure, but for pools, whose status is MetalLB's. */
export const acceptedStatus = () =>
  z
    .object({
      conditions: z
        .array(condition())
        .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
        .optional()
        .describe('One condition, Accepted: whether the object is used as it is, or what is wrong with it.'),
    })
    .optional()
    .describe('What becomes of the object; written by the controller.');

/** A part of an object in which nothing is stored. */
export const emptyObject = (description: string) => z.object({}).optional().describe(description);
