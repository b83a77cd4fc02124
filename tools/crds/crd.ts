/** From a resource definition to its CustomResourceDefinition. */
import { stringify } from 'yaml';
import type { ResourceDefinition, ResourceVersion } from '#core/api/define.ts';
import { structuralSchema, type JsonSchema } from '#tools/crds/structural-schema.ts';

const ENVELOPE = {
  apiVersion: { description: 'Version of the schema that this object is written in.', type: 'string' },
  kind: { description: 'Kind of this object.', type: 'string' },
  metadata: { type: 'object' },
} as const;

/** The schema of a whole object: what every object has, and the kind's own spec and status. */
export function rootSchema(definition: ResourceDefinition, version: ResourceVersion): JsonSchema {
  const own = structuralSchema(version.schema);
  const required = (own.required ?? []).filter((field) => field !== 'metadata');
  return {
    description: definition.description,
    type: 'object',
    properties: { ...ENVELOPE, ...own.properties, metadata: ENVELOPE.metadata },
    ...(required.length > 0 ? { required } : {}),
  };
}

function crdVersion(definition: ResourceDefinition, version: ResourceVersion) {
  return {
    name: version.name,
    served: version.served,
    storage: version.storage,
    ...(version.deprecationWarning === undefined
      ? {}
      : { deprecated: true, deprecationWarning: version.deprecationWarning }),
    ...(version.columns.length > 0 ? { additionalPrinterColumns: version.columns } : {}),
    schema: { openAPIV3Schema: rootSchema(definition, version) },
    subresources: { status: {} },
  };
}

/** The CRD as a value. */
export function customResourceDefinition(definition: ResourceDefinition) {
  const { group, kind, plural, singular, shortNames, scope } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        ...(shortNames.length > 0 ? { shortNames } : {}),
      },
      scope,
      // Said aloud: over a CRD that has a conversion webhook, silence would leave it in place.
      ...(definition.versions.length > 1 ? { conversion: { strategy: 'None' } } : {}),
      versions: definition.versions.map((version) => crdVersion(definition, version)),
    },
  };
}

/** The CRD as the file in config/crd. */
export function crdYaml(definition: ResourceDefinition): string {
  const note = '# Generated from core/api by `npm run generate`. Do not edit.\n';
  return (
    note + stringify(customResourceDefinition(definition), { aliasDuplicateObjects: false, lineWidth: 110 })
  );
}
