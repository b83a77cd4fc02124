/**
 * Descriptors of a CSV: one for every field of a kind, with the widget that a console shows for it. Made from the
 * schema; only what a schema cannot say stands here.
 */
import type { ResourceDefinition, ResourceVersion } from '#core/api/define.ts';
import { words } from '#tools/bundle/words.ts';
import { rootSchema } from '#tools/crds/crd.ts';
import { fieldsOf, type Field } from '#tools/crds/docs.ts';

export interface Descriptor {
  readonly path: string;
  readonly displayName: string;
  readonly description: string;
  readonly 'x-descriptors': readonly string[];
}

const ui = 'urn:alm:descriptor:com.tectonic.ui:';
const core = 'urn:alm:descriptor:io.kubernetes:';

/** Shapes of Kubernetes with a widget of their own: what is below them is not described field by field. */
const wholes: readonly (readonly [RegExp, string])[] = [
  [/\.resources$/, `${ui}resourceRequirements`],
  [/\.affinity\.nodeAffinity$/, `${ui}nodeAffinity`],
  [/\.affinity\.podAffinity$/, `${ui}podAffinity`],
  [/\.affinity\.podAntiAffinity$/, `${ui}podAntiAffinity`],
  [/^status\.conditions$/, 'urn:alm:descriptor:io.kubernetes.conditions'],
];

/** Widgets that the type alone does not tell, by kind and path. */
const special: Readonly<Record<string, readonly string[]>> = {
  'MetalLB spec.image': [`${ui}hidden`],
  'MetalLB spec.bgpBackend': ['frr', 'native', 'frr-k8s', 'frr-k8s-external'].map(
    (backend) => `${ui}select:${backend}`,
  ),
  'MetalLB spec.frrk8sConfig.namespace': [
    `${ui}text`,
    `${ui}fieldDependency:bgpBackend:frr-k8s-external`,
  ],
  'MetalLB spec.frrk8sConfig.secretPassthrough': [
    `${ui}booleanSwitch`,
    `${ui}fieldDependency:bgpBackend:frr-k8s-external`,
  ],
  'BGPPeer spec.password': [`${ui}password`],
  'BGPPeer spec.passwordSecret.name': [`${core}Secret`],
};

/** Fields of MetalLB that a form hides behind "advanced". */
const advanced = /^spec\.(controllerConfig|frrk8sConfig|loadBalancerClass|speakerConfig)$/;

function isBelowWhole(path: string): boolean {
  return wholes.some(([whole]) => {
    const parts = path.replaceAll('[]', '').split('.');
    return parts.some((_, index) => index > 0 && whole.test(parts.slice(0, index).join('.')));
  });
}

function typeWidget({ path, schema }: Field): readonly string[] {
  if (schema.enum !== undefined) return schema.enum.map((value) => `${ui}select:${value}`);
  const status = path.startsWith('status');
  if (schema.type === 'boolean') return [`${ui}${status ? 'text' : 'booleanSwitch'}`];
  if (schema.type === 'integer') return [`${ui}${status ? 'text' : 'number'}`];
  const grouped = schema.properties !== undefined || schema.items?.properties !== undefined;
  return grouped ? [] : [`${ui}text`];
}

/** A field of an object is shown in that object's group; of a list's item, in the list's. */
function groups(path: string): readonly string[] {
  const parents = path.split('.').slice(1, -1);
  return parents.map((parent) =>
    parent.endsWith('[]') ? `${ui}arrayFieldGroup:${parent.slice(0, -2)}` : `${ui}fieldGroup:${parent}`,
  );
}

function descriptor(kind: string, field: Field): Descriptor {
  const { path, schema } = field;
  const whole = wholes.find(([pattern]) => pattern.test(path.replaceAll('[]', '')));
  const widget = special[`${kind} ${path}`] ?? (whole === undefined ? typeWidget(field) : [whole[1]]);
  const last = path.split('.').at(-1) ?? path;
  return {
    path: path.replace(/^(spec|status)\./, '').replaceAll('[]', '[0]'),
    displayName: words(last),
    description: schema.description ?? '',
    'x-descriptors': [
      ...groups(path),
      ...widget,
      ...(kind === 'MetalLB' && advanced.test(path) ? [`${ui}advanced`] : []),
    ],
  };
}

/** Descriptors of every field under `spec` and under `status`. */
export function descriptors(
  definition: ResourceDefinition,
  version: ResourceVersion,
): { readonly spec: readonly Descriptor[]; readonly status: readonly Descriptor[] } {
  const fields = fieldsOf(rootSchema(definition, version)).filter(({ path }) => !isBelowWhole(path));
  const under = (part: string): Descriptor[] =>
    fields
      .filter(({ path }) => path.startsWith(`${part}.`))
      .map((field) => descriptor(definition.kind, field));
  return { spec: under('spec'), status: under('status') };
}
