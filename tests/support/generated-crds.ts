/** The generated CRDs as data, for tests of what is in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly description?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly [key: string]: unknown;
}
export interface Version {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly additionalPrinterColumns?: readonly {
    readonly name: string;
    readonly type: string;
    readonly jsonPath: string;
    readonly priority?: number;
  }[];
  readonly schema: { readonly openAPIV3Schema: Schema };
  readonly subresources: unknown;
}
export interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: {
      readonly kind: string;
      readonly plural: string;
      readonly singular: string;
      readonly listKind: string;
      readonly shortNames?: readonly string[];
    };
    readonly versions: readonly Version[];
  };
}

const folder = join(import.meta.dirname, '../../config/crd');
export const crds = readdirSync(folder)
  .filter((file) => file.startsWith('metallb.io_'))
  .map((file) => parse(readFileSync(join(folder, file), 'utf8')) as Crd);
export const versions = crds.flatMap(({ spec }) =>
  spec.versions.map((version) => ({ key: `${spec.names.kind} ${version.name}`, version })),
);
